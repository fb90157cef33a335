import { notes } from "../annotations.ts";
import { formatFixed } from "../../parser/go-format.ts";
import { KahanSum } from "../kahan.ts";
import { QueryError } from "../result.ts";
import type { RangeFunction, Window } from "./window.ts";

/** A function that needs two floats at least; histograms among them are ignored. */
function ofTwoFloats(compute: (window: Window, step: number) => number): RangeFunction {
  return (w, column, step) => {
    if (w.floatCount > 0 && w.histogramCount > 0) w.info(notes.histogramsIgnoredInRange(w.metric));
    if (w.floatCount >= 2) column.setFloat(step, compute(w, step));
  };
}

/** Least squares through the window's floats: the slope per second, and the value at a time. */
function linearRegression({ t, v, lo, hi }: Window, atMs: number): { slope: number; intercept: number } {
  const [sumX, sumY, sumXY, sumX2] = [new KahanSum(), new KahanSum(), new KahanSum(), new KahanSum()];
  const first = v[lo] as number;
  let isConstant = true;
  for (let i = lo; i < hi; i++) {
    const y = v[i] as number;
    if (i > lo && y !== first) isConstant = false;
    const x = ((t[i] as number) - atMs) / 1e3;
    sumX.add(x);
    sumY.add(y);
    sumXY.add(x * y);
    sumX2.add(x * x);
  }
  if (isConstant) {
    return Math.abs(first) === Infinity ? { slope: Number.NaN, intercept: Number.NaN } : { slope: 0, intercept: first };
  }
  const n = hi - lo;
  const [x, y, xy, x2] = [sumX, sumY, sumXY, sumX2].map(({ sum, lost }) => sum + lost) as [
    number,
    number,
    number,
    number,
  ];
  const covariance = xy - (x * y) / n;
  const variance = x2 - (x * x) / n;
  const slope = covariance / variance;
  return { slope, intercept: y / n - (slope * x) / n };
}

export const deriv = ofTwoFloats((w) => linearRegression(w, w.t[w.lo] as number).slope);

export const predictLinear = ofTwoFloats((w, step) => {
  const { slope, intercept } = linearRegression(w, w.atMs);
  return slope * (w.call.scalars[0]?.values[step] ?? Number.NaN) + intercept;
});

export const doubleExponentialSmoothing: RangeFunction = (w, column, step) => {
  const smoothing = factor(w, 0, step, "smoothing");
  const trend = factor(w, 1, step, "trend");
  const smooth = ofTwoFloats(({ v, lo, hi }) => {
    let before = 0;
    let level = v[lo] as number;
    let slope = (v[lo + 1] as number) - level;
    for (let i = lo + 1; i < hi; i++) {
      if (i > lo + 1) slope = trend * (level - before) + (1 - trend) * slope;
      const next = smoothing * (v[i] as number) + (1 - smoothing) * (level + slope);
      before = level;
      level = next;
    }
    return level;
  });
  smooth(w, column, step);
};

function factor(w: Window, argument: number, step: number, name: string): number {
  const value = w.call.scalars[argument]?.values[step] ?? Number.NaN;
  if (value <= 0 || value >= 1) {
    const initial = name.charAt(0);
    throw new QueryError(
      "execution",
      `invalid ${name} factor. Expected: 0 < ${initial}f < 1, got: ${formatFixed(value, 6)}`,
    );
  }
  return value;
}
