import { logarithm2, powerOfTwo } from "../functions/elementary.ts";
import { type Bucket, type Histogram, allBuckets, usesCustomBuckets } from "./shape.ts";

/** What NaN observations have done to an answer. */
export type NanEffect = "result" | "skew" | "excluded" | undefined;

export interface HistogramAnswer {
  value: number;
  nan: NanEffect;
}

const plain = (value: number): HistogramAnswer => ({ value, nan: undefined });

/**
 * The q-quantile of a native histogram: linear within custom buckets and the zero bucket, exponential within the
 * others. NaN observations count as larger than everything.
 */
export function histogramQuantile(q: number, h: Histogram): HistogramAnswer {
  if (q < 0) return plain(-Infinity);
  if (q > 1) return plain(Infinity);
  if (h.count === 0 || Number.isNaN(q)) return plain(Number.NaN);
  const hasNan = Number.isNaN(h.sum);
  const forward = hasNan || q < 0.5;
  const buckets = allBuckets(h);
  if (!forward) buckets.reverse();
  let rank = (forward ? q : 1 - q) * h.count;
  let count = 0;
  let at = 0;
  for (; at < buckets.length; at++) {
    count += buckets[at]?.count ?? 0;
    if (count >= rank) break;
  }
  const bucket: Bucket = buckets[Math.min(at, buckets.length - 1)] ?? {
    lower: 0,
    upper: 0,
    count: 0,
    lowerInclusive: false,
    upperInclusive: false,
  };
  const custom = usesCustomBuckets(h);
  if (custom) {
    if (bucket.lower === -Infinity) {
      if (bucket.upper <= 0) return plain(bucket.upper);
      bucket.lower = 0;
    } else if (bucket.upper === Infinity) {
      return plain(bucket.lower);
    }
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    narrowZeroBucket(bucket, h);
  }
  count = Math.min(count, h.count);
  if (count < rank) return hasNan ? { value: Number.NaN, nan: "result" } : plain(bucket.upper);
  rank = forward ? rank - (count - bucket.count) : count - rank;
  let nan: NanEffect;
  if (hasNan) {
    for (const later of buckets.slice(at + 1)) count += later.count;
    if (count < h.count) nan = "skew";
  }
  return { value: interpolate(bucket, rank / bucket.count, custom), nan };
}

/** With buckets on one side only, nothing was observed on the other side of zero. */
function narrowZeroBucket(bucket: Bucket, h: Histogram): void {
  const hasNegative = h.negativeBuckets.length > 0;
  const hasPositive = h.positiveBuckets.length > 0;
  if (hasPositive && !hasNegative) bucket.lower = 0;
  else if (hasNegative && !hasPositive) bucket.upper = 0;
}

function interpolate({ lower, upper }: Bucket, fraction: number, custom: boolean): number {
  if (custom || (lower <= 0 && upper >= 0)) return lower + (upper - lower) * fraction;
  const logLower = logarithm2(Math.abs(lower));
  const logUpper = logarithm2(Math.abs(upper));
  if (lower > 0) return powerOfTwo(logLower + (logUpper - logLower) * fraction);
  return -powerOfTwo(logUpper + (logLower - logUpper) * (1 - fraction));
}

/** The part of a bucket's width that lies below a value within it. */
export function fractionBelow({ lower, upper }: Bucket, value: number, linear: boolean): number {
  if (linear) return (value - lower) / (upper - lower);
  const logLower = logarithm2(Math.abs(lower));
  const logUpper = logarithm2(Math.abs(upper));
  const logValue = logarithm2(Math.abs(value));
  if (value > 0) return (logValue - logLower) / (logUpper - logLower);
  return 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** The share of observations between two values. */
export function histogramFraction(lower: number, upper: number, h: Histogram): HistogramAnswer {
  if (h.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return plain(Number.NaN);
  if (lower >= upper) return plain(0);
  const custom = usesCustomBuckets(h);
  const lowerEdge = new RankSearch(lower);
  const upperEdge = new RankSearch(upper);
  const buckets = allBuckets(h);
  let rank = 0;
  for (const bucket of buckets) {
    const isZero = bucket.lower <= 0 && bucket.upper >= 0;
    if (isZero) narrowZeroBucket(bucket, h);
    const rankWithin = (value: number) => {
      const linear = custom || isZero;
      if (linear && bucket.lower === -Infinity) return bucket.count;
      return rank + bucket.count * fractionBelow(bucket, value, linear);
    };
    lowerEdge.look(bucket.lower, bucket.upper, rank, rankWithin);
    upperEdge.look(bucket.lower, bucket.upper, rank, rankWithin);
    rank += bucket.count;
  }
  const hasNan = Number.isNaN(h.sum);
  const observed = hasNan ? buckets.reduce((sum, { count }) => sum + count, 0) : h.count;
  const value = (upperEdge.rankWithin(observed) - lowerEdge.rankWithin(observed)) / h.count;
  return { value, nan: hasNan && observed < h.count ? "excluded" : undefined };
}

/** Finds how many observations lie below a value, looking at buckets in rising order. */
class RankSearch {
  private readonly value: number;
  private rank: number | undefined;

  constructor(value: number) {
    this.value = value;
  }

  look(lower: number, upper: number, rankBefore: number, rankWithin: (value: number) => number): void {
    if (this.rank !== undefined) return;
    if (lower >= this.value) this.rank = rankBefore;
    else if (upper > this.value) this.rank = rankWithin(this.value);
  }

  rankWithin(total: number): number {
    return this.rank === undefined || this.rank > total ? total : this.rank;
  }
}

/** One bucket of a classic histogram: the count of everything up to a bound. */
export interface ClassicBucket {
  upperBound: number;
  count: number;
}

export interface ClassicQuantile {
  value: number;
  /** Set when counts fell from one bucket to the next and were raised. */
  forced: { minBucket: number; maxBucket: number; maxDiff: number } | undefined;
}

/** Differences between buckets that are smaller, relatively, come from rounding. */
const SMALL_DELTA = 1e-12;

/** The q-quantile of a classic histogram, linear within the bucket. */
export function classicQuantile(q: number, unsorted: readonly ClassicBucket[]): ClassicQuantile {
  const answer = (value: number): ClassicQuantile => ({ value, forced: undefined });
  if (Number.isNaN(q)) return answer(Number.NaN);
  if (q < 0) return answer(-Infinity);
  if (q > 1) return answer(Infinity);
  const buckets = mergeByBound(unsorted);
  const last = buckets.at(-1);
  if (last?.upperBound !== Infinity) return answer(Number.NaN);
  const forced = makeMonotonic(buckets);
  const value = buckets.length < 2 || last.count === 0 ? Number.NaN : quantileOf(q, buckets, last.count);
  return { value, forced };
}

function quantileOf(q: number, buckets: readonly ClassicBucket[], observations: number): number {
  const rank = q * observations;
  const lastFinite = buckets[buckets.length - 2]?.upperBound ?? Number.NaN;
  const at = firstIndex(buckets.length - 1, (i) => (buckets[i]?.count ?? 0) >= rank);
  const bucket = buckets[at];
  if (at === buckets.length - 1 || bucket === undefined) return lastFinite;
  const before = buckets[at - 1];
  if (before === undefined) {
    if (bucket.upperBound <= 0) return bucket.upperBound;
    return bucket.upperBound * (rank / bucket.count);
  }
  const width = bucket.upperBound - before.upperBound;
  return before.upperBound + width * ((rank - before.count) / (bucket.count - before.count));
}

/** The first index below n for which the condition holds, as a binary search finds it; n when none. */
function firstIndex(n: number, holds: (i: number) => boolean): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Sorted by bound, equal bounds summed. */
function mergeByBound(unsorted: readonly ClassicBucket[]): ClassicBucket[] {
  const merged: ClassicBucket[] = [];
  for (const bucket of unsorted.toSorted((a, b) => (a.upperBound === b.upperBound ? 0 : a.upperBound - b.upperBound))) {
    const last = merged.at(-1);
    if (last?.upperBound === bucket.upperBound) last.count += bucket.count;
    else merged.push({ ...bucket });
  }
  return merged;
}

function makeMonotonic(buckets: ClassicBucket[]): ClassicQuantile["forced"] {
  let forced: ClassicQuantile["forced"];
  let before = buckets[0]?.count ?? 0;
  for (const bucket of buckets.slice(1)) {
    const { count, upperBound } = bucket;
    if (count === before) continue;
    if (isAlmostEqual(before, count)) {
      bucket.count = before;
    } else if (count < before) {
      forced ??= { minBucket: Infinity, maxBucket: -Infinity, maxDiff: 0 };
      forced.minBucket = Math.min(forced.minBucket, upperBound);
      forced.maxBucket = Math.max(forced.maxBucket, upperBound);
      forced.maxDiff = Math.max(forced.maxDiff, before - count);
      bucket.count = before;
    } else {
      before = count;
    }
  }
  return forced;
}

function isAlmostEqual(a: number, b: number): boolean {
  if (Number.isNaN(a) && Number.isNaN(b)) return true;
  const sum = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  const smallest = 2 ** -1022;
  if (a === 0 || b === 0 || sum < smallest) return difference < SMALL_DELTA * smallest;
  return difference / Math.min(sum, Number.MAX_VALUE) < SMALL_DELTA;
}

/** The share of observations between two values in a classic histogram. */
export function classicFraction(lower: number, upper: number, unsorted: readonly ClassicBucket[]): number {
  const buckets = mergeByBound(unsorted);
  const last = buckets.at(-1);
  if (last?.upperBound !== Infinity) return Number.NaN;
  const total = last.count;
  if (total === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const lowerEdge = new RankSearch(lower);
  const upperEdge = new RankSearch(upper);
  let rank = 0;
  let from = (buckets[0]?.upperBound ?? 0) <= 0 ? -Infinity : 0;
  for (const { upperBound: to, count } of buckets) {
    const rankWithin = (value: number) =>
      from === -Infinity ? count : rank + ((count - rank) * (value - from)) / (to - from);
    lowerEdge.look(from, to, rank, rankWithin);
    upperEdge.look(from, to, rank, rankWithin);
    rank = count;
    from = to;
  }
  return (upperEdge.rankWithin(total) - lowerEdge.rankWithin(total)) / total;
}
