import type { NativeHistogram } from "@tocsin/model";
import { parseValue } from "./value.ts";

export interface HistogramJson {
  count: string;
  sum: string;
  /** How the bounds are included, lower bound, upper bound, count. */
  buckets?: [rule: number, lower: string, upper: string, count: string][];
}

interface Bucket {
  lower: number;
  upper: number;
  count: number;
}

const CUSTOM_SCHEMA = -53;

/**
 * The JSON of a histogram shows its populated buckets by their bounds; schema and indices are found from these. Where they
 * fit no exponential schema, the bounds themselves become those of custom buckets.
 */
export function histogramFromJson({ count, sum, buckets = [] }: HistogramJson): NativeHistogram {
  const all = buckets.map(([, lower, upper, n]) => ({
    lower: parseValue(lower),
    upper: parseValue(upper),
    count: parseValue(n),
  }));
  const histogram: NativeHistogram = {
    schema: 0,
    count: parseValue(count),
    sum: parseValue(sum),
    zeroThreshold: 0,
    zeroCount: 0,
    positiveOffset: 0,
    positiveBuckets: [],
    negativeOffset: 0,
    negativeBuckets: [],
    customValues: [],
    counterReset: "gauge",
  };
  const zero = all.find(({ lower, upper }) => lower <= 0 && upper >= 0 && lower === -upper);
  if (zero) Object.assign(histogram, { zeroThreshold: zero.upper, zeroCount: zero.count });
  const sided = all.filter((bucket) => bucket !== zero);
  if (sided.length === 0) return histogram;
  const schema = schemaOf(sided);
  if (schema === undefined) return { ...histogram, ...customBuckets(sided) };
  const indexed = (list: Bucket[], bound: (bucket: Bucket) => number) =>
    dense(list.map((bucket) => ({ index: Math.round(Math.log2(bound(bucket)) * 2 ** schema), count: bucket.count })));
  const [positiveOffset, positiveBuckets] = indexed(sided.filter(({ lower }) => lower > 0), ({ upper }) => upper); // prettier-ignore
  const [negativeOffset, negativeBuckets] = indexed(sided.filter(({ upper }) => upper < 0), ({ lower }) => -lower); // prettier-ignore
  return { ...histogram, schema, positiveOffset, positiveBuckets, negativeOffset, negativeBuckets };
}

/** The exponential schema that all buckets fit. */
function schemaOf(buckets: readonly Bucket[]): number | undefined {
  let found: number | undefined;
  for (const { lower, upper } of buckets) {
    const ratio = lower > 0 ? upper / lower : lower / upper;
    const exact = -Math.log2(Math.log2(ratio));
    // Plus 0, so that it is never -0.
    const schema = Math.round(exact) + 0;
    const fits = Number.isFinite(exact) && Math.abs(exact - schema) < 1e-6 && schema >= -4 && schema <= 8;
    if (!fits || (found !== undefined && found !== schema)) return undefined;
    found = schema;
  }
  return found;
}

function customBuckets(buckets: readonly Bucket[]) {
  const bounds = [...new Set(buckets.flatMap(({ lower, upper }) => [lower, upper]))]
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const [positiveOffset, positiveBuckets] = dense(
    buckets.map(({ upper, count }) => ({
      index: upper === Infinity ? bounds.length : bounds.indexOf(upper),
      count,
    })),
  );
  return { schema: CUSTOM_SCHEMA, customValues: bounds, positiveOffset, positiveBuckets };
}

function dense(buckets: { index: number; count: number }[]): [offset: number, counts: number[]] {
  if (buckets.length === 0) return [0, []];
  const offset = Math.min(...buckets.map(({ index }) => index));
  const last = Math.max(...buckets.map(({ index }) => index));
  const counts = Array.from({ length: last - offset + 1 }, () => 0);
  for (const { index, count } of buckets) counts[index - offset] = count;
  return [offset, counts];
}
