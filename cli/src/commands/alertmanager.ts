import { hostname } from "node:os";
import process from "node:process";
import {
  alertmanagerApi,
  alertmanagerOperations,
  COMPATIBLE_VERSION,
  createAlertRouter,
  DecisionLog,
  decisionsApi,
} from "@tocsin/alerting";
import {
  createHttpServer,
  createLogger,
  createSelfMetrics,
  errorMessage,
  type Logger,
  startAll,
  stopAll,
  systemClock,
  takeDataDir,
  TocsinError,
} from "@tocsin/platform";
import type { FastifyInstance } from "fastify";
import { FLAGS, parseAlertmanagerFlags, type AlertmanagerFlags } from "../alertmanager/flags.ts";
import { logfmtStream } from "../alertmanager/log-format.ts";
import type { Command, CommandIo } from "../command.ts";
import { VERSION } from "../version.ts";

const STOP_WITHIN_MS = 10_000;

export const alertmanager: Command = {
  name: "alertmanager",
  summary: "run the alert router alone, with Alertmanager's own flags",
  help: () => {
    const width = Math.max(...FLAGS.map(({ name }) => name.length));
    const rows = FLAGS.map(
      ({ name, fallback, help }) => `  --${name.padEnd(width)}  ${help}${fallback === "" ? "" : ` (${fallback})`}`,
    );
    return [
      "usage: tocsin alertmanager [--flag=value …]",
      "",
      "Takes the place of Alertmanager: its configuration, its API, its clients.",
      "",
      ...rows,
    ].join("\n");
  },
  async run(args, io) {
    if (args.includes("--version")) {
      io.out(`alertmanager, version ${COMPATIBLE_VERSION} (tocsin ${VERSION})`);
      return 0;
    }
    const flags = parseAlertmanagerFlags(args);
    const logger = createLogger({
      level: flags.logLevel,
      destination: flags.logFormat === "json" ? process.stderr : logfmtStream(process.stderr),
    });
    const dataDir = takeDataDir(flags.storagePath);
    const alive = setInterval(() => {}, 60_000);
    try {
      return await serve(flags, dataDir.path, logger, io);
    } finally {
      clearInterval(alive);
      dataDir.release();
    }
  },
};

async function serve(flags: AlertmanagerFlags, dataDir: string, logger: Logger, io: CommandIo): Promise<number> {
  const registry = createSelfMetrics(VERSION);
  const common = { clock: systemClock, logger, registry, dataDir };
  const decisions = new DecisionLog(common);
  let externalUrl = flags.externalUrl;
  const { routePrefix } = flags;
  const router = createAlertRouter({
    ...common,
    ...flags,
    externalUrl: () => externalUrl,
    onDecision: (record) => decisions.record(record),
  });
  const apps = flags.listen.map(() => {
    const app = createHttpServer({ logger });
    void app.register(alertmanagerOperations, { router, registry, routePrefix });
    void app.register(alertmanagerApi, { router, routePrefix, getConcurrency: flags.getConcurrency || 8 });
    void app.register(decisionsApi, { log: decisions, clock: systemClock });
    return app;
  });
  const listeners = apps.map((app, i) => ({
    name: "listener",
    async start() {
      const { host = "::", port } = flags.listen[i] ?? { port: 0 };
      const bound = await listen(app, host, port);
      if (externalUrl === "") externalUrl = `http://${hostname()}:${bound}${routePrefix}`;
      logger.info({ address: `${host.includes(":") ? `[${host}]` : host}:${bound}` }, "Listening on");
    },
    stop: () => app.close(),
  }));
  // Addresses are bound before the first notification names one of them.
  await startAll([decisions, ...listeners, router]);
  const onHangup = () => {
    router.reload().then(
      () => logger.info("Completed loading of configuration file"),
      (err: unknown) => logger.error({ err }, "Loading configuration file failed"),
    );
  };
  process.on("SIGHUP", onHangup);
  await new Promise<void>((resolve) => io.interrupted.addEventListener("abort", () => resolve(), { once: true }));
  process.off("SIGHUP", onHangup);
  const overdue = setTimeout(() => process.exit(1), STOP_WITHIN_MS);
  await stopAll([decisions, router, ...listeners]);
  clearTimeout(overdue);
  return 0;
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new TocsinError(
      "TOCSIN_PORT_TAKEN",
      `cannot listen on ${host}:${port}: ${errorMessage(error)}; choose another with --web.listen-address`,
      { cause: error },
    );
  }
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
