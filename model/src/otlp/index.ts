export { OtlpDecodeError } from "./error.ts";
export { decodeLogs } from "./decode-logs.ts";
export { decodeMetrics } from "./decode-metrics.ts";
export { decodeTraces } from "./decode-traces.ts";
export { encodeLogs, encodeMetrics, encodeTraces } from "./encode.ts";
export { logsFromJson, metricsFromJson, tracesFromJson, tracesToJson } from "./json.ts";
export { inspect, type Inspection } from "./inspect.ts";
export { Writer as ProtobufWriter } from "./writer.ts";
export { otlpToSamples, samplesToOtlp, type Dropped, type OtlpToSamplesOptions } from "./prometheus-metrics.ts";
