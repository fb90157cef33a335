import type { LogRecord, Metric, Span } from "../signal.ts";

/** Reads a parsed OTLP/JSON ExportLogsServiceRequest. Throws OtlpDecodeError. */
export function logsFromJson(_json: unknown): LogRecord[] {
  throw new Error("not built yet");
}

/** Reads a parsed OTLP/JSON ExportTraceServiceRequest. Throws OtlpDecodeError. */
export function tracesFromJson(_json: unknown): Span[] {
  throw new Error("not built yet");
}

/** Reads a parsed OTLP/JSON ExportMetricsServiceRequest. Throws OtlpDecodeError. */
export function metricsFromJson(_json: unknown): Metric[] {
  throw new Error("not built yet");
}

/** Writes spans as OTLP/JSON TracesData: `{ resourceSpans: [...] }`. */
export function tracesToJson(_spans: readonly Span[]): { resourceSpans: unknown[] } {
  throw new Error("not built yet");
}
