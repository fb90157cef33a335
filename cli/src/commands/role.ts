import process from "node:process";
import { createLogger, systemClock, takeDataDir } from "@tocsin/platform";
import type { Command, CommandIo } from "../command.ts";
import { describeSettings, readSettings } from "../settings/read-settings.ts";
import { requireGuardedBind } from "../up/loopback.ts";
import { choosePorts } from "../up/ports.ts";
import { createRole, ROLE_PORTS, type Role, type RoleProcess } from "../up/roles.ts";

const STOP_WITHIN_MS = 9000;

const SUMMARIES: Record<Role, string> = {
  collector: "receive and scrape, and hand over to Kafka",
  writer: "write what comes from Kafka to Elasticsearch and Prometheus",
  rules: "evaluate rules against Prometheus and tell the routers",
  dashboard: "serve the dashboard and the query API",
};

/** A role of the full set-up as a command. */
export const roleCommand = (role: Role): Command => ({
  name: role,
  summary: SUMMARIES[role],
  help: () =>
    [
      `usage: tocsin ${role} --config tocsin.yaml [flags]`,
      "",
      `Runs one role of the full set-up: ${SUMMARIES[role]}.`,
      "It needs Kafka, Elasticsearch and Prometheus in tocsin.yaml.",
      "",
      describeSettings(),
    ].join("\n"),
  async run(args, io) {
    const settings = { ...readSettings(args, io.env), demo: false };
    requireGuardedBind(settings.host, settings.allow_unauthenticated_bind);
    const dataDir = takeDataDir(settings.data_dir);
    const logger = createLogger({ level: settings.log_level });
    const alive = setInterval(() => {}, 60_000);
    try {
      const ports = await choosePorts(settings, [], ROLE_PORTS[role]);
      const running = createRole({ role, settings, ports, dataDir: dataDir.path, clock: systemClock, logger });
      await running.start();
      io.out(`tocsin ${role} serves http://${settings.host}:${ports.port}`);
      await untilStopped(running, io);
      return 0;
    } finally {
      clearInterval(alive);
      dataDir.release();
    }
  },
});

async function untilStopped(running: RoleProcess, io: CommandIo): Promise<void> {
  const onHangup = () => {
    running.reload().catch((error: Error) => io.err(`failed to reload: ${error.message}`));
  };
  process.on("SIGHUP", onHangup);
  await new Promise<void>((resolve) => io.interrupted.addEventListener("abort", () => resolve(), { once: true }));
  process.off("SIGHUP", onHangup);
  const overdue = setTimeout(() => process.exit(1), STOP_WITHIN_MS);
  await running.stop();
  clearTimeout(overdue);
}
