import { notes } from "../annotations.ts";
import { add, subtract, toSchema } from "../histogram/arithmetic.ts";
import { wasReset } from "../histogram/reset.ts";
import { type Histogram, compact, usesCustomBuckets } from "../histogram/shape.ts";
import { isStartTimeReset, startTimesOverlap } from "./start-time.ts";
import type { Window } from "./window.ts";

/**
 * Last minus first histogram of the window, counter resets made up for. Undefined, with a warning, when they don't go
 * together. The window has at least two.
 */
export function histogramIncrease(w: Window, isCounter: boolean): Histogram | undefined {
  const { h, hlo } = w;
  const lastAt = w.hhi - 1;
  const last = h[lastAt] as Histogram;
  const second = h[hlo + 1] as Histogram;
  let first = h[hlo] as Histogram;
  const isGauge = (x: Histogram) => x.counterReset === "gauge";
  if (isCounter && (isGauge(first) || isGauge(last))) w.warn(notes.notCounter(w.metric));
  // What was before a reset at once does not matter, nor does its bucket layout.
  if (isCounter && (startedAnew(w, hlo + 1) || wasReset(second, first))) first = emptyLike(second);
  const custom = usesCustomBuckets(first);
  if (usesCustomBuckets(last) !== custom) return incompatible(w);
  let schema = Math.min(last.schema, first.schema);
  if (isCounter) {
    for (let i = hlo + 1; i < lastAt; i++) {
      const current = h[i] as Histogram;
      if (isGauge(current)) w.warn(notes.notCounter(w.metric));
      schema = Math.min(schema, current.schema);
      if (usesCustomBuckets(current) !== custom) return incompatible(w);
    }
  } else if (!isGauge(h[hlo] as Histogram) || !isGauge(last)) {
    w.warn(notes.notGauge(w.metric));
  }
  const difference = subtract(toSchema(last, schema), first);
  if (difference === undefined) return incompatible(w);
  if (difference.reconciled) w.info(notes.mismatchedBuckets("subtraction"));
  const sum = isCounter ? addResets(w, difference.histogram, first) : difference.histogram;
  return sum && compact({ ...sum, counterReset: "gauge" });
}

function addResets(w: Window, base: Histogram, first: Histogram): Histogram | undefined {
  let sum = base;
  let previous = first;
  let overlaps = false;
  for (let i = w.hlo + 1; i < w.hhi; i++) {
    const current = w.h[i] as Histogram;
    if (!overlaps && overlapsPrevious(w, i)) {
      overlaps = true;
      w.call.notes.startTimeOverlap(w.metric, w.call.pos);
    }
    if (startedAnew(w, i) || wasReset(current, previous)) {
      const added = add(sum, previous);
      if (added === undefined) return incompatible(w);
      if (added.reconciled) w.info(notes.mismatchedBuckets("addition"));
      sum = added.histogram;
    }
    previous = current;
  }
  return sum;
}

function pairAt({ ht, histogramStarts: starts }: Window, i: number) {
  return {
    previousStart: starts?.[i - 1] ?? 0,
    previousTime: ht[i - 1] as number,
    start: starts?.[i] ?? 0,
    time: ht[i] as number,
  };
}

const startedAnew = (w: Window, i: number): boolean =>
  w.histogramStarts !== undefined && isStartTimeReset(pairAt(w, i));
const overlapsPrevious = (w: Window, i: number): boolean =>
  w.histogramStarts !== undefined && startTimesOverlap(pairAt(w, i));

function incompatible(w: Window): undefined {
  w.warn(notes.mixedSchemas(w.metric));
}

function emptyLike({ schema, customValues }: Histogram): Histogram {
  return {
    schema,
    customValues,
    count: 0,
    sum: 0,
    zeroThreshold: 0,
    zeroCount: 0,
    positiveOffset: 0,
    positiveBuckets: [],
    negativeOffset: 0,
    negativeBuckets: [],
    counterReset: "unknown",
  };
}
