import { notes } from "../annotations.ts";
import type { ColumnBuilder } from "../column.ts";
import { add, divide, subtract } from "../histogram/arithmetic.ts";
import { wasReset } from "../histogram/reset.ts";
import { type Histogram, compact, usesCustomBuckets } from "../histogram/shape.ts";
import { firstAfter, firstAtOrAfter, interpolate, interpolateHistograms } from "./interpolation.ts";
import type { Window } from "./window.ts";

/**
 * The samples that stand for the edges of an anchored or smoothed range: the last one at or before its start, and the
 * last one (anchored) or the first one at or after its end (smoothed).
 */
function edges(
  w: Window,
  timestamps: Float64Array,
  lo: number,
  hi: number,
): { first: number; last: number } | undefined {
  const first = Math.max(lo, firstAfter(timestamps, lo, hi - 1, w.startMs) - 1);
  const last = w.call.smoothed ? firstAtOrAfter(timestamps, lo, hi - 1, w.endMs) : hi - 1;
  if ((timestamps[last] as number) <= w.startMs) return undefined;
  if (w.call.smoothed && (timestamps[first] as number) > w.endMs) return undefined;
  return { first, last };
}

/** rate, increase and delta of anchored and smoothed ranges: from edge to edge, with nothing extrapolated. */
export function extendedRate(
  w: Window,
  column: ColumnBuilder,
  step: number,
  isCounter: boolean,
  isRate: boolean,
): void {
  const { t, v } = w;
  const found = edges(w, t, w.lo, w.hi);
  if (found === undefined) return;
  const { left, right, first, last } = floatEdges(w, found.first, found.last, isCounter);
  let result = right - left;
  if (isCounter) {
    let previous = left;
    let correction = 0;
    for (let i = first; i <= last; i++) {
      if ((v[i] as number) < previous) correction += previous;
      previous = v[i] as number;
    }
    if (right < previous) correction += previous;
    result += correction;
  }
  column.setFloat(step, isRate ? result / (w.call.rangeMs / 1000) : result);
}

/** The values at both edges, and the samples strictly within the range: first ≤ i ≤ last. */
function floatEdges(w: Window, first: number, last: number, isCounter: boolean) {
  const { t, v, startMs, endMs, call } = w;
  const between = (i: number, at: number) =>
    interpolate(t[i] as number, v[i] as number, t[i + 1] as number, v[i + 1] as number, at, isCounter);
  const isBefore = (t[first] as number) < startMs;
  const isAfter = last > w.lo && (t[last] as number) > endMs;
  return {
    left: call.smoothed && isBefore ? between(first, startMs) : (v[first] as number),
    right: call.smoothed && isAfter ? between(last - 1, endMs) : (v[last] as number),
    first: (t[first] as number) <= startMs ? first + 1 : first,
    last: (t[last] as number) >= endMs ? last - 1 : last,
  };
}

/** The samples of an anchored or smoothed range selector on its own: with the values at its edges. */
export function extendedSamples(w: Window): { timestamps: Float64Array; values: Float64Array } | undefined {
  if (w.floatCount === 0) return undefined;
  const { t, v, lo, hi, startMs, endMs } = w;
  const firstAt = Math.max(lo, firstAfter(t, lo, hi - 1, startMs) - 1);
  const lastAt = w.call.smoothed ? firstAtOrAfter(t, lo, hi - 1, endMs) : hi - 1;
  if ((t[lastAt] as number) <= startMs) return undefined;
  const { left, right, first, last } = floatEdges(w, firstAt, lastAt, false);
  const within = Math.max(last - first + 1, 0);
  const timestamps = new Float64Array(within + 2);
  const values = new Float64Array(within + 2);
  timestamps.set(t.subarray(first, first + within), 1);
  values.set(v.subarray(first, first + within), 1);
  timestamps[0] = startMs;
  values[0] = left;
  timestamps[within + 1] = endMs;
  values[within + 1] = right;
  return { timestamps, values };
}

export function extendedHistogramRate(
  w: Window,
  column: ColumnBuilder,
  step: number,
  isCounter: boolean,
  isRate: boolean,
): void {
  const found = edges(w, w.ht, w.hlo, w.hhi);
  if (found === undefined || !areConsistent(w, found.first, found.last, isCounter)) return;
  const { first, last } = found;
  const left = leftEdge(w, first, isCounter);
  const right = left && rightEdge(w, last, isCounter);
  if (left === undefined || right === undefined) return w.warn(notes.mixedSchemas(w.metric));
  if (!isCounter && (left.counterReset !== "gauge" || right.counterReset !== "gauge")) w.warn(notes.notGauge(w.metric));
  const difference = subtract(right, left);
  if (difference === undefined) return w.warn(notes.mixedSchemas(w.metric));
  if (difference.reconciled) w.info(notes.mismatchedBuckets("subtraction"));
  const lost = isCounter ? resetsBetween(w, first, last, left, right) : [];
  let result: Histogram | undefined = difference.histogram;
  if (lost.length > 0) {
    const correction = sumUp(w, lost);
    result = correction && sumUp(w, [result, correction]);
  }
  if (result === undefined) return w.warn(notes.mixedSchemas(w.metric));
  if (isRate) result = divide(result, w.call.rangeMs / 1000);
  column.setHistogram(step, compact({ ...result, counterReset: "gauge" }));
}

function sumUp(w: Window, [first, ...rest]: readonly Histogram[]): Histogram | undefined {
  let sum = first;
  for (const next of rest) {
    const added: ReturnType<typeof add> = sum && add(sum, next);
    if (added?.reconciled) w.info(notes.mismatchedBuckets("addition"));
    sum = added?.histogram;
  }
  return sum;
}

function areConsistent(w: Window, first: number, last: number, isCounter: boolean): boolean {
  const custom = usesCustomBuckets(w.h[first] as Histogram);
  for (let i = first; i <= last; i++) {
    const h = w.h[i] as Histogram;
    if (usesCustomBuckets(h) !== custom) {
      w.warn(notes.mixedSchemas(w.metric));
      return false;
    }
    if (isCounter && h.counterReset === "gauge") w.warn(notes.notCounter(w.metric));
  }
  return true;
}

function between(w: Window, i: number, at: number, isCounter: boolean): Histogram | undefined {
  const { ht, h, call } = w;
  const [h1, h2] = [h[i] as Histogram, h[i + 1] as Histogram];
  return interpolateHistograms(call.notes, call.pos, ht[i] as number, h1, ht[i + 1] as number, h2, at, isCounter);
}

function leftEdge(w: Window, first: number, isCounter: boolean): Histogram | undefined {
  const isBefore = w.call.smoothed && (w.ht[first] as number) < w.startMs;
  return isBefore ? between(w, first, w.startMs, isCounter) : w.h[first];
}

function rightEdge(w: Window, last: number, isCounter: boolean): Histogram | undefined {
  const isAfter = w.call.smoothed && last > w.hlo && (w.ht[last] as number) > w.endMs;
  return isAfter ? between(w, last - 1, w.endMs, isCounter) : w.h[last];
}

/** What a counter had reached at each reset between the edges. */
function resetsBetween(w: Window, first: number, last: number, left: Histogram, right: Histogram): Histogram[] {
  const { h, ht } = w;
  let from = first + 1;
  let previous = left;
  const second = h[first + 1];
  if (w.call.smoothed && (ht[first] as number) < w.startMs && second && wasReset(second, h[first] as Histogram)) {
    // The left edge was interpolated across this reset and has made up for it.
    previous = second;
    from++;
  }
  if (from > last) return [];
  const lost: Histogram[] = [];
  for (const current of [...h.slice(from, last), right]) {
    if (wasReset(current, previous)) lost.push(previous);
    previous = current;
  }
  return lost;
}
