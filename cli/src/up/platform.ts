import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import {
  alertmanagerApi,
  alertmanagerOperations,
  backtestApi,
  createAlertRouter,
  DecisionLog,
  createRuleManager,
  decisionsApi,
  rulesApi,
  toQueryAnswer,
  type AlertRouter,
  type RuleManager,
} from "@tocsin/alerting";
import { collectorApi, CollectorConfig, createCollector } from "@tocsin/collector";
import { dashboardServer } from "@tocsin/dashboard-server";
import { formatDuration, type DecisionRecord, type PostableAlert } from "@tocsin/model";
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
import { prometheusQueryApi, remoteWriteApi, telemetryApi } from "@tocsin/store";
import { concerns } from "../demo/drill-runner.ts";
import { INBOX_WEBHOOK_PATH } from "../demo/inbox-api.ts";
import { createEventHub } from "../events.ts";
import { flagName, SCALAR_KEYS } from "../settings/settings.ts";
import type { Settings } from "../settings/read-settings.ts";
import { VERSION } from "../version.ts";
import { createBackends } from "./backends.ts";
import { createDemo, sampleScrapeJobs, WORKSPACE } from "./demo.ts";
import { listener, operationsApi } from "./http.ts";
import { linksApi } from "./links.ts";
import type { Ports } from "./ports.ts";

export interface Platform extends Component {
  /** Reads rule files and alertmanager.yml again; throws with the place of a mistake, and then nothing has changed. */
  reload(): Promise<void>;
  /** Rejects when a part that nothing works without has ended by itself. */
  readonly lost: Promise<never>;
}

export interface PlatformOptions {
  settings: Settings;
  ports: Ports;
  dataDir: string;
  clock: Clock;
  logger: Logger;
}

/** Joins every part in one process: the memory bus, the embedded stores, rules, router, dashboard, and the demo. */
export function createPlatform(options: PlatformOptions): Platform {
  const { settings, ports, dataDir, clock, logger } = options;
  const registry = createSelfMetrics(VERSION);
  const common = { clock, logger, registry };
  const baseUrl = `http://${settings.host}:${ports.port}`;
  const externalUrl = (settings.external_url === "" ? baseUrl : settings.external_url).replace(/\/$/, "");
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {});

  const backends = createBackends({ ...common, settings, dataDir, onLost: lost.reject });
  const { metrics, telemetry, deadLetters } = backends;
  const decisions = new DecisionLog({ ...common, dataDir });
  const main = createHttpServer({ logger });
  const events = createEventHub(main, registry);
  const hasResult = async (expr: string) => {
    const answer = await metrics.instant(expr, clock.now(), { timeoutMs: 5000 });
    return answer.type === "vector" && answer.samples.length > 0;
  };
  const demo = settings.demo
    ? createDemo({
        ...common,
        settings,
        ports,
        dataDir,
        events,
        hasResult,
        isFiring: (alert, service) => isFiring(rules, alert, service),
      })
    : undefined;
  const onDecision = (decision: DecisionRecord) => {
    decisions.record(decision);
    events.publish("decision", decision);
    demo?.observe(decision);
  };
  const router = createAlertRouter({
    ...common,
    ...routing(settings, ports),
    extraReceivers: settings.receivers,
    ...(settings.file !== undefined && { extraReceiversFile: settings.file }),
    dataDir,
    externalUrl,
    onDecision,
  });
  const rules = createRuleManager({
    ...common,
    files: settings.rules.length > 0 ? settings.rules : [join(WORKSPACE, "prometheus/rules/*.yml")],
    queries: {
      instant: async (expr, at, signal) => toQueryAnswer(await metrics.instant(expr, at, { signal, lane: "rules" })),
    },
    output: metrics,
    alerts: { send: (alerts) => postToRouter(router, alerts) },
    alertmanagers: [`${baseUrl}/api/v2/alerts`],
    externalUrl,
    onDecision,
  });
  const collector = createCollector(withOwnTargets(settings, ports), {
    ...common,
    producer: backends.producer,
    listen: { host: settings.host, otlpHttpPort: ports.otlp_http_port, otlpGrpcPort: ports.otlp_grpc_port },
  });

  const reload = async () => {
    await rules.reload();
    await router.reload();
  };
  let ready = false;
  // First, so that a browser gets the page at /metrics and a scraper the exposition.
  void main.register(dashboardServer, { webRoot: join(WORKSPACE, "dashboard/web/dist") });
  linksApi(main, { runbooks: join(WORKSPACE, "prometheus/runbooks.md") });
  operationsApi(main, { registry, isReady: () => ready, reload });
  void main.register(alertmanagerApi, { router });
  void main.register(rulesApi, { manager: rules });
  void main.register(decisionsApi, { log: decisions, clock });
  void main.register(backtestApi, {
    history: metrics,
    rules: () => rules.groups().map(({ config }) => config),
    routing: () => routing(settings, ports),
    silences: () => router.silences.values(),
    externalUrl,
    clock,
  });
  void main.register(prometheusQueryApi, {
    store: metrics,
    clock,
    version: VERSION,
    configText: () => describeConfig(settings),
    flags: () => describeFlags(settings),
    retention: formatDuration(settings.store.metrics.retention),
  });
  if (backends.embeddedMetrics) void main.register(remoteWriteApi, { store: backends.embeddedMetrics });
  void main.register(telemetryApi, { store: telemetry, clock, silentAfterMs: settings.store.silent_after });
  void main.register(collectorApi, {
    collector,
    deadLetters,
    storage: () => backends.storage(),
    writerDropped: async () => ({ metrics: await countsByReason(registry, "tocsin_metrics_otlp_dropped_total") }),
  });
  demo?.register(main);
  const alertmanager = createHttpServer({ logger });
  void alertmanager.register(alertmanagerOperations, { router, registry });
  void alertmanager.register(alertmanagerApi, { router });

  const components: Component[] = [
    ...backends.components,
    decisions,
    ...(demo ? [demo.inbox] : []),
    router,
    listener("alertmanager api", alertmanager, settings.host, ports.alertmanager_port, "--alertmanager-port"),
    { name: "events", start: async () => {}, stop: async () => events.close() },
    listener("dashboard", main, settings.host, ports.port, "--port"),
    rules,
    collector,
    ...(demo ? [demo.samples] : []),
  ];
  return {
    name: "platform",
    lost: lost.promise,
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

/** The sections of tocsin.yaml in force. Secrets show themselves as `<secret>` when they become JSON. */
export function describeConfig({ bus, collector, store }: Settings): string {
  return stringify(JSON.parse(JSON.stringify({ bus, collector, store })));
}

export function describeFlags(settings: Settings): Record<string, string> {
  return Object.fromEntries(SCALAR_KEYS.map((key) => [flagName(key), String(settings[key])]));
}

/** The demo's profile unless a file is named; its addresses follow the ports that were chosen. */
function routing(settings: Settings, ports: Ports): { configFile: string; configText?: string } {
  if (settings.config_file !== "") return { configFile: settings.config_file };
  const configFile = join(WORKSPACE, "alerting/alertmanager.yml");
  const configText = readFileSync(configFile, "utf8")
    .replace("127.0.0.1:1025", `${settings.host}:${ports.smtp_port}`)
    .replace(
      `http://127.0.0.1:9400${INBOX_WEBHOOK_PATH}`,
      `http://${settings.host}:${ports.port}${INBOX_WEBHOOK_PATH}`,
    );
  return { configFile, configText };
}

/** Scrapes Tocsin itself, and the sample services while they run, beside whatever the configuration names. */
function withOwnTargets(settings: Settings, ports: Ports): CollectorConfig {
  const own = {
    job_name: "tocsin",
    scrape_interval: "5s",
    scrape_timeout: "4s",
    static_configs: [{ targets: [`${settings.host}:${ports.port}`], labels: { service: "tocsin" } }],
  };
  const samples = settings.demo ? sampleScrapeJobs(settings, ports) : [];
  const { prometheus } = settings.collector.receivers;
  const taken = new Set(prometheus.scrape_configs.map((job) => job.job_name));
  const parsed = CollectorConfig.parse({ receivers: { prometheus: { scrape_configs: [own, ...samples] } } });
  const jobs = parsed.receivers.prometheus.scrape_configs.filter((job) => !taken.has(job.job_name));
  return {
    ...settings.collector,
    receivers: {
      ...settings.collector.receivers,
      prometheus: { ...prometheus, scrape_configs: [...prometheus.scrape_configs, ...jobs] },
    },
  };
}

async function postToRouter(router: AlertRouter, alerts: PostableAlert[]): Promise<void> {
  const { errors } = await router.postAlerts(alerts);
  if (errors.length > 0) throw new TocsinError("TOCSIN_BAD_REQUEST", `the router refused alerts: ${errors.join("; ")}`);
}

function isFiring(rules: RuleManager, alert: string, service: string): boolean {
  return rules
    .groups()
    .flatMap((group) => group.rules.flatMap((rule) => rule.alerts))
    .some(({ state, labels }) => state === "firing" && concerns({ alert, service }, labels));
}

async function countsByReason(registry: Registry, name: string): Promise<Record<string, number>> {
  const { values } = (await registry.getSingleMetric(name)?.get()) ?? { values: [] };
  return Object.fromEntries(values.map(({ labels, value }) => [String(labels["reason"]), value]));
}
