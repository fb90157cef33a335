import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Resource } from "@tocsin/model";
import { encodeLogs, encodeTraces } from "@tocsin/model/otlp";
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

export function createExporters({ config, resource, registry, clock, say, transport }: ExportersOptions): Exporters {
  const counters = exportMetrics(registry, () => ({ traces: spans?.queued ?? 0, logs: logs?.queued ?? 0 }));
  const reporter = new ExportReporter(say, counters);
  const { headers, timeoutMs, gzip } = config;

  const exporter = <T>(
    signal: ExportSignal,
    url: string | undefined,
    batch: BatchConfig,
    encode: (records: T[]) => Uint8Array,
  ): BatchExporter<T> | undefined => {
    if (url === undefined) return undefined;
    const send = transport?.(signal) ?? otlpHttp({ url, headers, timeoutMs, gzip, now: () => clock.now() });
    const observer = reporter.observer(signal, url);
    return new BatchExporter({ ...batch, encode, send, observer, clock, random: Math.random });
  };

  const converter = new SpanConverter(resource);
  const spans = exporter("traces", config.tracesUrl, config.spans, (batch: ReadableSpan[]) =>
    encodeTraces(batch.map((span) => converter.convert(span))),
  );
  const logs = exporter("logs", config.logsUrl, config.logs, (batch: QueuedLog[]) =>
    encodeLogs(batch.map((queued) => toLogRecord(queued, resource))),
  );
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
