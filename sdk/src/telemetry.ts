import { trace } from "@opentelemetry/api";
import { collectDefaultMetrics, Registry, type RegistryContentType } from "prom-client";
import { systemClock } from "./clock.ts";
import { readConfig, type TelemetryConfig } from "./config.ts";
import { AsyncContextManager } from "./context.ts";
import { createExporters } from "./export/exporters.ts";
import type { Send } from "./export/result.ts";
import { instrumentFastify } from "./instrumentations/fastify.ts";
import { instrumentHttpClient } from "./instrumentations/http-client.ts";
import { HttpServerInstrumentation } from "./instrumentations/http-server.ts";
import { instrumentPino, type PinoLine } from "./instrumentations/pino.ts";
import { instrumentUndici } from "./instrumentations/undici.ts";
import { appRegistries } from "./metrics/app-registries.ts";
import type { ExportSignal } from "./metrics/export-metrics.ts";
import { HttpServerMetrics } from "./metrics/http-metrics.ts";
import { answerScrape, METRICS_PATH, serveMetrics } from "./metrics/metrics-endpoint.ts";
import { flushAtProcessEnd } from "./process-end.ts";
import { resourceAttributes } from "./resource.ts";
import { writeStderr } from "./stderr.ts";
import { type Attachment, joinTracing, leaveTracing } from "./traces/provider.ts";
import { createSampler } from "./traces/sampler.ts";

export interface TelemetryOptions {
  /** Where the `OTEL_…` settings are read from; `process.env` unless given. */
  env?: Record<string, string | undefined>;
  /** Wins over the environment. */
  serviceName?: string;
  /** Where the line at start goes; stderr unless given. */
  say?: (line: string) => void;
  /** Sends a signal's encoded batches instead of OTLP/HTTP; for tests. */
  transport?: (signal: ExportSignal) => Send;
  /** Whether to flush at signals, crashes and the natural end; true unless given. */
  handleProcessEnd?: boolean;
}

export interface Telemetry {
  /** The SDK's own metrics; the app's default registry is served beside them. */
  readonly registry: Registry;
  /** Everything `/metrics` shows: the app's default registries, then the SDK's. */
  registries(): readonly Registry[];
  flush(withinMs: number): Promise<void>;
  stop(withinMs: number): Promise<void>;
}

/** Wires the parts together. One per process; `startTelemetry` sees to that. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  const { config, warnings } = readConfig(options.env ?? process.env);
  const { say = sayOnStderr, transport } = options;
  const name = options.serviceName ?? config.serviceName;
  const resource = resourceAttributes(name, config.resourceAttributes, process.argv[1]);
  const serviceName = resource["service.name"];

  const { registry, httpMetrics } = createRegistry();
  const registries = withAppRegistries(registry, say);
  const exporters = createExporters({
    config,
    resource: { attributes: resource },
    registry,
    clock: systemClock,
    say,
    transport,
  });
  const context = new AsyncContextManager();
  const sampler = createSampler(config.sampler, config.samplerArg);
  const attachment = joinTracing(context, sampler, exporters.takeSpan);
  const tracing = attachment === "own" ? { tracer: trace.getTracer("@tocsin/sdk"), context } : undefined;

  const parts: Disposable[] = [];
  const onError = firstOnly((error) => say(`an instrumentation failed: ${String(error)}`));
  const http = new HttpServerInstrumentation({
    tracing,
    metrics: httpMetrics,
    captureHeaders: config.captureHeaders,
    scrape: config.metricsRoute ? (request, response) => void answerScrape(request, response, registries) : undefined,
    onError,
  });
  parts.push(http.start());
  parts.push(instrumentFastify(http, onError));
  parts.push(instrumentPino(serviceName, exporters.takeLine, onError));
  if (tracing !== undefined) {
    parts.push(instrumentHttpClient(tracing.tracer, onError));
    parts.push(instrumentUndici(tracing.tracer, onError));
  }
  if (config.metricsListen !== undefined) {
    const cannotServe = (error: Error): void => say(`cannot serve metrics: ${error.message}`);
    parts.push(serveMetrics(config.metricsListen, registries, cannotServe));
  }
  if (options.handleProcessEnd !== false) {
    const onCrash = (error: unknown): void => exporters.takeLine(crashLine(error));
    parts.push(flushAtProcessEnd({ flush: exporters.flush, onCrash }));
  }

  for (const warning of warnings) say(warning);
  say(banner(serviceName, config, attachment));
  return {
    registry,
    registries,
    flush: exporters.flush,
    async stop(withinMs) {
      for (const part of parts) part[Symbol.dispose]();
      if (attachment === "own") leaveTracing();
      await exporters.stop(withinMs);
    },
  };
}

function createRegistry(): { registry: Registry; httpMetrics: HttpServerMetrics } {
  const registry = new Registry();
  // prom-client makes a histogram with exemplars only for a registry that is set to OpenMetrics at that moment.
  (registry as Registry<RegistryContentType>).setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const httpMetrics = new HttpServerMetrics(registry);
  // From here on it is a classic one again, which an app can merge with its own.
  registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  return { registry, httpMetrics };
}

function withAppRegistries(registry: Registry, say: (line: string) => void): () => Registry[] {
  const warnOfTwo = firstOnly((files) => say(`metrics live in two clients, both are served: ${String(files)}`));
  return () => {
    const apps = appRegistries();
    if (apps.length > 1) warnOfTwo(apps.map(({ file }) => file));
    return [...apps.map((app) => app.registry), registry];
  };
}

function banner(service: string, config: TelemetryConfig, attachment: Attachment): string {
  const { tracesUrl, logsUrl } = config;
  const target = new Set([tracesUrl, logsUrl].filter((url) => url !== undefined).map((url) => new URL(url).origin));
  const spans = {
    own: "",
    attached: "; another OpenTelemetry SDK is registered: its spans are exported, none are added",
    foreign: "; another OpenTelemetry SDK is registered and takes no processor: its spans are not exported",
  }[attachment];
  const metrics = config.metricsRoute ? METRICS_PATH : "off";
  return `service=${service} endpoint=${[...target].join(",") || "none"} metrics=${metrics}${spans}`;
}

/** What pino would have written, had the app had the time. */
function crashLine(error: unknown): PinoLine {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return {
    line: JSON.stringify({ msg: "uncaught exception", err: { type: name, message, stack } }),
    level: 60,
    messageKey: "msg",
    errorKey: "err",
    span: trace.getActiveSpan()?.spanContext(),
  };
}

const sayOnStderr = (line: string): void => writeStderr(`tocsin: ${line}\n`);

function firstOnly(fn: (error: unknown) => void): (error: unknown) => void {
  let said = false;
  return (error) => {
    if (said) return;
    said = true;
    fn(error);
  };
}
