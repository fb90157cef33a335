export {
  currentTraceId,
  metricsRegistry,
  shutdownTelemetry,
  type SpanOptions,
  startTelemetry,
  withSpan,
} from "./api.ts";
export type { TelemetryOptions } from "./telemetry.ts";
