import type { WriteRequest } from "../series.ts";
import type { Metric } from "../signal.ts";

/** What a translation had to leave out, by reason. */
export interface Dropped {
  [reason: string]: number;
}

export interface OtlpToSamplesOptions {
  /** Resource attributes that become labels of every series; the others are on `target_info` only. Default none. */
  promoteResourceAttributes?: readonly string[];
}

/**
 * Prometheus samples as OTLP metrics, so that scraped data travels the bus like everything else.
 *
 * One Metric per metric name, named exactly as the series is (`x_bucket`, `x_sum`, …): plain number points, every label
 * but `__name__` as a data point attribute. `Metric.metadata` says that the name is final: `prometheus.type` is the type
 * of the family, `prometheus.family` its name where that differs; help and unit are the metric's description and unit.
 * A stale sample is a point with flag 1. `job` and `instance` are also the resource's service.name and
 * service.instance.id. Native histograms are exponential histogram points (custom buckets: histogram points) with the
 * same metadata. `otlpToSamples` undoes all of it exactly.
 */
export function samplesToOtlp(_request: WriteRequest): { metrics: Metric[]; dropped: Dropped } {
  throw new Error("not built yet");
}

/**
 * OTLP metrics as what a metric store takes. Metrics that `samplesToOtlp` made get their names, labels and staleness
 * back. All others are named as Prometheus 3 names them on its OTLP endpoint (UnderscoreEscapingWithSuffixes): dots to
 * underscores, unit and `_total` suffixes, `job` and `instance` from the resource, the rest of the resource on
 * `target_info`. Delta temporality is left out and counted under `delta`; exponential histograms become native ones,
 * brought down to schema 8 where they are finer.
 */
export function otlpToSamples(
  _metrics: readonly Metric[],
  _options: OtlpToSamplesOptions = {},
): { request: WriteRequest; dropped: Dropped } {
  throw new Error("not built yet");
}
