import type { LogRecord, Metric, Span } from "../signal.ts";

/** Writes an ExportLogsServiceRequest; neighbours that share resource and scope objects share their groups. */
export function encodeLogs(_records: readonly LogRecord[]): Uint8Array {
  throw new Error("not built yet");
}

/** Writes an ExportTraceServiceRequest. */
export function encodeTraces(_spans: readonly Span[]): Uint8Array {
  throw new Error("not built yet");
}

/** Writes an ExportMetricsServiceRequest. */
export function encodeMetrics(_metrics: readonly Metric[]): Uint8Array {
  throw new Error("not built yet");
}
