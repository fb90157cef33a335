import type { Labels } from "./labels.ts";
import type { UnixMs } from "./time.ts";

/** A Prometheus native histogram sample with its buckets unrolled from spans to dense arrays. */
export interface NativeHistogram {
  /** −4…8 exponential; −53 custom buckets. */
  schema: number;
  count: number;
  sum: number;
  zeroThreshold: number;
  zeroCount: number;
  /** Index of the first positive bucket, and the absolute counts from there on. */
  positiveOffset: number;
  positiveBuckets: number[];
  negativeOffset: number;
  negativeBuckets: number[];
  /** Upper bounds, ascending, without +Inf; only for schema −53. */
  customValues: number[];
  counterReset: "unknown" | "reset" | "notReset" | "gauge";
}

/** One sample on its way in. `stale` marks the end of a series; then `value` has no meaning. */
export interface Sample {
  timestampMs: UnixMs;
  value: number;
  stale?: boolean;
  histogram?: NativeHistogram;
  startTimestampMs?: UnixMs;
}

export interface Exemplar {
  labels: Labels;
  value: number;
  timestampMs: UnixMs;
}

export type MetricType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "info"
  | "stateset"
  | "unknown";

export interface MetricMetadata {
  metric: string;
  type: MetricType;
  unit: string;
  help: string;
}

/** What a metric store takes: samples by series (labels with `__name__`), with exemplars and metadata. */
export interface WriteRequest {
  series: { labels: Labels; samples: Sample[]; exemplars?: Exemplar[] }[];
  metadata?: MetricMetadata[];
}
