import { notes } from "../annotations.ts";
import type { ColumnBuilder } from "../column.ts";
import { add, divide, multiply, subtract } from "../histogram/arithmetic.ts";
import { wasReset } from "../histogram/reset.ts";
import { type Histogram, compact } from "../histogram/shape.ts";
import { extendedHistogramRate, extendedRate } from "./extended-rate.ts";
import { histogramIncrease } from "./histogram-rate.ts";
import { isStartTimeReset, startTimesOverlap } from "./start-time.ts";
import type { RangeFunction, Window } from "./window.ts";

export const rate: RangeFunction = (window, column, step) => extrapolatedRate(window, column, step, true, true);
export const increase: RangeFunction = (window, column, step) => extrapolatedRate(window, column, step, true, false);
export const delta: RangeFunction = (window, column, step) => extrapolatedRate(window, column, step, false, false);

function extrapolatedRate(w: Window, column: ColumnBuilder, step: number, isCounter: boolean, isRate: boolean): void {
  if (w.floatCount > 0 && w.histogramCount > 0) return w.warn(notes.mixedFloatsHistograms(w.metric));
  if (w.call.anchored || w.call.smoothed) {
    if (w.histogramCount > 0) extendedHistogramRate(w, column, step, isCounter, isRate);
    else extendedRate(w, column, step, isCounter, isRate);
  } else if (w.histogramCount > 0) {
    histogramRate(w, column, step, isCounter, isRate);
  } else {
    floatRate(w, column, step, isCounter, isRate);
  }
}

function floatRate(w: Window, column: ColumnBuilder, step: number, isCounter: boolean, isRate: boolean): void {
  const { t, v, lo } = w;
  const last = w.hi - 1;
  const starts = isCounter ? w.starts : undefined;
  const start = usableStart(w, starts, lo, t[lo] as number);
  if (lo === last && start === undefined) return;
  const first = v[lo] as number;
  let result = (v[last] as number) - first;
  if (isCounter) result = starts ? addResetsByStart(w, starts, result) : w.addResets(result);
  if (start !== undefined) result += first;
  const zeroShare = start === undefined && isCounter && result > 0 && first >= 0 ? first / result : undefined;
  const factor = extrapolationFactor(w, t[lo] as number, t[last] as number, last - lo, start, zeroShare);
  column.setFloat(step, result * (isRate ? factor / (w.call.rangeMs / 1000) : factor));
}

function histogramRate(w: Window, column: ColumnBuilder, step: number, isCounter: boolean, isRate: boolean): void {
  const { ht, h, hlo } = w;
  const last = w.hhi - 1;
  const first = h[hlo] as Histogram;
  let result: Histogram | undefined;
  if (last > hlo) {
    result = histogramIncrease(w, isCounter);
    if (result === undefined) return;
  }
  const start = usableStart(w, isCounter ? w.histogramStarts : undefined, hlo, ht[hlo] as number);
  if (start !== undefined) {
    const sum = result ? add(result, first) : { histogram: first, reconciled: false };
    if (sum === undefined) return w.warn(notes.mixedSchemas(w.metric));
    if (sum.reconciled) w.info(notes.mismatchedBuckets("addition"));
    result = sum.histogram;
  }
  if (result === undefined) return;
  const hasZeroPoint = start === undefined && isCounter && result.count > 0 && first.count >= 0;
  const zeroShare = hasZeroPoint ? first.count / result.count : undefined;
  const factor = extrapolationFactor(w, ht[hlo] as number, ht[last] as number, last - hlo, start, zeroShare);
  column.setHistogram(step, multiply(result, isRate ? factor / (w.call.rangeMs / 1000) : factor));
}

/** When the first sample's counter began within the range, that is where it was zero. */
function usableStart(w: Window, starts: Float64Array | undefined, first: number, firstMs: number): number | undefined {
  const start = starts?.[first] ?? 0;
  return start !== 0 && start > w.startMs && start < firstMs ? start : undefined;
}

/**
 * By how much the increase between first and last sample grows when taken to the edges of the range: all the way where
 * a sample is near (up to 1.1 times the usual distance), else by half that distance; never beyond where a counter
 * would have been zero.
 */
function extrapolationFactor(
  w: Window,
  firstMs: number,
  lastMs: number,
  gaps: number,
  counterStartMs: number | undefined,
  zeroShare: number | undefined,
): number {
  let sampled = (lastMs - firstMs) / 1000;
  const average = gaps > 0 ? sampled / gaps : 0;
  const threshold = average * 1.1;
  let toStart = (firstMs - w.startMs) / 1000;
  let toEnd = (w.endMs - lastMs) / 1000;
  if (counterStartMs === undefined) {
    if (toStart >= threshold) toStart = average / 2;
    if (zeroShare !== undefined) {
      const toZero = sampled * zeroShare;
      if (toZero < toStart) toStart = toZero;
    }
  } else {
    toStart = 0;
    sampled = (lastMs - counterStartMs) / 1000;
  }
  if (toEnd >= threshold) toEnd = average / 2;
  return sampled === 0 ? 1 : (sampled + toStart + toEnd) / sampled;
}

function addResetsByStart(w: Window, starts: Float64Array, base: number): number {
  let sum = base;
  let overlaps = false;
  for (let i = w.lo + 1; i < w.hi; i++) {
    const pair = {
      previousStart: starts[i - 1] as number,
      previousTime: w.t[i - 1] as number,
      start: starts[i] as number,
      time: w.t[i] as number,
    };
    if (!overlaps && startTimesOverlap(pair)) {
      overlaps = true;
      w.call.notes.startTimeOverlap(w.metric, w.call.pos);
    }
    if ((w.v[i] as number) < (w.v[i - 1] as number) || isStartTimeReset(pair)) sum += w.v[i - 1] as number;
  }
  return sum;
}

export const irate: RangeFunction = (window, column, step) => instantDelta(window, column, step, true);
export const idelta: RangeFunction = (window, column, step) => instantDelta(window, column, step, false);

interface LastSample {
  time: number;
  start: number;
  value: number;
  histogram: Histogram | undefined;
}

function instantDelta(w: Window, column: ColumnBuilder, step: number, isRate: boolean): void {
  const [earlier, later] = lastTwo(w);
  if (earlier === undefined || later === undefined) return;
  const ms = later.time - earlier.time;
  if (ms === 0) return;
  const pair = {
    previousStart: earlier.start,
    previousTime: earlier.time,
    start: later.start,
    time: later.time,
  };
  const restarted = isRate && isStartTimeReset(pair);
  if (later.histogram && earlier.histogram) {
    const difference = histogramDelta(w, earlier.histogram, later.histogram, isRate, restarted);
    if (difference) column.setHistogram(step, isRate ? divide(difference, ms / 1000) : difference);
  } else if (later.histogram || earlier.histogram) {
    w.warn(notes.mixedFloatsHistograms(w.metric));
  } else {
    const fell = isRate && (later.value < earlier.value || restarted);
    const difference = fell ? later.value : later.value - earlier.value;
    column.setFloat(step, isRate ? difference / (ms / 1000) : difference);
  }
}

function lastTwo(w: Window): LastSample[] {
  const samples: LastSample[] = [];
  for (let i = Math.max(w.lo, w.hi - 2); i < w.hi; i++) {
    samples.push({
      time: w.t[i] as number,
      start: w.starts?.[i] ?? 0,
      value: w.v[i] as number,
      histogram: undefined,
    });
  }
  for (let i = Math.max(w.hlo, w.hhi - 2); i < w.hhi; i++) {
    samples.push({
      time: w.ht[i] as number,
      start: w.histogramStarts?.[i] ?? 0,
      value: 0,
      histogram: w.h[i],
    });
  }
  return samples.sort((a, b) => a.time - b.time).slice(-2);
}

function histogramDelta(
  w: Window,
  earlier: Histogram,
  later: Histogram,
  isRate: boolean,
  restarted: boolean,
): Histogram | undefined {
  const isGauge = later.counterReset === "gauge" && earlier.counterReset === "gauge";
  if (isRate && (later.counterReset === "gauge" || earlier.counterReset === "gauge"))
    w.warn(notes.notCounter(w.metric));
  if (!isRate && !isGauge) w.warn(notes.notGauge(w.metric));
  let result = later;
  if (!isRate || (!restarted && !wasReset(later, earlier))) {
    const difference = subtract(later, earlier);
    if (difference === undefined) {
      w.warn(notes.mixedSchemas(w.metric));
      return undefined;
    }
    if (difference.reconciled) w.info(notes.mismatchedBuckets("subtraction"));
    result = difference.histogram;
  }
  return compact({ ...result, counterReset: "gauge" });
}
