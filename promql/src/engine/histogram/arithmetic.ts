import { KahanSum } from "../kahan.ts";
import { type Histogram, compact, exponentialBound, sameNumbers, usesCustomBuckets } from "./shape.ts";

/** Scales every count and the sum. A negative factor makes it a gauge. */
export function multiply(h: Histogram, factor: number): Histogram {
  return scaleBy(h, factor, (value) => value * factor);
}

/** Dividing by zero leaves no buckets. */
export function divide(h: Histogram, divisor: number): Histogram {
  const scaled = scaleBy(h, divisor, (value) => value / divisor);
  return divisor === 0 ? { ...scaled, positiveBuckets: [], negativeBuckets: [] } : scaled;
}

function scaleBy(h: Histogram, by: number, scaled: (value: number) => number): Histogram {
  // Empty buckets only fill gaps here, and must not become NaN.
  const bucket = (count: number) => (count === 0 ? 0 : scaled(count));
  return {
    ...h,
    count: scaled(h.count),
    sum: scaled(h.sum),
    zeroCount: scaled(h.zeroCount),
    positiveBuckets: h.positiveBuckets.map(bucket),
    negativeBuckets: h.negativeBuckets.map(bucket),
    counterReset: by < 0 ? "gauge" : h.counterReset,
  };
}

export interface Combination {
  histogram: Histogram;
  /** One said that a counter was reset, the other that it was not. */
  collision: boolean;
  /** Custom bounds differed, and only the common ones are left. */
  reconciled: boolean;
}

export const add = (a: Histogram, b: Histogram): Combination | undefined => combine(a, b, 1);
export const subtract = (a: Histogram, b: Histogram): Combination | undefined => combine(a, b, -1);

/** Undefined when one has exponential and the other custom buckets. */
function combine(a: Histogram, b: Histogram, sign: 1 | -1): Combination | undefined {
  if (usesCustomBuckets(a) !== usesCustomBuckets(b)) return undefined;
  const { hint, collision } = combinedHint(a, b);
  const totals = { count: a.count + sign * b.count, sum: a.sum + sign * b.sum, counterReset: hint };
  if (usesCustomBuckets(a)) {
    const reconciled = !sameNumbers(a.customValues, b.customValues);
    const buckets = reconciled
      ? mapToCommonBounds(a, b, sign)
      : addDense(dense(a.positiveBuckets, a.positiveOffset), dense(b.positiveBuckets, b.positiveOffset), sign);
    const customValues = reconciled ? commonBounds(a.customValues, b.customValues) : a.customValues;
    const histogram = {
      ...a,
      ...totals,
      customValues,
      positiveOffset: buckets.offset,
      positiveBuckets: buckets.counts,
    };
    return { histogram, collision, reconciled };
  }
  const { base, otherZeroCount } = reconcileZero(a, b);
  const schema = Math.min(a.schema, b.schema);
  const side = (which: "positive" | "negative") => {
    const own = reduce(sideOf(base, which), a.schema, schema);
    const other = reduce(sideOf(b, which), b.schema, schema);
    return addDense(own, aboveThreshold(other, schema, base.zeroThreshold), sign);
  };
  const positive = side("positive");
  const negative = side("negative");
  const histogram: Histogram = {
    ...base,
    ...totals,
    schema,
    zeroCount: base.zeroCount + sign * otherZeroCount,
    positiveOffset: positive.offset,
    positiveBuckets: positive.counts,
    negativeOffset: negative.offset,
    negativeBuckets: negative.counts,
  };
  return { histogram, collision, reconciled: false };
}

/** A sum of histograms with what rounding has lost of every number in it; nothing yet when `lost` is undefined. */
export interface CompensatedHistogram {
  sum: Histogram;
  lost: Histogram | undefined;
}

export interface CompensatedCombination extends CompensatedHistogram {
  reconciled: boolean;
}

function zeroLike(h: Histogram): Histogram {
  return {
    ...h,
    count: 0,
    sum: 0,
    zeroCount: 0,
    positiveBuckets: h.positiveBuckets.map(() => 0),
    negativeBuckets: h.negativeBuckets.map(() => 0),
  };
}

/** Adds with compensation. Undefined when one has exponential and the other custom buckets. */
export function addCompensated(to: CompensatedHistogram, other: Histogram): CompensatedCombination | undefined {
  const { sum: a, lost: c = zeroLike(a) } = to;
  if (usesCustomBuckets(a) !== usesCustomBuckets(other)) return undefined;
  const { hint } = combinedHint(a, other);
  const count = compensated(a.count, c.count, other.count);
  const sum = compensated(a.sum, c.sum, other.sum);
  const totals = { count: count.sum, sum: sum.sum, counterReset: hint };
  const totalsLost = { count: count.lost, sum: sum.lost, counterReset: hint };
  if (usesCustomBuckets(a)) {
    const reconciled = !sameNumbers(a.customValues, other.customValues);
    const customValues = reconciled ? commonBounds(a.customValues, other.customValues) : a.customValues;
    const own = { ...dense(a.positiveBuckets, a.positiveOffset), lost: c.positiveBuckets };
    const added = reconciled
      ? mapToCommonBoundsCompensated(own, a.customValues, other, customValues)
      : addDenseCompensated(own, dense(other.positiveBuckets, other.positiveOffset));
    const shape = { customValues, positiveOffset: added.offset };
    return {
      sum: { ...a, ...totals, ...shape, positiveBuckets: added.counts },
      lost: { ...c, ...totalsLost, ...shape, positiveBuckets: added.lost },
      reconciled,
    };
  }
  const { base, lost, otherZeroCount } = reconcileZero(a, other, c);
  const zero = compensated(base.zeroCount, lost.zeroCount, otherZeroCount);
  const schema = Math.min(a.schema, other.schema);
  const side = (which: "positive" | "negative") => {
    const own = { ...sideOf(base, which), lost: sideOf(lost, which).counts };
    const reduced = reduceCompensated(own, a.schema, schema);
    const source = sideOf(other, which);
    const added = reduceCompensated({ ...source, lost: source.counts.map(() => 0) }, other.schema, schema);
    return addDenseCompensated(reduced, aboveThreshold(added, schema, base.zeroThreshold));
  };
  const positive = side("positive");
  const negative = side("negative");
  const shape = {
    schema,
    zeroThreshold: base.zeroThreshold,
    positiveOffset: positive.offset,
    negativeOffset: negative.offset,
  };
  return {
    sum: {
      ...base,
      ...totals,
      ...shape,
      zeroCount: zero.sum,
      positiveBuckets: positive.counts,
      negativeBuckets: negative.counts,
    },
    lost: {
      ...lost,
      ...totalsLost,
      ...shape,
      zeroCount: zero.lost,
      positiveBuckets: positive.lost,
      negativeBuckets: negative.lost,
    },
    reconciled: false,
  };
}

function compensated(sum: number, lost: number, value: number): KahanSum {
  const kahan = new KahanSum(sum, lost);
  kahan.add(value);
  return kahan;
}

export function hasOverflow(h: Histogram): boolean {
  const isInfinite = (value: number) => value === Infinity || value === -Infinity;
  return (
    [h.zeroCount, h.count, h.sum].some(isInfinite) ||
    h.positiveBuckets.some(isInfinite) ||
    h.negativeBuckets.some(isInfinite) ||
    h.customValues.some(isInfinite)
  );
}

/** In a coarser exponential schema; what it knew of counter resets is not carried over. */
export function toSchema(h: Histogram, schema: number): Histogram {
  if (h.schema === schema) return h;
  const positive = reduce(sideOf(h, "positive"), h.schema, schema);
  const negative = reduce(sideOf(h, "negative"), h.schema, schema);
  return {
    ...h,
    schema,
    counterReset: "unknown",
    positiveOffset: positive.offset,
    positiveBuckets: positive.counts,
    negativeOffset: negative.offset,
    negativeBuckets: negative.counts,
  };
}

function combinedHint(a: Histogram, b: Histogram): { hint: Histogram["counterReset"]; collision: boolean } {
  const [x, y] = [a.counterReset, b.counterReset];
  if (x === y) return { hint: x, collision: false };
  if (x === "gauge" || y === "gauge") return { hint: "gauge", collision: false };
  return { hint: "unknown", collision: x !== "unknown" && y !== "unknown" };
}

/** Bucket counts without gaps, the first at an index. */
export interface Dense {
  offset: number;
  counts: number[];
}
interface DenseCompensated extends Dense {
  lost: number[];
}

const dense = (counts: number[], offset: number): Dense => ({ counts, offset });

export function sideOf(h: Histogram, side: "positive" | "negative"): Dense {
  return side === "positive" ? dense(h.positiveBuckets, h.positiveOffset) : dense(h.negativeBuckets, h.negativeOffset);
}

const coarserIndex = (index: number, by: number): number => ((index - 1) >> by) + 1;

export function reduce(side: Dense, from: number, to: number): Dense {
  if (from === to || side.counts.length === 0) return side;
  const by = from - to;
  const offset = coarserIndex(side.offset, by);
  const counts = emptyCounts(coarserIndex(side.offset + side.counts.length - 1, by) - offset + 1);
  for (const [i, count] of side.counts.entries()) {
    const at = coarserIndex(side.offset + i, by) - offset;
    counts[at] = (counts[at] ?? 0) + count;
  }
  return { offset, counts };
}

function reduceCompensated(side: DenseCompensated, from: number, to: number): DenseCompensated {
  if (from === to || side.counts.length === 0) return side;
  const by = from - to;
  const offset = coarserIndex(side.offset, by);
  const sums: (KahanSum | undefined)[] = Array.from({
    length: coarserIndex(side.offset + side.counts.length - 1, by) - offset + 1,
  });
  for (const [i, count] of side.counts.entries()) {
    const at = coarserIndex(side.offset + i, by) - offset;
    const lost = side.lost[i] ?? 0;
    const sum = sums[at];
    if (sum === undefined) {
      sums[at] = new KahanSum(count, lost);
    } else {
      sum.add(count);
      sum.add(lost);
    }
  }
  return { offset, counts: sums.map((sum) => sum?.sum ?? 0), lost: sums.map((sum) => sum?.lost ?? 0) };
}

const emptyCounts = (length: number): number[] => Array.from({ length }, () => 0);

/** Without the buckets that lie within the zero bucket, which has their counts already. */
function aboveThreshold<T extends Dense>(side: T, schema: number, threshold: number): T {
  let first = 0;
  while (first < side.counts.length && exponentialBound(side.offset + first, schema) <= threshold) first++;
  if (first === 0) return side;
  const cut = { ...side, offset: side.offset + first, counts: side.counts.slice(first) };
  return "lost" in side ? { ...cut, lost: (side.lost as number[]).slice(first) } : cut;
}

function addDense(a: Dense, b: Dense, sign: 1 | -1): Dense {
  if (b.counts.length === 0) return a;
  const sum = widen(a, b);
  for (const [i, count] of b.counts.entries()) {
    const at = b.offset + i - sum.offset;
    sum.counts[at] = (sum.counts[at] ?? 0) + sign * count;
  }
  return sum;
}

/** A copy of a that has room for the buckets of b. */
function widen(a: Dense, b: Dense): Dense {
  if (a.counts.length === 0) return { offset: b.offset, counts: emptyCounts(b.counts.length) };
  const offset = Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  const counts = emptyCounts(end - offset);
  for (const [i, count] of a.counts.entries()) counts[a.offset - offset + i] = count;
  return { offset, counts };
}

function addDenseCompensated(a: DenseCompensated, b: Dense & { lost?: number[] }): DenseCompensated {
  if (b.counts.length === 0) return a;
  const { offset, counts } = widen(a, b);
  const { counts: lost } = widen({ offset: a.offset, counts: a.lost }, b);
  for (const [i, count] of b.counts.entries()) {
    const at = b.offset + i - offset;
    const sum = compensated(counts[at] ?? 0, lost[at] ?? 0, count);
    const otherLost = b.lost?.[i] ?? 0;
    if (otherLost !== 0) sum.add(otherLost);
    counts[at] = sum.sum;
    lost[at] = sum.lost;
  }
  return { offset, counts, lost };
}

/**
 * Widens the smaller zero bucket until both thresholds agree and neither cuts a populated bucket. Gives the first
 * histogram so changed, and the zero count the other would have.
 */
function reconcileZero(
  a: Histogram,
  b: Histogram,
  lost: Histogram = a,
): { base: Histogram; lost: Histogram; otherZeroCount: number } {
  let base = a;
  let baseLost = lost;
  let otherZeroCount = b.zeroCount;
  let otherThreshold = b.zeroThreshold;
  while (otherThreshold !== base.zeroThreshold) {
    if (base.zeroThreshold > otherThreshold) {
      const widened = zeroCountAt(b, base.zeroThreshold);
      otherZeroCount = widened.count;
      otherThreshold = widened.threshold;
    }
    if (otherThreshold > base.zeroThreshold) {
      const {
        count,
        lost: countLost,
        threshold,
      } = zeroCountAt(base, otherThreshold, lost === a ? undefined : baseLost);
      base = emptyBelow({ ...base, zeroCount: count, zeroThreshold: threshold }, base.schema);
      baseLost = emptyBelow({ ...baseLost, zeroCount: countLost, zeroThreshold: threshold }, base.schema);
    }
  }
  return { base, lost: baseLost, otherZeroCount };
}

function emptyBelow(h: Histogram, schema: number): Histogram {
  const emptied = (side: Dense) =>
    side.counts.map((count, i) => (exponentialBound(side.offset + i - 1, schema) < h.zeroThreshold ? 0 : count));
  return {
    ...h,
    positiveBuckets: emptied(sideOf(h, "positive")),
    negativeBuckets: emptied(sideOf(h, "negative")),
  };
}

/**
 * The zero count with a larger threshold. A threshold within a populated bucket moves up to its end, and the bucket
 * counts too.
 */
export function zeroCountAt(
  h: Histogram,
  largerThreshold: number,
  lost?: Histogram,
): { count: number; lost: number; threshold: number } {
  if (largerThreshold === h.zeroThreshold)
    return { count: h.zeroCount, lost: lost?.zeroCount ?? 0, threshold: largerThreshold };
  for (let threshold = largerThreshold; ;) {
    const sum = new KahanSum(h.zeroCount, lost?.zeroCount ?? 0);
    threshold = swallow(sideOf(h, "positive"), lost?.positiveBuckets, h.schema, threshold, sum);
    const afterNegative = swallow(sideOf(h, "negative"), lost?.negativeBuckets, h.schema, threshold, sum);
    if (afterNegative === threshold) return { count: sum.sum, lost: sum.lost, threshold };
    threshold = afterNegative;
  }
}

/** Adds the buckets below the threshold to the sum, and gives the threshold, moved up if it cuts a bucket. */
function swallow(
  side: Dense,
  lost: readonly number[] | undefined,
  schema: number,
  threshold: number,
  sum: KahanSum,
): number {
  for (const [i, count] of side.counts.entries()) {
    const index = side.offset + i;
    if (exponentialBound(index - 1, schema) >= threshold) break;
    sum.add(count);
    if (lost) sum.add(lost[i] ?? 0);
    const upper = exponentialBound(index, schema);
    if (upper > threshold) return count === 0 ? threshold : upper;
  }
  return threshold;
}

export function commonBounds(a: readonly number[], b: readonly number[]): number[] {
  const known = new Set(b);
  return a.filter((value) => known.has(value));
}

function mapToCommonBounds(a: Histogram, b: Histogram, sign: 1 | -1): Dense {
  const bounds = commonBounds(a.customValues, b.customValues);
  const sums = Array.from({ length: bounds.length + 1 }, () => new KahanSum());
  eachMapped(sideOf(a, "positive"), a.customValues, bounds, (target, count) => sums[target]?.add(count));
  eachMapped(sideOf(b, "positive"), b.customValues, bounds, (target, count) => sums[target]?.add(sign * count));
  const { positiveOffset, positiveBuckets } = compact({
    ...a,
    positiveOffset: 0,
    positiveBuckets: sums.map(({ sum }) => sum),
  });
  return dense(positiveBuckets, positiveOffset);
}

function mapToCommonBoundsCompensated(
  own: DenseCompensated,
  ownBounds: readonly number[],
  other: Histogram,
  bounds: readonly number[],
): DenseCompensated {
  const sums = Array.from({ length: bounds.length + 1 }, () => new KahanSum());
  eachMapped(own, ownBounds, bounds, (target, count, i) => {
    sums[target]?.add(count);
    sums[target]?.add(own.lost[i] ?? 0);
  });
  eachMapped(sideOf(other, "positive"), other.customValues, bounds, (target, count) => sums[target]?.add(count));
  return { offset: 0, counts: sums.map(({ sum }) => sum), lost: sums.map(({ lost }) => lost) };
}

/** Calls with the index each bucket gets among the target bounds. */
function eachMapped(
  side: Dense,
  bounds: readonly number[],
  targets: readonly number[],
  visit: (target: number, count: number, i: number) => void,
): void {
  let target = 0;
  for (const [i, count] of side.counts.entries()) {
    const upper = bounds[side.offset + i];
    if (upper === undefined) target = targets.length;
    else while (target < targets.length && (targets[target] ?? Infinity) < upper) target++;
    visit(target, count, i);
  }
}
