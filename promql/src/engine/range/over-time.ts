import { type HistogramOperation, notes } from "../annotations.ts";
import type { Histogram } from "../histogram/shape.ts";
import { type HistogramSum, averageHistograms, sumHistograms } from "../histogram/summation.ts";
import { KahanSum } from "../kahan.ts";
import { quantile } from "../quantile.ts";
import type { RangeFunction, Window } from "./window.ts";

/** A function of the floats in the window. Windows without floats give nothing; histograms in between are ignored. */
function ofFloats(compute: (window: Window, step: number) => number): RangeFunction {
  return (w, column, step) => {
    if (w.floatCount === 0) return;
    if (w.histogramCount > 0) w.info(notes.histogramsIgnoredInRange(w.metric));
    column.setFloat(step, compute(w, step));
  };
}

/** A function of floats or of histograms, where a mix of both gives nothing. */
function ofEither(
  floats: (window: Window) => number,
  histograms: (h: readonly Histogram[]) => HistogramSum,
): RangeFunction {
  return (w, column, step) => {
    if (w.floatCount > 0 && w.histogramCount > 0) return w.warn(notes.mixedFloatsHistograms(w.metric));
    if (w.histogramCount === 0) return column.setFloat(step, floats(w));
    const { histogram, collision, reconciled } = histograms(w.h.slice(w.hlo, w.hhi));
    const operation: HistogramOperation = "aggregation";
    if (histogram === undefined) return w.warn(notes.mixedSchemas(w.metric));
    if (collision) w.warn(notes.counterResetCollision(operation));
    if (reconciled) w.info(notes.mismatchedBuckets(operation));
    column.setHistogram(step, histogram);
  };
}

export const sumOverTime = ofEither(({ v, lo, hi }) => {
  let sum = 0;
  let lost = 0;
  for (let i = lo; i < hi; i++) {
    const value = v[i] as number;
    const total = sum + value;
    if (total > Number.MAX_VALUE || total < -Number.MAX_VALUE) lost = 0;
    else if (Math.abs(sum) >= Math.abs(value)) lost += sum - total + value;
    else lost += value - total + sum;
    sum = total;
  }
  return Math.abs(sum) === Infinity ? sum : sum + lost;
}, sumHistograms);

export const avgOverTime = ofEither(({ v, lo, hi }) => {
  const sum = new KahanSum(v[lo]);
  for (let i = lo + 1; i < hi; i++) {
    const { sum: before, lost } = sum;
    sum.add(v[i] as number);
    if (Math.abs(sum.sum) === Infinity) return runningMean(v, i, hi, i - lo, before, lost);
  }
  const count = hi - lo;
  return sum.sum / count + sum.lost / count;
}, averageHistograms);

/** The mean where the sum of the first `count` values is known but would overflow with the next one. */
function runningMean(v: Float64Array, from: number, to: number, counted: number, sum: number, lost: number): number {
  const mean = new KahanSum(sum / counted, lost / counted);
  let count = counted;
  for (let i = from; i < to; i++) {
    count++;
    const share = (count - 1) / count;
    mean.sum *= share;
    mean.lost *= share;
    mean.add((v[i] as number) / count);
  }
  return mean.sum + mean.lost;
}

export const countOverTime: RangeFunction = (w, column, step) => column.setFloat(step, w.floatCount + w.histogramCount);

export const presentOverTime: RangeFunction = (_, column, step) => column.setFloat(step, 1);

export const maxOverTime = ofFloats(({ v, lo, hi }) => {
  let max = v[lo] as number;
  for (let i = lo + 1; i < hi; i++) {
    const value = v[i] as number;
    if (value > max || Number.isNaN(max)) max = value;
  }
  return max;
});

export const minOverTime = ofFloats(({ v, lo, hi }) => {
  let min = v[lo] as number;
  for (let i = lo + 1; i < hi; i++) {
    const value = v[i] as number;
    if (value < min || Number.isNaN(min)) min = value;
  }
  return min;
});

/** The time of the last extreme value. */
function timeOfExtreme(isAtLeast: (value: number, extreme: number) => boolean): RangeFunction {
  return ofFloats(({ t, v, lo, hi }) => {
    let at = lo;
    for (let i = lo; i < hi; i++) {
      const extreme = v[at] as number;
      if (isAtLeast(v[i] as number, extreme) || Number.isNaN(extreme)) at = i;
    }
    return (t[at] as number) / 1000;
  });
}

export const timeOfMaxOverTime = timeOfExtreme((value, max) => value >= max);
export const timeOfMinOverTime = timeOfExtreme((value, min) => value <= min);

export const timeOfFirstOverTime: RangeFunction = (w, column, step) => {
  const float = w.floatCount > 0 ? (w.t[w.lo] as number) : Infinity;
  const histogram = w.histogramCount > 0 ? (w.ht[w.hlo] as number) : Infinity;
  column.setFloat(step, Math.min(float, histogram) / 1000);
};

export const timeOfLastOverTime: RangeFunction = (w, column, step) => {
  const float = w.floatCount > 0 ? (w.t[w.hi - 1] as number) : 0;
  const histogram = w.histogramCount > 0 ? (w.ht[w.hhi - 1] as number) : 0;
  column.setFloat(step, Math.max(float, histogram) / 1000);
};

export const firstOverTime: RangeFunction = (w, column, step) => {
  const takesFloat = w.histogramCount === 0 || (w.floatCount > 0 && (w.t[w.lo] as number) < (w.ht[w.hlo] as number));
  if (takesFloat) column.setFloat(step, w.v[w.lo] as number);
  else column.setHistogram(step, w.h[w.hlo] as Histogram);
};

export const lastOverTime: RangeFunction = (w, column, step) => {
  const takesFloat =
    w.histogramCount === 0 || (w.floatCount > 0 && (w.ht[w.hhi - 1] as number) < (w.t[w.hi - 1] as number));
  if (takesFloat) column.setFloat(step, w.v[w.hi - 1] as number);
  else column.setHistogram(step, w.h[w.hhi - 1] as Histogram);
};

function variance({ v, lo, hi }: Window): number {
  const mean = new KahanSum();
  const squares = new KahanSum();
  for (let i = lo; i < hi; i++) {
    const value = v[i] as number;
    const difference = value - (mean.sum + mean.lost);
    mean.add(difference / (i - lo + 1));
    squares.add(difference * (value - (mean.sum + mean.lost)));
  }
  return (squares.sum + squares.lost) / (hi - lo);
}

export const stdvarOverTime = ofFloats(variance);
export const stddevOverTime = ofFloats((w) => Math.sqrt(variance(w)));

export const quantileOverTime = ofFloats((w, step) => {
  const [argument] = w.call.scalars;
  const q = argument?.values[step] ?? Number.NaN;
  if (argument && !(q >= 0 && q <= 1)) w.call.notes.warn(notes.invalidQuantile(q), argument.pos);
  return quantile(q, w.v.slice(w.lo, w.hi));
});

export const madOverTime = ofFloats((w) => {
  const values = w.v.slice(w.lo, w.hi);
  if (values.some(Number.isNaN)) return Number.NaN;
  const median = quantile(0.5, values);
  return quantile(
    0.5,
    values.map((value) => Math.abs(value - median)),
  );
});
