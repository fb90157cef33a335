import { formatExponent, formatPlain } from "../parser/go-format.ts";
import { type Histogram, allBuckets } from "./histogram/shape.ts";
import type { MatrixSeries, QueryResult, VectorSample } from "./result.ts";

/** A sample value as the HTTP API prints it: shortest form, with an exponent below 1e-6 and from 1e21 on. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && size !== Infinity && (size < 1e-6 || size >= 1e21) ? formatExponent(value) : formatPlain(value);
}

/** The `data` object of `/api/v1/query` and `/api/v1/query_range`. */
export function resultToJson(result: QueryResult): { resultType: string; result: unknown } {
  switch (result.type) {
    case "vector":
      return { resultType: "vector", result: result.samples.map((sample) => sampleToJson(sample, result.timestampMs)) };
    case "matrix":
      return { resultType: "matrix", result: result.series.map(seriesToJson) };
    case "scalar":
      return { resultType: "scalar", result: [result.timestampMs / 1000, formatPlain(result.value)] };
    case "string":
      return { resultType: "string", result: [result.timestampMs / 1000, result.value] };
  }
}

function sampleToJson({ labels, value, histogram }: VectorSample, timestampMs: number) {
  const seconds = timestampMs / 1000;
  return histogram
    ? { metric: labels, histogram: [seconds, histogramToJson(histogram)] }
    : { metric: labels, value: [seconds, formatValue(value)] };
}

function seriesToJson({ labels, timestamps, values, histograms }: MatrixSeries) {
  const points: [number, string][] = [];
  for (let i = 0; i < timestamps.length; i++)
    points.push([(timestamps[i] as number) / 1000, formatValue(values[i] as number)]);
  const buckets = histograms.map(({ timestampMs, histogram }) => [timestampMs / 1000, histogramToJson(histogram)]);
  return {
    metric: labels,
    ...(points.length > 0 && { values: points }),
    ...(buckets.length > 0 && { histograms: buckets }),
  };
}

/** How a bucket includes its bounds, by the HTTP API's numbers. */
function boundsRule(lowerInclusive: boolean, upperInclusive: boolean): number {
  if (lowerInclusive) return upperInclusive ? 3 : 1;
  return upperInclusive ? 0 : 2;
}

/** A histogram as the HTTP API shows it, with its populated buckets. */
export function histogramToJson(h: Histogram) {
  const buckets = allBuckets(h).map(({ lower, upper, lowerInclusive, upperInclusive, count }) => [
    boundsRule(lowerInclusive, upperInclusive),
    formatValue(lower),
    formatValue(upper),
    formatValue(count),
  ]);
  return { count: formatValue(h.count), sum: formatValue(h.sum), ...(buckets.length > 0 && { buckets }) };
}
