import type { PositionRange } from "../../parser/ast.ts";
import { type Annotations, notes } from "../annotations.ts";
import { add, multiply, subtract } from "../histogram/arithmetic.ts";
import { wasReset } from "../histogram/reset.ts";
import { type Histogram, usesCustomBuckets } from "../histogram/shape.ts";
import type { FloatSamples, HistogramSamples } from "../source-series.ts";

/**
 * The value on the line between two samples. Of a counter that was reset in between, the first counts as zero.
 */
export function interpolate(t1: number, v1: number, t2: number, v2: number, at: number, isCounter: boolean): number {
  const from = isCounter && v2 < v1 ? 0 : v1;
  return from + ((v2 - from) * (at - t1)) / (t2 - t1);
}

/** As `interpolate`; undefined when the two are of incompatible schemas. */
export function interpolateHistograms(
  annotations: Annotations,
  pos: PositionRange,
  t1: number,
  h1: Histogram,
  t2: number,
  h2: Histogram,
  at: number,
  isCounter: boolean,
): Histogram | undefined {
  if (at === t1) return h1;
  if (at === t2) return h2;
  const fraction = (at - t1) / (t2 - t1);
  if (isCounter && wasReset(h2, h1)) return multiply(h2, fraction);
  const difference = subtract(h2, h1);
  if (!difference) return undefined;
  if (difference.reconciled) annotations.info(notes.mismatchedBuckets("subtraction"), pos);
  const sum = add(multiply(difference.histogram, fraction), h1);
  if (!sum) return undefined;
  if (sum.reconciled) annotations.info(notes.mismatchedBuckets("addition"), pos);
  return sum.histogram;
}

/** The first index in lo ≤ i < hi at or after a time; hi when there is none. */
export function firstAtOrAfter(timestamps: Float64Array, lo: number, hi: number, timeMs: number): number {
  let low = lo;
  let high = hi;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timestamps[middle] as number) >= timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first index in lo ≤ i < hi after a time; hi when there is none. */
export function firstAfter(timestamps: Float64Array, lo: number, hi: number, timeMs: number): number {
  return firstAtOrAfter(timestamps, lo, hi, timeMs + 1);
}

/** A smoothed instant selector: the sample at the time, a point between its neighbours, or the one before. */
export function smoothFloats({ timestamps: t, values: v }: FloatSamples, lo: number, hi: number, at: number) {
  const i = firstAtOrAfter(t, lo, hi, at);
  if (i < hi && t[i] === at) return v[i];
  if (i === lo) return undefined;
  const before = v[i - 1] as number;
  return i < hi ? interpolate(t[i - 1] as number, before, t[i] as number, v[i] as number, at, false) : before;
}

export function smoothHistograms(
  annotations: Annotations,
  pos: PositionRange,
  metric: string,
  { timestamps: t, histograms }: HistogramSamples,
  lo: number,
  hi: number,
  at: number,
): Histogram | undefined {
  const i = firstAtOrAfter(t, lo, hi, at);
  const after = i < hi ? histograms[i] : undefined;
  if (after && t[i] === at) return after;
  const before = i > lo ? histograms[i - 1] : undefined;
  if (before === undefined) return undefined;
  if (after === undefined) return { ...before, counterReset: "unknown" };
  const isCounter = before.counterReset !== "gauge" || after.counterReset !== "gauge";
  const value =
    usesCustomBuckets(before) === usesCustomBuckets(after)
      ? interpolateHistograms(annotations, pos, t[i - 1] as number, before, t[i] as number, after, at, isCounter)
      : undefined;
  if (value === undefined) annotations.warn(notes.mixedSchemas(metric), pos);
  return value;
}
