import { join } from "node:path";
import {
  createAlertmanagerSink,
  createRuleManager,
  DecisionLog,
  decisionsApi,
  rulesApi,
  toQueryAnswer,
} from "@tocsin/alerting";
import { createKafkaBus } from "@tocsin/bus";
import { collectorApi, createCollector } from "@tocsin/collector";
import { dashboardServer } from "@tocsin/dashboard-server";
import { formatDuration } from "@tocsin/model";
import {
  type Clock,
  type Component,
  createHttpServer,
  createSelfMetrics,
  type Logger,
  type Registry,
  startAll,
  stopAll,
  TocsinError,
} from "@tocsin/platform";
import {
  createElasticsearchStore,
  createMetricWriter,
  createPrometheusStore,
  LOG_WRITER_GROUP,
  METRIC_WRITER_GROUP,
  prometheusQueryApi,
  SPAN_WRITER_GROUP,
  telemetryApi,
} from "@tocsin/store";
import type { FastifyInstance } from "fastify";
import type { Settings } from "../settings/read-settings.ts";
import { VERSION } from "../version.ts";
import { WORKSPACE } from "./demo.ts";
import { listener, operationsApi } from "./http.ts";
import { linksApi } from "./links.ts";
import { describeConfig, describeFlags } from "./platform.ts";
import type { PortKey, Ports } from "./ports.ts";
import { proxyTo } from "./proxy.ts";

/** The parts that run as processes of their own beside `tocsin alertmanager`; each may run several times. */
export const ROLES = ["collector", "writer", "rules", "dashboard"] as const;
export type Role = (typeof ROLES)[number];

/** The listeners that a role has. */
export const ROLE_PORTS: Record<Role, readonly PortKey[]> = {
  collector: ["port", "otlp_http_port", "otlp_grpc_port"],
  writer: ["port"],
  rules: ["port"],
  dashboard: ["port"],
};

export interface RoleOptions {
  role: Role;
  settings: Settings;
  ports: Ports;
  dataDir: string;
  clock: Clock;
  logger: Logger;
}

export interface RoleProcess extends Component {
  reload(): Promise<void>;
}

interface RoleContext extends RoleOptions {
  registry: Registry;
  app: FastifyInstance;
  elasticsearch: NonNullable<Settings["store"]["elasticsearch"]>;
  prometheus: NonNullable<Settings["store"]["prometheus"]>;
}

/** What a role runs besides its HTTP server, in order, and what it reads again on reload. */
interface RoleParts {
  components: Component[];
  reload?: () => Promise<void>;
}

const PARTS: Record<Role, (context: RoleContext) => RoleParts> = { collector, writer, rules, dashboard };

/** One role of the full set-up. Throws when the configuration joins parts in one process only. */
export function createRole(options: RoleOptions): RoleProcess {
  const { role, settings, ports, logger } = options;
  const registry = createSelfMetrics(VERSION);
  const app = createHttpServer({ logger });
  let ready = false;
  const parts = PARTS[role]({ ...options, ...requireEngines(role, settings), registry, app });
  const reload = parts.reload ?? (async () => {});
  operationsApi(app, { registry, isReady: () => ready, reload });
  const components = [...parts.components, listener(role, app, settings.host, ports.port, "--port")];
  return {
    name: role,
    reload,
    async start() {
      await startAll(components);
      ready = true;
    },
    async stop() {
      ready = false;
      await stopAll(components);
    },
  };
}

function requireEngines(role: Role, settings: Settings): Pick<RoleContext, "elasticsearch" | "prometheus"> {
  const { elasticsearch, prometheus } = settings.store;
  const missing = [
    ...(settings.bus.driver === "kafka" ? [] : ["bus.driver: kafka"]),
    ...(elasticsearch === undefined ? ["store.elasticsearch"] : []),
    ...(prometheus === undefined ? ["store.prometheus"] : []),
  ];
  if (elasticsearch !== undefined && prometheus !== undefined && missing.length === 0)
    return { elasticsearch, prometheus };
  throw new TocsinError(
    "TOCSIN_CONFIG_INVALID",
    `tocsin ${role} shares its data with other processes and needs ${missing.join(", ")} in tocsin.yaml; \`tocsin up\` runs everything in one process without them`,
  );
}

function collector({ settings, ports, dataDir, clock, logger, registry, app }: RoleContext): RoleParts {
  const bus = createKafkaBus(settings.bus.kafka, { clock, logger, registry, dataDir });
  const receiving = createCollector(settings.collector, {
    clock,
    logger,
    registry,
    producer: bus,
    listen: { host: settings.host, otlpHttpPort: ports.otlp_http_port, otlpGrpcPort: ports.otlp_grpc_port },
  });
  void app.register(collectorApi, { collector: receiving, deadLetters: bus.deadLetters });
  return { components: [bus, bus.deadLetters, receiving] };
}

function writer({ settings, dataDir, clock, logger, registry, elasticsearch, prometheus }: RoleContext): RoleParts {
  const common = { clock, logger, registry };
  const bus = createKafkaBus(settings.bus.kafka, { ...common, dataDir });
  const metrics = createPrometheusStore({ ...common, config: prometheus });
  const telemetry = createElasticsearchStore({
    ...common,
    config: elasticsearch,
    deadLetters: bus.deadLetters,
    spanMetricsSink: (request) => metrics.append(request),
  });
  bus.subscribe("otlp_logs", LOG_WRITER_GROUP, telemetry.writers.logs);
  bus.subscribe("otlp_spans", SPAN_WRITER_GROUP, telemetry.writers.spans);
  bus.subscribe("otlp_metrics", METRIC_WRITER_GROUP, createMetricWriter(metrics));
  return { components: [metrics, telemetry, bus] };
}

function rules({ settings, dataDir, clock, logger, registry, app, prometheus }: RoleContext): RoleParts {
  const common = { clock, logger, registry };
  const metrics = createPrometheusStore({ ...common, config: prometheus });
  const decisions = new DecisionLog({ ...common, dataDir });
  const manager = createRuleManager({
    ...common,
    files: settings.rules.length > 0 ? settings.rules : [join(WORKSPACE, "prometheus/rules/*.yml")],
    queries: {
      instant: async (expr, at, signal) => toQueryAnswer(await metrics.instant(expr, at, { signal, lane: "rules" })),
    },
    output: metrics,
    alerts: createAlertmanagerSink({ urls: settings.peers.alertmanagers }),
    alertmanagers: settings.peers.alertmanagers.map((url) => `${url.replace(/\/+$/, "")}/api/v2/alerts`),
    externalUrl: settings.external_url,
    onDecision: (decision) => decisions.record(decision),
  });
  void app.register(rulesApi, { manager });
  void app.register(decisionsApi, { log: decisions, clock });
  return { components: [metrics, decisions, manager], reload: () => manager.reload() };
}

function dashboard({ settings, clock, logger, registry, app, elasticsearch, prometheus }: RoleContext): RoleParts {
  const common = { clock, logger, registry };
  const { peers } = settings;
  const metrics = createPrometheusStore({ ...common, config: prometheus });
  const telemetry = createElasticsearchStore({ ...common, config: elasticsearch });
  // First, so that a browser gets the page at /metrics and a scraper the exposition.
  void app.register(dashboardServer, { webRoot: join(WORKSPACE, "dashboard/web/dist") });
  linksApi(app, { runbooks: join(WORKSPACE, "prometheus/runbooks.md") });
  void app.register(prometheusQueryApi, {
    store: metrics,
    clock,
    version: VERSION,
    configText: () => describeConfig(settings),
    flags: () => describeFlags(settings),
    retention: formatDuration(settings.store.metrics.retention),
  });
  void app.register(telemetryApi, { store: telemetry, clock, silentAfterMs: settings.store.silent_after });
  void app.register(proxyTo, {
    base: peers.alertmanagers[0] ?? "",
    what: "the router",
    paths: ["/api/v2/*", "/api/tocsin/v1/decisions"],
  });
  void app.register(proxyTo, {
    base: peers.rules,
    what: "the rule evaluator",
    paths: ["/api/v1/rules", "/api/v1/alerts", "/api/v1/alertmanagers"],
  });
  void app.register(proxyTo, {
    base: peers.collector,
    what: "the collector",
    paths: [
      "/api/v1/targets",
      "/api/v1/targets/metadata",
      "/api/v1/scrape_pools",
      "/api/tocsin/v1/pipeline",
      "/api/tocsin/v1/rejects",
    ],
  });
  return { components: [metrics, telemetry] };
}
