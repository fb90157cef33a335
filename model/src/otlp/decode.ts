import type { LogRecord, Metric, Span } from "../signal.ts";
import { OtlpDecodeError } from "./error.ts";

/** Reads an ExportLogsServiceRequest. Throws OtlpDecodeError. */
export function decodeLogs(_bytes: Uint8Array): LogRecord[] {
  throw new OtlpDecodeError("not built yet");
}

/** Reads an ExportTraceServiceRequest. Throws OtlpDecodeError. */
export function decodeTraces(_bytes: Uint8Array): Span[] {
  throw new OtlpDecodeError("not built yet");
}

/** Reads an ExportMetricsServiceRequest. Throws OtlpDecodeError. */
export function decodeMetrics(_bytes: Uint8Array): Metric[] {
  throw new OtlpDecodeError("not built yet");
}
