import { trace } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Resource } from "@tocsin/model";
import { encodeLogs, encodeTraces } from "@tocsin/model/otlp";
import { collectDefaultMetrics, Registry, type RegistryContentType } from "prom-client";
import { type Clock, systemClock } from "./clock.ts";
import { readConfig, type TelemetryConfig } from "./config.ts";
import { AsyncContextManager } from "./context.ts";
import { BatchExporter } from "./export/batch-exporter.ts";
import { otlpHttp } from "./export/otlp-http.ts";
import type { Send } from "./export/result.ts";
import { instrumentFastify } from "./instrumentations/fastify.ts";
import { instrumentHttpClient } from "./instrumentations/http-client.ts";
import { HttpServerInstrumentation } from "./instrumentations/http-server.ts";
import { instrumentPino, type PinoLine } from "./instrumentations/pino.ts";
import { instrumentUndici } from "./instrumentations/undici.ts";
import { createLogClock } from "./logs/log-clock.ts";
import { bounded, type QueuedLog, toLogRecord } from "./logs/pino-record.ts";
import { appRegistries } from "./metrics/app-registries.ts";
import { exportMetrics, type ExportSignal } from "./metrics/export-metrics.ts";
import { HttpServerMetrics } from "./metrics/http-metrics.ts";
import { answerScrape, METRICS_PATH, serveMetrics } from "./metrics/metrics-endpoint.ts";
import { flushAtProcessEnd } from "./process-end.ts";
import { ExportReporter } from "./reporter.ts";
import { resourceAttributes } from "./resource.ts";
import { writeStderr } from "./stderr.ts";
import { type Attachment, joinTracing, leaveTracing } from "./traces/provider.ts";
import { createSampler } from "./traces/sampler.ts";
import { SpanConverter } from "./traces/span-record.ts";

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
  readonly serviceName: string;
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
  const say = options.say ?? sayOnStderr;
  const clock = systemClock;
  const resource = resourceAttributes(
    options.serviceName ?? config.serviceName,
    config.resourceAttributes,
    process.argv[1],
  );
  const serviceName = resource["service.name"];
  const modelResource: Resource = { attributes: resource };
  const onError = firstOnly((error) => say(`an instrumentation failed: ${String(error)}`));

  // prom-client makes a histogram with exemplars only for a registry that is set to OpenMetrics at that moment.
  const registry = new Registry();
  (registry as Registry<RegistryContentType>).setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  const counters = exportMetrics(registry, () => ({ traces: spans?.queued ?? 0, logs: logs?.queued ?? 0 }));
  const reporter = new ExportReporter(say, counters);
  const exporter = exporterFactory(config, clock, reporter, options.transport);
  const converter = new SpanConverter(modelResource);
  const spans = exporter("traces", config.tracesUrl, config.spans, (batch: ReadableSpan[]) =>
    encodeTraces(batch.map((span) => converter.convert(span))),
  );
  const logs = exporter("logs", config.logsUrl, config.logs, (batch: QueuedLog[]) =>
    encodeLogs(batch.map((queued) => toLogRecord(queued, modelResource))),
  );

  const httpMetrics = new HttpServerMetrics(registry);
  // From here on it is a classic one again, which an app can merge with its own.
  registry.setContentType(Registry.PROMETHEUS_CONTENT_TYPE);

  const contextManager = new AsyncContextManager();
  const attachment = joinTracing(contextManager, createSampler(config.sampler, config.samplerArg), (span) =>
    spans?.push(span),
  );
  const tracer = trace.getTracer("@tocsin/sdk");
  const warnOfTwoClients = firstOnly((files) => say(`metrics live in two clients, both are served: ${String(files)}`));
  const registries = (): Registry[] => {
    const apps = appRegistries();
    if (apps.length > 1) warnOfTwoClients(apps.map(({ file }) => file));
    return [...apps.map((app) => app.registry), registry];
  };
  const http = new HttpServerInstrumentation({
    tracing: attachment === "own" ? { tracer, context: contextManager } : undefined,
    metrics: httpMetrics,
    captureHeaders: config.captureHeaders,
    scrape: config.metricsRoute ? (request, response) => void answerScrape(request, response, registries) : undefined,
    onError,
  });
  http.start();

  const timeOf = createLogClock(() => clock.now());
  const takeLine = (line: PinoLine): void => logs?.push({ ...line, line: bounded(line.line), timeUnixNano: timeOf() });
  const subscriptions = [
    instrumentFastify(http, onError),
    instrumentPino(serviceName, takeLine, onError),
    ...(attachment === "own" ? [instrumentHttpClient(tracer, onError), instrumentUndici(tracer, onError)] : []),
  ];
  const metricsServer =
    config.metricsListen === undefined
      ? undefined
      : serveMetrics(config.metricsListen, registries, (error) => say(`cannot serve metrics: ${error.message}`));

  const flush = async (withinMs: number): Promise<void> => {
    await Promise.all([spans?.flush(withinMs), logs?.flush(withinMs)]);
  };
  const processEnd =
    options.handleProcessEnd === false
      ? undefined
      : flushAtProcessEnd({ flush, onCrash: (error) => takeLine(crashLine(error)) });

  for (const warning of warnings) say(warning);
  say(banner(serviceName, config, attachment));

  return {
    serviceName,
    registry,
    registries,
    flush,
    async stop(withinMs) {
      http.stop();
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      metricsServer?.close();
      processEnd?.[Symbol.dispose]();
      if (attachment === "own") leaveTracing();
      await Promise.all([spans?.stop(withinMs), logs?.stop(withinMs)]);
    },
  };
}

function exporterFactory(
  config: TelemetryConfig,
  clock: Clock,
  reporter: ExportReporter,
  transport: TelemetryOptions["transport"],
) {
  const { headers, timeoutMs, gzip } = config;
  return <T>(
    signal: ExportSignal,
    url: string | undefined,
    batch: TelemetryConfig["spans"],
    encode: (records: T[]) => Uint8Array,
  ): BatchExporter<T> | undefined => {
    if (url === undefined) return undefined;
    const send = transport?.(signal) ?? otlpHttp({ url, headers, timeoutMs, gzip, now: () => clock.now() });
    const observer = reporter.observer(signal, url);
    return new BatchExporter({ ...batch, encode, send, observer, clock, random: Math.random });
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
