import { wasReset } from "../histogram/reset.ts";
import { type Histogram, equalHistograms } from "../histogram/shape.ts";
import { firstAfter } from "./interpolation.ts";
import { isStartTimeReset } from "./start-time.ts";
import type { RangeFunction, Window } from "./window.ts";

interface Sample {
  time: number;
  start: number;
  value: number;
  histogram: Histogram | undefined;
}

/** Counts the pairs of neighbouring samples that fulfil a condition; a change of type always does. */
function countPairs(holds: (current: Sample, previous: Sample) => boolean): RangeFunction {
  return (w, column, step) => {
    const from = firstSamples(w);
    if (from === undefined) return;
    let count = 0;
    let previous: Sample | undefined;
    for (const current of samplesInOrder(w, from.float, from.histogram)) {
      if (previous) {
        const sameType = (current.histogram === undefined) === (previous.histogram === undefined);
        if (!sameType || holds(current, previous)) count++;
      }
      previous = current;
    }
    column.setFloat(step, count);
  };
}

export const resets = countPairs((current, previous) => {
  const pair = {
    previousStart: previous.start,
    previousTime: previous.time,
    start: current.start,
    time: current.time,
  };
  if (isStartTimeReset(pair)) return true;
  if (current.histogram && previous.histogram) return wasReset(current.histogram, previous.histogram);
  return current.value < previous.value;
});

export const changes = countPairs((current, previous) => {
  if (current.histogram && previous.histogram) return !equalHistograms(current.histogram, previous.histogram);
  return current.value !== previous.value && !(Number.isNaN(current.value) && Number.isNaN(previous.value));
});

/**
 * Where counting begins. Anchored, that is the last sample at or before the start of the range, of either type; without
 * a sample after the start there is nothing to count.
 */
function firstSamples(w: Window): { float: number; histogram: number } | undefined {
  if (!w.call.anchored) return { float: w.lo, histogram: w.hlo };
  const float = firstAfter(w.t, w.lo, w.hi, w.startMs);
  const histogram = firstAfter(w.ht, w.hlo, w.hhi, w.startMs);
  if (float >= w.hi && histogram >= w.hhi) return undefined;
  const floatTime = float > w.lo ? (w.t[float - 1] as number) : -Infinity;
  const histogramTime = histogram > w.hlo ? (w.ht[histogram - 1] as number) : -Infinity;
  if (floatTime === -Infinity && histogramTime === -Infinity) return { float, histogram };
  return floatTime >= histogramTime ? { float: float - 1, histogram } : { float, histogram: histogram - 1 };
}

function* samplesInOrder(w: Window, firstFloat: number, firstHistogram: number): Generator<Sample> {
  let i = firstFloat;
  let j = firstHistogram;
  while (i < w.hi || j < w.hhi) {
    if (j >= w.hhi || (i < w.hi && (w.t[i] as number) < (w.ht[j] as number))) {
      yield { time: w.t[i] as number, start: w.starts?.[i] ?? 0, value: w.v[i] as number, histogram: undefined };
      i++;
    } else {
      yield { time: w.ht[j] as number, start: w.histogramStarts?.[j] ?? 0, value: 0, histogram: w.h[j] };
      j++;
    }
  }
}
