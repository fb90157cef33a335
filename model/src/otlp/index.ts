export { OtlpDecodeError } from "./error.ts";
export { decodeLogs, decodeMetrics, decodeTraces } from "./decode.ts";
export { encodeLogs, encodeMetrics, encodeTraces } from "./encode.ts";
export { logsFromJson, metricsFromJson, tracesFromJson, tracesToJson } from "./json.ts";
export { inspect, type Inspection } from "./inspect.ts";
export { otlpToSamples, samplesToOtlp, type Dropped, type OtlpToSamplesOptions } from "./prometheus-metrics.ts";
