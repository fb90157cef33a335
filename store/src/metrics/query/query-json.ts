import { formatFloatPlain, type Labels, type NativeHistogram, sortedNames, type UnixMs } from "@tocsin/model";
import type { MatrixSeries, QueryResult } from "@tocsin/promql";
import { type HistogramBucket, histogramBuckets } from "./histogram-buckets.ts";

/** How a query went, for `stats=true`. Seconds; samples as loaded from the store. */
export interface QueryStats {
  queueTime: number;
  evalTime: number;
  samples: number;
  peakSamples: number;
}

/** The `data` of `/api/v1/query` and `/api/v1/query_range`. */
export function queryDataJson(result: QueryResult, stats?: QueryStats): string {
  const suffix = stats ? `,"stats":${JSON.stringify(statsJson(stats))}` : "";
  return `{"resultType":"${result.type}","result":${resultJson(result)}${suffix}}`;
}

/** Cuts a vector or matrix to `limit` elements; whether there were more. */
export function truncateResult(result: QueryResult, limit: number): boolean {
  const list = result.type === "vector" ? result.samples : result.type === "matrix" ? result.series : [];
  if (limit === 0 || list.length <= limit) return false;
  list.length = limit;
  return true;
}

function resultJson(result: QueryResult): string {
  switch (result.type) {
    case "vector": {
      const at = formatTimestamp(result.timestampMs);
      const items = result.samples.map(({ labels, value, histogram }) =>
        histogram
          ? `{"metric":${labelsJson(labels)},"histogram":[${at},${histogramJson(histogram)}]}`
          : `{"metric":${labelsJson(labels)},"value":[${at},"${formatSampleValue(value)}"]}`,
      );
      return `[${items.join(",")}]`;
    }
    case "matrix":
      return `[${result.series.map(seriesJson).join(",")}]`;
    case "scalar":
      return `[${formatTimestamp(result.timestampMs)},"${formatFloatPlain(result.value)}"]`;
    case "string":
      return `[${formatTimestamp(result.timestampMs)},${JSON.stringify(result.value)}]`;
  }
}

function seriesJson({ labels, timestamps, values, histograms }: MatrixSeries): string {
  let text = `{"metric":${labelsJson(labels)}`;
  if (timestamps.length > 0) {
    text += ',"values":[';
    for (let i = 0; i < timestamps.length; i++) {
      text += `${i === 0 ? "" : ","}[${formatTimestamp(timestamps[i] as number)},"${formatSampleValue(values[i] as number)}"]`;
    }
    text += "]";
  }
  if (histograms.length > 0) {
    const items = histograms.map(
      ({ timestampMs, histogram }) => `[${formatTimestamp(timestampMs)},${histogramJson(histogram)}]`,
    );
    text += `,"histograms":[${items.join(",")}]`;
  }
  return `${text}}`;
}

/** A label set as an object, names in order. */
export function labelsJson(labels: Labels): string {
  const pairs = sortedNames(labels).map((name) => `${JSON.stringify(name)}:${JSON.stringify(labels[name])}`);
  return `{${pairs.join(",")}}`;
}

/** Seconds with three decimals, or none. */
export function formatTimestamp(ms: UnixMs): string {
  const whole = Math.abs(ms);
  const fraction = whole % 1000;
  const seconds = `${ms < 0 ? "-" : ""}${(whole - fraction) / 1000}`;
  return fraction === 0 ? seconds : `${seconds}.${String(fraction).padStart(3, "0")}`;
}

/** Go's shortest form: exponents below 1e-6 and from 1e21 on, with two digits at least. */
export function formatSampleValue(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const text = String(value);
  return text.includes("e") ? text.replace(/e([+-])(\d)$/, "e$10$2") : text;
}

function histogramJson(histogram: NativeHistogram): string {
  const buckets = histogramBuckets(histogram).map((bucket) => {
    const bounds = [bucket.lower, bucket.upper, bucket.count].map((value) => `"${formatSampleValue(value)}"`);
    return `[${boundaryRule(bucket)},${bounds.join(",")}]`;
  });
  const list = buckets.length > 0 ? `,"buckets":[${buckets.join(",")}]` : "";
  return `{"count":"${formatSampleValue(histogram.count)}","sum":"${formatSampleValue(histogram.sum)}"${list}}`;
}

/** Which ends belong to the bucket: 0 the upper, 1 the lower, 2 neither, 3 both. */
function boundaryRule({ lowerInclusive, upperInclusive }: HistogramBucket): number {
  if (lowerInclusive) return upperInclusive ? 3 : 1;
  return upperInclusive ? 0 : 2;
}

function statsJson({ queueTime, evalTime, samples, peakSamples }: QueryStats) {
  return {
    timings: {
      evalTotalTime: evalTime,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evalTime,
      execQueueTime: queueTime,
      execTotalTime: queueTime + evalTime,
    },
    samples: { totalQueryableSamples: samples, peakSamples },
  };
}
