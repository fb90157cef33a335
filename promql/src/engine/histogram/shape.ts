import type { NativeHistogram } from "@tocsin/model";
import { formatShortest } from "../../parser/go-format.ts";
import { BOUNDS } from "./exponential-bounds.ts";

/** A histogram in the engine: never changed once made, so that samples and results may share it. */
export type Histogram = Readonly<NativeHistogram>;

const CUSTOM_SCHEMA = -53;
const FINEST_SCHEMA = 8;

export const usesCustomBuckets = (h: Histogram): boolean => h.schema === CUSTOM_SCHEMA;

/** The upper bound of a bucket by its index; the last one before infinity ends at the largest number. */
export function exponentialBound(index: number, schema: number): number {
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? Number.MAX_VALUE : scale(1, exponent);
  }
  const perOctave = 2 ** schema;
  const octave = Math.floor(index / perOctave);
  const fraction = BOUNDS[(index - octave * perOctave) << (FINEST_SCHEMA - schema)] ?? 0.5;
  const exponent = octave + 1;
  return fraction === 0.5 && exponent === 1025 ? Number.MAX_VALUE : scale(fraction, exponent);
}

/** fraction × 2^exponent without overflow or double rounding on the way. */
function scale(fraction: number, exponent: number): number {
  if (exponent > 1023) return fraction * 2 * 2 ** (exponent - 1);
  return exponent < -1000 ? fraction * 2 ** -1000 * 2 ** (exponent + 1000) : fraction * 2 ** exponent;
}

function bound(h: Histogram, index: number): number {
  if (!usesCustomBuckets(h)) return exponentialBound(index, h.schema);
  if (index < 0) return -Infinity;
  return h.customValues[index] ?? Infinity;
}

export interface Bucket {
  lower: number;
  upper: number;
  lowerInclusive: boolean;
  upperInclusive: boolean;
  count: number;
}

function positiveBucket(h: Histogram, index: number, count: number): Bucket {
  const lower = bound(h, index - 1);
  const upper = bound(h, index);
  const custom = usesCustomBuckets(h);
  const lowerInclusive = custom ? index === 0 : lower < 0;
  return { lower, upper, lowerInclusive, upperInclusive: custom || upper > 0, count };
}

function negativeBucket(h: Histogram, index: number, count: number): Bucket {
  const lower = -bound(h, index);
  const upper = -bound(h, index - 1);
  return { lower, upper, lowerInclusive: lower < 0, upperInclusive: upper > 0, count };
}

/** The populated positive buckets, from the lowest up. */
export function positiveBuckets(h: Histogram): Bucket[] {
  return populated(h.positiveBuckets, (i, count) => positiveBucket(h, h.positiveOffset + i, count));
}

/** The populated negative buckets, from the one nearest to zero down. */
export function negativeBuckets(h: Histogram): Bucket[] {
  return populated(h.negativeBuckets, (i, count) => negativeBucket(h, h.negativeOffset + i, count));
}

function populated(counts: readonly number[], make: (index: number, count: number) => Bucket): Bucket[] {
  const buckets: Bucket[] = [];
  for (const [i, count] of counts.entries()) if (count !== 0) buckets.push(make(i, count));
  return buckets;
}

export function zeroBucket(h: Histogram): Bucket {
  const { zeroThreshold, zeroCount } = h;
  return {
    lower: -zeroThreshold,
    upper: zeroThreshold,
    lowerInclusive: true,
    upperInclusive: true,
    count: zeroCount,
  };
}

/** All populated buckets, ascending; those next to the zero bucket begin or end at its threshold. */
export function allBuckets(h: Histogram): Bucket[] {
  const below = negativeBuckets(h).toReversed();
  const above = positiveBuckets(h);
  for (const bucket of below) if (bucket.upper < 0) bucket.upper = Math.min(bucket.upper, -h.zeroThreshold);
  for (const bucket of above) if (bucket.lower > 0) bucket.lower = Math.max(bucket.lower, h.zeroThreshold);
  return h.zeroCount > 0 ? [...below, zeroBucket(h), ...above] : [...below, ...above];
}

/** Without empty buckets at either end. */
export function compact(h: Histogram): Histogram {
  const positive = trim(h.positiveBuckets, h.positiveOffset);
  const negative = trim(h.negativeBuckets, h.negativeOffset);
  if (positive.buckets === h.positiveBuckets && negative.buckets === h.negativeBuckets) return h;
  return {
    ...h,
    positiveOffset: positive.offset,
    positiveBuckets: positive.buckets,
    negativeOffset: negative.offset,
    negativeBuckets: negative.buckets,
  };
}

function trim(buckets: number[], offset: number): { buckets: number[]; offset: number } {
  const first = buckets.findIndex((count) => count !== 0);
  if (first < 0) return { buckets: buckets.length === 0 ? buckets : [], offset: 0 };
  const last = buckets.findLastIndex((count) => count !== 0);
  if (first === 0 && last === buckets.length - 1) return { buckets, offset };
  return { buckets: buckets.slice(first, last + 1), offset: offset + first };
}

/** Whether both hold the same data, bit for bit. */
export function equalHistograms(a: Histogram, b: Histogram): boolean {
  if (a.schema !== b.schema || !Object.is(a.count, b.count) || !Object.is(a.sum, b.sum)) return false;
  if (a.zeroThreshold !== b.zeroThreshold || !Object.is(a.zeroCount, b.zeroCount)) return false;
  if (usesCustomBuckets(a) && !sameNumbers(a.customValues, b.customValues)) return false;
  const x = compact(a);
  const y = compact(b);
  return (
    sameBuckets(x.positiveBuckets, x.positiveOffset, y.positiveBuckets, y.positiveOffset) &&
    sameBuckets(x.negativeBuckets, x.negativeOffset, y.negativeBuckets, y.negativeOffset)
  );
}

export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

function sameBuckets(a: readonly number[], aOffset: number, b: readonly number[], bOffset: number): boolean {
  return sameNumbers(a, b) && (a.length === 0 || aOffset === bOffset);
}

/** `{count:4, sum:10, (1,2]:4}`: what count_values makes of a histogram. */
export function formatHistogram(h: Histogram): string {
  const buckets = [
    ...negativeBuckets(h).toReversed(),
    ...(h.zeroCount === 0 ? [] : [zeroBucket(h)]),
    ...positiveBuckets(h),
  ];
  const parts = buckets.map(({ lower, upper, lowerInclusive, upperInclusive, count }) => {
    const range = `${formatShortest(lower)},${formatShortest(upper)}`;
    return `${lowerInclusive ? "[" : "("}${range}${upperInclusive ? "]" : ")"}:${formatShortest(count)}`;
  });
  return `{${[`count:${formatShortest(h.count)}`, `sum:${formatShortest(h.sum)}`, ...parts].join(", ")}}`;
}

/** How many float samples it weighs in the sample limit. */
export function sampleWeight(h: Histogram): number {
  const spans = (h.positiveBuckets.length > 0 ? 1 : 0) + (h.negativeBuckets.length > 0 ? 1 : 0);
  const numbers = h.positiveBuckets.length + h.negativeBuckets.length + h.customValues.length + spans;
  return Math.floor((176 + numbers * 8) / 16);
}
