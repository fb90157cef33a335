import process from "node:process";
import { createLogger, systemClock, takeDataDir } from "@tocsin/platform";
import type { Command, CommandIo } from "../command.ts";
import { describeSettings, readSettings } from "../settings/read-settings.ts";
import { banner } from "../up/banner.ts";
import { requireGuardedBind } from "../up/loopback.ts";
import { createPlatform, type Platform } from "../up/platform.ts";
import { choosePorts, type Ports } from "../up/ports.ts";
import { ensureDashboard } from "../up/web-build.ts";

const STOP_WITHIN_MS = 4500;

export const up: Command = {
  name: "up",
  summary: "run everything in one process: npm start",
  help: () =>
    [
      "usage: npm start -- [flags]   or   tocsin up [flags]",
      "",
      "Runs collector, store, rules, router and dashboard, with three sample services unless --no-demo.",
      "A flag wins over its environment variable, which wins over tocsin.yaml (--config).",
      "",
      describeSettings(),
    ].join("\n"),
  async run(args, io) {
    const startedAt = performance.now();
    const settings = readSettings(args, io.env);
    requireGuardedBind(settings.host, settings.allow_unauthenticated_bind);
    const dataDir = takeDataDir(settings.data_dir);
    const logger = createLogger({ level: settings.log_level });
    const notes: string[] = [];
    const ports = await choosePorts(settings, notes);
    const platform = createPlatform({ settings, ports, dataDir: dataDir.path, clock: systemClock, logger });
    // The listeners keep the process alive once they are up; until then this does.
    const alive = setInterval(() => {}, 60_000);
    try {
      await platform.start();
      notes.push(...ensureDashboard(logger));
      io.out(
        banner({
          readyMs: performance.now() - startedAt,
          addresses: addresses(settings.host, ports, settings.demo),
          dataDir: dataDir.path,
          demo: settings.demo,
          notes,
        }),
      );
      return await untilStopped(platform, io);
    } finally {
      clearInterval(alive);
      dataDir.release();
    }
  },
};

function addresses(host: string, ports: Ports, demo: boolean): [string, string][] {
  const at = (port: number) => `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const base: [string, string][] = [
    ["dashboard", `http://${at(ports.port)}`],
    ["otlp-http", `http://${at(ports.otlp_http_port)}`],
    ["otlp-grpc", at(ports.otlp_grpc_port)],
    ["alertmanager", `http://${at(ports.alertmanager_port)}`],
  ];
  const samples: [string, string][] = [
    ["smtp", at(ports.smtp_port)],
    ["api", `http://${at(ports.api_port)}`],
    ["sms", `http://${at(ports.sms_port)}`],
    ["rate-limiter", `http://${at(ports.rate_limiter_port)}`],
  ];
  return demo ? [...base, ...samples] : base;
}

/** Reloads on SIGHUP; stops on SIGINT or SIGTERM, or when a part is lost, and makes sure that it ends. */
async function untilStopped(platform: Platform, io: CommandIo): Promise<number> {
  const onHangup = () => {
    platform.reload().catch((error: Error) => io.err(`failed to reload: ${error.message}`));
  };
  process.on("SIGHUP", onHangup);
  const interrupted = new Promise<"interrupted">((resolve) =>
    io.interrupted.addEventListener("abort", () => resolve("interrupted"), { once: true }),
  );
  const code = await Promise.race([interrupted, platform.lost]).then(
    () => 0,
    (error: Error) => {
      io.err(`stopping: ${error.message}`);
      return 1;
    },
  );
  process.off("SIGHUP", onHangup);
  const overdue = setTimeout(() => {
    io.err(`not everything stopped within ${STOP_WITHIN_MS} ms; ending anyway`);
    process.exit(1);
  }, STOP_WITHIN_MS);
  await platform.stop();
  clearTimeout(overdue);
  return code;
}
