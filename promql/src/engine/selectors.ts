import type { SeriesData } from "../series-source.ts";
import { notes } from "./annotations.ts";
import { ColumnBuilder, type Grid, Series } from "./column.ts";
import { type Evaluation, SERIES_PER_PAUSE, type SeriesStream } from "./evaluation.ts";
import { LabelSet } from "./label-set.ts";
import type { SelectorPlan, TimePlan } from "./plan.ts";
import { smoothFloats, smoothHistograms } from "./range/interpolation.ts";
import type { SourceSeries } from "./source-series.ts";

/** The times a selector looks at, step by step: fixed with `@`, else the step's own; both shifted by the offset. */
export function referenceTimes(
  { atMs, offsetMs }: TimePlan,
  grid: Grid,
): { firstMs: number; stepMs: number; lastMs: number } {
  const firstMs = (atMs ?? grid.startMs) - offsetMs;
  const stepMs = atMs === undefined ? grid.stepMs : 0;
  return { firstMs, stepMs, lastMs: firstMs + (grid.count - 1) * stepMs };
}

/** An instant selector: at every step the last sample that is not older than the lookback. */
export function* streamSelector(ev: Evaluation, plan: SelectorPlan, grid: Grid): SeriesStream {
  const times = referenceTimes(plan, grid);
  const ahead = plan.smoothed ? ev.lookbackMs : 0;
  const found = yield* ev.select(plan, times.firstMs - ev.lookbackMs, times.lastMs + ahead, 0, grid);
  let next = 0;
  for (const source of found) {
    if (next++ % SERIES_PER_PAUSE === 0) yield undefined;
    const series = plan.smoothed
      ? smoothedSeries(ev, plan, source, times, grid)
      : latestSamples(source.data, source.labels, times, grid.count, ev.lookbackMs);
    if (series) yield series;
  }
}

interface Times {
  firstMs: number;
  stepMs: number;
}

export function latestSamples(
  data: SeriesData,
  labels: LabelSet,
  { firstMs, stepMs }: Times,
  count: number,
  lookbackMs: number,
): Series | undefined {
  const { timestamps, values, stale, histograms } = data;
  const total = timestamps.length;
  const column = new ColumnBuilder(count);
  let next = upperBound(timestamps, firstMs - lookbackMs);
  for (let step = 0; step < count; step++) {
    const at = firstMs + step * stepMs;
    while (next < total && (timestamps[next] as number) <= at) next++;
    const last = next - 1;
    if (last < 0 || (timestamps[last] as number) <= at - lookbackMs || stale?.[last] === 1) continue;
    const histogram = histograms?.[last];
    if (histogram === undefined) column.setFloat(step, values[last] as number);
    else column.setHistogram(step, histogram);
  }
  return column.finish(labels, false);
}

/** The times of the samples that `latestSamples` takes, or their start times, instead of their values. */
export function latestTimes(
  data: SeriesData,
  labels: LabelSet,
  { firstMs, stepMs }: Times,
  count: number,
  lookbackMs: number,
  pick: (index: number) => number,
): Series | undefined {
  const { timestamps, stale } = data;
  const column = new ColumnBuilder(count);
  let next = upperBound(timestamps, firstMs - lookbackMs);
  for (let step = 0; step < count; step++) {
    const at = firstMs + step * stepMs;
    while (next < timestamps.length && (timestamps[next] as number) <= at) next++;
    const last = next - 1;
    if (last < 0 || (timestamps[last] as number) <= at - lookbackMs || stale?.[last] === 1) continue;
    column.setFloat(step, pick(last));
  }
  return column.finish(labels, false);
}

function smoothedSeries(
  ev: Evaluation,
  plan: SelectorPlan,
  source: SourceSeries,
  { firstMs, stepMs }: Times,
  { count }: Grid,
): Series | undefined {
  const { floats, histograms } = source;
  const column = new ColumnBuilder(count);
  for (let step = 0; step < count; step++) {
    const at = firstMs + step * stepMs;
    const within = (timestamps: Float64Array): [number, number] => [
      upperBound(timestamps, at - ev.lookbackMs),
      upperBound(timestamps, at + ev.lookbackMs),
    ];
    const [lo, hi] = within(floats.timestamps);
    const [hlo, hhi] = within(histograms.timestamps);
    if (hi > lo && hhi > hlo) {
      ev.notes.warn(notes.mixedFloatsHistograms(source.labels.metricName), plan.pos);
    } else if (hhi > hlo) {
      const value = smoothHistograms(ev.notes, plan.pos, source.labels.metricName, histograms, hlo, hhi, at);
      if (value) column.setHistogram(step, value);
    } else if (hi > lo) {
      const value = smoothFloats(floats, lo, hi, at);
      if (value !== undefined) column.setFloat(step, value);
    }
  }
  return column.finish(source.labels, false);
}

/** The first index whose time is after the given one. */
export function upperBound(timestamps: Float64Array, timeMs: number): number {
  let low = 0;
  let high = timestamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timestamps[middle] as number) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
