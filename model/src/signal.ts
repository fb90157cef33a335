import type { UnixNano } from "./time.ts";

export type Signal = "traces" | "metrics" | "logs";

/** OTLP's AnyValue. Integers outside the safe range stay bigint. */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | AttributeValue[]
  | { [key: string]: AttributeValue };

export type Attributes = Record<string, AttributeValue>;

export interface Resource {
  attributes: Attributes;
}

export interface Scope {
  name: string;
  version: string;
  attributes: Attributes;
}

export interface LogRecord {
  timeUnixNano: UnixNano;
  observedTimeUnixNano: UnixNano;
  /** 0 unset, 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal. */
  severityNumber: number;
  severityText: string;
  body: AttributeValue;
  attributes: Attributes;
  /** 32 hex digits, or empty. */
  traceId: string;
  /** 16 hex digits, or empty. */
  spanId: string;
  flags: number;
  eventName: string;
  resource: Resource;
  scope: Scope;
}

/** OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
export type SpanKind = 0 | 1 | 2 | 3 | 4 | 5;
/** OTLP: 0 unset, 1 ok, 2 error. */
export type StatusCode = 0 | 1 | 2;

export interface SpanEvent {
  timeUnixNano: UnixNano;
  name: string;
  attributes: Attributes;
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  traceState: string;
  attributes: Attributes;
}

export interface Span {
  traceId: string;
  spanId: string;
  /** Empty for a root span. */
  parentSpanId: string;
  traceState: string;
  flags: number;
  name: string;
  kind: SpanKind;
  startTimeUnixNano: UnixNano;
  endTimeUnixNano: UnixNano;
  attributes: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  status: { code: StatusCode; message: string };
  resource: Resource;
  scope: Scope;
}

/** OTLP: 0 unspecified, 1 delta, 2 cumulative. */
export type AggregationTemporality = 0 | 1 | 2;

export interface OtlpExemplar {
  timeUnixNano: UnixNano;
  value: number;
  traceId: string;
  spanId: string;
  filteredAttributes: Attributes;
}

export interface NumberPoint {
  attributes: Attributes;
  startTimeUnixNano: UnixNano;
  timeUnixNano: UnixNano;
  value: number;
  /** Bit 0: no recorded value, which is a staleness marker. */
  flags: number;
  exemplars: OtlpExemplar[];
}

export interface HistogramPoint {
  attributes: Attributes;
  startTimeUnixNano: UnixNano;
  timeUnixNano: UnixNano;
  count: number;
  sum: number | undefined;
  bucketCounts: number[];
  explicitBounds: number[];
  min: number | undefined;
  max: number | undefined;
  flags: number;
  exemplars: OtlpExemplar[];
}

export interface ExponentialBuckets {
  offset: number;
  bucketCounts: number[];
}

export interface ExponentialHistogramPoint {
  attributes: Attributes;
  startTimeUnixNano: UnixNano;
  timeUnixNano: UnixNano;
  count: number;
  sum: number | undefined;
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: ExponentialBuckets;
  negative: ExponentialBuckets;
  min: number | undefined;
  max: number | undefined;
  flags: number;
  exemplars: OtlpExemplar[];
}

export interface SummaryPoint {
  attributes: Attributes;
  startTimeUnixNano: UnixNano;
  timeUnixNano: UnixNano;
  count: number;
  sum: number;
  quantiles: { quantile: number; value: number }[];
  flags: number;
}

interface MetricHead {
  name: string;
  description: string;
  unit: string;
  /** OTLP's Metric.metadata; the scrape receiver notes `prometheus.type` here, and such a metric keeps its name. */
  metadata: Attributes;
  resource: Resource;
  scope: Scope;
}

export type Metric =
  | (MetricHead & { type: "gauge"; points: NumberPoint[] })
  | (MetricHead & { type: "sum"; monotonic: boolean; temporality: AggregationTemporality; points: NumberPoint[] })
  | (MetricHead & { type: "histogram"; temporality: AggregationTemporality; points: HistogramPoint[] })
  | (MetricHead & {
      type: "exponentialHistogram";
      temporality: AggregationTemporality;
      points: ExponentialHistogramPoint[];
    })
  | (MetricHead & { type: "summary"; points: SummaryPoint[] });

/** Decoded telemetry of one signal. Records that came together share their `resource` and `scope` objects. */
export type Batch =
  | { signal: "logs"; records: LogRecord[] }
  | { signal: "traces"; spans: Span[] }
  | { signal: "metrics"; metrics: Metric[] };

export type SeverityLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "unset";

/** The name of an OTLP severity number's range. */
export function severityLevel(severityNumber: number): SeverityLevel {
  const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
  return levels[Math.ceil(severityNumber / 4) - 1] ?? "unset";
}

/** The service a resource belongs to; `unknown_service` when it does not say. */
export function serviceName(resource: Resource): string {
  const name = resource.attributes["service.name"];
  return typeof name === "string" && name !== "" ? name : "unknown_service";
}
