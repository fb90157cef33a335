import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import type { DecisionRecord } from "@tocsin/model";
import { type Clock, type Component, type Logger, type Registry } from "@tocsin/platform";
import { demoApi } from "../demo/demo-api.ts";
import { DrillRunner } from "../demo/drill-runner.ts";
import { FaultPanel } from "../demo/fault-panel.ts";
import { inboxApi } from "../demo/inbox-api.ts";
import { InboxStore } from "../demo/inbox-store.ts";
import { SampleServices, type SampleSpec } from "../demo/sample-services.ts";
import { createSmtpSink } from "../demo/smtp-sink.ts";
import type { EventHub } from "../events.ts";
import type { Settings } from "../settings/read-settings.ts";
import type { Ports } from "./ports.ts";

/** Where the workspace's folders are; sample services run from their sources. */
export const WORKSPACE = fileURLToPath(new URL("../../../", import.meta.url));

export interface DemoOptions {
  settings: Settings;
  ports: Ports;
  dataDir: string;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  events: EventHub;
  hasResult: (expr: string) => Promise<boolean>;
  isFiring: (alert: string, service: string) => boolean;
}

/** The sample services, their load, the inbox and the drills: what makes the first five minutes. */
export interface Demo {
  /** Must run before the router, which sends mail to it. */
  readonly inbox: Component;
  readonly samples: Component;
  register(app: FastifyInstance): void;
  observe(decision: DecisionRecord): void;
}

export function createDemo(options: DemoOptions): Demo {
  const { settings, ports, clock, logger, registry, events } = options;
  const inbox = new InboxStore(join(options.dataDir, "inbox.db"), (item) => {
    events.publish("inbox", item);
    drills.observeMessage(item);
  });
  const samples = new SampleServices({
    specs: sampleSpecs(settings, ports),
    nodeArgs: [
      "--conditions=@tocsin/source",
      "--disable-warning=ExperimentalWarning",
      "--import",
      "@tocsin/sdk/register",
    ],
    cwd: join(WORKSPACE, "sample-apps/api"),
    clock,
    logger,
    registry,
  });
  const faults = new FaultPanel(samples);
  const drills = new DrillRunner({
    clock,
    logger,
    setFault: (service, fault, active) => faults.set(service, fault, active),
    hasResult: options.hasResult,
    isFiring: options.isFiring,
    onChange: (run) => events.publish("drill", run),
  });
  const sink = createSmtpSink({ host: settings.host, port: ports.smtp_port, inbox, clock, logger });
  return {
    inbox: {
      name: "inbox",
      start: () => sink.start(),
      async stop() {
        drills.stop();
        await sink.stop();
        inbox.close();
      },
    },
    samples,
    register(app) {
      inboxApi(app, { inbox, clock });
      demoApi(app, { faults, drills });
    },
    observe: (decision) => drills.observeDecision(decision),
  };
}

function sampleSpecs(settings: Settings, ports: Ports): SampleSpec[] {
  const url = (port: number) => `http://${settings.host}:${port}`;
  const common = {
    HOST: settings.host,
    FAULTS_ENABLED: "1",
    OTEL_EXPORTER_OTLP_ENDPOINT: url(ports.otlp_http_port),
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=demo,service.namespace=tocsin-samples",
    // The demo's traces and logs should be seen within a second or two.
    OTEL_BSP_SCHEDULE_DELAY: "1000",
    OTEL_BLRP_SCHEDULE_DELAY: "1000",
  };
  const service = (name: string, port: number, env: Record<string, string> = {}): SampleSpec => ({
    name,
    module: join(WORKSPACE, `sample-apps/${name}/src/main.ts`),
    url: url(port),
    env: { ...common, PORT: String(port), OTEL_SERVICE_NAME: name, ...env },
  });
  const specs = [
    service("sms", ports.sms_port),
    service("rate-limiter", ports.rate_limiter_port),
    service("api", ports.api_port, { SMS_URL: url(ports.sms_port), RATE_LIMITER_URL: url(ports.rate_limiter_port) }),
  ];
  if (settings.load_rate === 0) return specs;
  const load: SampleSpec = {
    name: "load",
    module: join(WORKSPACE, "sample-apps/load/src/main.ts"),
    env: {
      OTEL_SDK_DISABLED: "true",
      API_URL: url(ports.api_port),
      SMS_URL: url(ports.sms_port),
      LOAD_RPS: String(settings.load_rate),
    },
  };
  return [...specs, load];
}

/** Scrape jobs of the sample services, in Prometheus' own format. */
export function sampleScrapeJobs(settings: Settings, ports: Ports): object[] {
  const jobs = { api: ports.api_port, sms: ports.sms_port, "rate-limiter": ports.rate_limiter_port };
  return Object.entries(jobs).map(([name, port]) => ({
    job_name: name,
    scrape_interval: "5s",
    scrape_timeout: "4s",
    static_configs: [{ targets: [`${settings.host}:${port}`], labels: { service: name } }],
  }));
}
