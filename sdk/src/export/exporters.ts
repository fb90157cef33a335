import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Resource } from "@tocsin/model";
import { encodeLogs, encodeTraces, requestToJson } from "@tocsin/model/otlp";
import type { Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import type { BatchConfig, TelemetryConfig } from "../config.ts";
import type { PinoLine } from "../instrumentations/pino.ts";
import { createLogClock } from "../logs/log-clock.ts";
import { bounded, type QueuedLog, toLogRecord } from "../logs/pino-record.ts";
import { exportMetrics, type ExportSignal } from "../metrics/export-metrics.ts";
import { ExportReporter } from "../reporter.ts";
import { SpanConverter } from "../traces/span-record.ts";
import { BatchExporter } from "./batch-exporter.ts";
import { officialTraceExporter } from "./official-trace-exporter.ts";
import { otlpHttp } from "./otlp-http.ts";
import type { Send } from "./result.ts";

export interface ExportersOptions {
  config: TelemetryConfig;
  resource: Resource;
  registry: Registry;
  clock: Clock;
  say: (line: string) => void;
  /** Takes the place of OTLP/HTTP. */
  transport?: ((signal: ExportSignal) => Send) | undefined;
}

/** Where finished spans and log lines go. A signal that is switched off takes them and forgets them. */
export interface Exporters {
  takeSpan: (span: ReadableSpan) => void;
  takeLine: (line: PinoLine) => void;
  flush: (withinMs: number) => Promise<void>;
  stop: (withinMs: number) => Promise<void>;
}

/** The queue of a signal, however its batches are written. */
type Queue<T> = Pick<BatchExporter<T>, "push" | "queued" | "flush" | "stop">;

export function createExporters({ config, resource, registry, clock, say, transport }: ExportersOptions): Exporters {
  const counters = exportMetrics(registry, () => ({ traces: spans?.queued ?? 0, logs: logs?.queued ?? 0 }));
  const reporter = new ExportReporter(say, counters);

  const queue = <T, Body>(
    signal: ExportSignal,
    url: string,
    batch: BatchConfig,
    encode: (records: T[]) => Body,
    send: Send<Body>,
  ): BatchExporter<T, Body> =>
    new BatchExporter({ ...batch, encode, send, observer: reporter.observer(signal, url), clock, random: Math.random });

  const target = { headers: config.headers, timeoutMs: config.timeoutMs, gzip: config.gzip, now: () => clock.now() };

  const traceQueue = (url: string): Queue<ReadableSpan> => {
    if (config.tracesProtocol === "http/json" && transport === undefined) {
      const send = officialTraceExporter({ ...target, url, resource: resource.attributes });
      return queue("traces", url, config.spans, (batch: ReadableSpan[]) => batch, send);
    }
    const converter = new SpanConverter(resource);
    const encode = (batch: ReadableSpan[]): Uint8Array => encodeTraces(batch.map((span) => converter.convert(span)));
    const send = transport?.("traces") ?? otlpHttp({ ...target, url, contentType: "application/x-protobuf" });
    return queue("traces", url, config.spans, encode, send);
  };

  const logQueue = (url: string): Queue<QueuedLog> => {
    const encode = (batch: QueuedLog[]): Uint8Array => encodeLogs(batch.map((line) => toLogRecord(line, resource)));
    if (config.logsProtocol === "http/json" && transport === undefined) {
      const encodeJson = (batch: QueuedLog[]): Buffer => Buffer.from(requestToJson("logs", encode(batch)));
      return queue("logs", url, config.logs, encodeJson, otlpHttp({ ...target, url, contentType: "application/json" }));
    }
    const send = transport?.("logs") ?? otlpHttp({ ...target, url, contentType: "application/x-protobuf" });
    return queue("logs", url, config.logs, encode, send);
  };

  const spans = config.tracesUrl === undefined ? undefined : traceQueue(config.tracesUrl);
  const logs = config.logsUrl === undefined ? undefined : logQueue(config.logsUrl);
  const timeOf = createLogClock(() => clock.now());

  return {
    takeSpan: (span) => spans?.push(span),
    takeLine: (line) => logs?.push({ ...line, line: bounded(line.line), timeUnixNano: timeOf() }),
    async flush(withinMs) {
      await Promise.all([spans?.flush(withinMs), logs?.flush(withinMs)]);
    },
    async stop(withinMs) {
      await Promise.all([spans?.stop(withinMs), logs?.stop(withinMs)]);
    },
  };
}
