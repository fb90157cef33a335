import { fractionBelow } from "./quantile.ts";
import {
  type Bucket,
  type Histogram,
  compact,
  negativeBuckets,
  positiveBuckets,
  usesCustomBuckets,
  zeroBucket,
} from "./shape.ts";

/** What is left of a bucket, and the value its observations are taken to have. */
interface Kept {
  count: number;
  midpoint: number;
}

/** Keeps the observations below a value (`</`) or above it (`>/`), estimated within the bucket that the value cuts. */
export function trimBuckets(h: Histogram, at: number, keepBelow: boolean): Histogram {
  const custom = usesCustomBuckets(h);
  let count = 0;
  let sum = 0;
  let trimmed = false;
  const keep = (bucket: Bucket, kept: Kept): number => {
    count += kept.count;
    sum += kept.midpoint * kept.count;
    trimmed ||= kept.count !== bucket.count;
    return kept.count;
  };
  const above = positiveBuckets(h);
  const below = negativeBuckets(h);
  const positive = refill(h.positiveBuckets, above, (b) => keep(b, trimBucket(b, at, keepBelow, true, custom)));
  const negative = refill(h.negativeBuckets, below, (b) => keep(b, trimBucket(b, at, keepBelow, false, custom)));
  let { zeroCount } = h;
  if (zeroCount > 0) {
    const bucket = zeroBucket(h);
    if (above.length > 0 && below.length === 0) bucket.lower = 0;
    if (below.length > 0 && above.length === 0) bucket.upper = 0;
    zeroCount = keep(bucket, trimZeroBucket(bucket, at, keepBelow));
  }
  if (!trimmed) return h;
  return compact({ ...h, count, sum, zeroCount, positiveBuckets: positive, negativeBuckets: negative });
}

/** The populated counts replaced by what is left of their buckets; empty ones stay. */
function refill(counts: readonly number[], buckets: readonly Bucket[], kept: (bucket: Bucket) => number): number[] {
  let next = 0;
  return counts.map((count) => {
    const bucket = count === 0 ? undefined : buckets[next++];
    return bucket === undefined ? count : kept(bucket);
  });
}

function trimBucket(bucket: Bucket, at: number, keepBelow: boolean, isPositive: boolean, linear: boolean): Kept {
  const { lower, upper, count } = bucket;
  if (keepBelow ? upper <= at : lower >= at) return { count, midpoint: midpoint(lower, upper, isPositive, linear) };
  if (!(keepBelow ? lower < at : upper > at)) return { count: 0, midpoint: 0 };
  if (lower === -Infinity || upper === Infinity) return trimInfinite(bucket, at, keepBelow);
  const under = countBelow(bucket, at, linear);
  return keepBelow
    ? { count: under, midpoint: midpoint(lower, at, isPositive, linear) }
    : { count: count - under, midpoint: midpoint(at, upper, isPositive, linear) };
}

function countBelow(bucket: Bucket, at: number, linear: boolean): number {
  if (at <= bucket.lower) return 0;
  if (at >= bucket.upper) return bucket.count;
  return bucket.count * fractionBelow(bucket, at, linear);
}

function trimInfinite({ lower, upper, count }: Bucket, at: number, keepBelow: boolean): Kept {
  const finite = (value: number) => (Math.abs(value) === Infinity ? 0 : value);
  if (lower !== -Infinity) {
    if (keepBelow || at < lower) return { count: 0, midpoint: finite(lower) };
    return { count, midpoint: at };
  }
  if (keepBelow) {
    if (at >= upper) return { count, midpoint: 0 };
    if (at > 0 && upper > 0 && upper !== Infinity) return { count: (count * at) / upper, midpoint: at / 2 };
    return upper <= 0 ? { count, midpoint: at } : { count: 0, midpoint: finite(upper) };
  }
  if (at <= lower) return { count, midpoint: 0 };
  if (at >= 0 && upper > at && upper !== Infinity)
    return { count: count * (1 - at / upper), midpoint: (at + upper) / 2 };
  return { count: 0, midpoint: finite(upper) };
}

function trimZeroBucket({ lower, upper, count }: Bucket, at: number, keepBelow: boolean): Kept {
  const all = { count, midpoint: (lower + upper) / 2 };
  const none = { count: 0, midpoint: 0 };
  if (at <= lower) return keepBelow ? none : all;
  if (at >= upper) return keepBelow ? all : none;
  return keepBelow
    ? { count: count * ((at - lower) / (upper - lower)), midpoint: (lower + at) / 2 }
    : { count: count * ((upper - at) / (upper - lower)), midpoint: (at + upper) / 2 };
}

function midpoint(lower: number, upper: number, isPositive: boolean, linear: boolean): number {
  if (Math.abs(lower) === Infinity) {
    if (Math.abs(upper) === Infinity) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (Math.abs(upper) === Infinity) return lower;
  if (linear) return (lower + upper) / 2;
  const mean = Math.sqrt(Math.abs(lower * upper));
  return isPositive ? mean : -mean;
}
