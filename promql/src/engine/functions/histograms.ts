import type { PositionRange } from "../../parser/ast.ts";
import { formatOpenMetrics, parseGoFloat, quoteString } from "../../parser/go-format.ts";
import { type Annotations, type ForcedMonotonicity, forMetric, notes } from "../annotations.ts";
import { ColumnBuilder, FLOAT, type Grid, HISTOGRAM, Series } from "../column.ts";
import {
  type ClassicBucket,
  type HistogramAnswer,
  classicFraction,
  classicQuantile,
  histogramFraction,
  histogramQuantile,
} from "../histogram/quantile.ts";
import type { Evaluating } from "../evaluation.ts";
import { type Histogram, allBuckets, usesCustomBuckets } from "../histogram/shape.ts";
import { KahanSum } from "../kahan.ts";
import { LabelSet } from "../label-set.ts";

/** Functions of one native histogram that give a float, by name. Floats are left out. */
export const HISTOGRAM_FUNCTIONS: ReadonlyMap<string, (h: Histogram) => number> = new Map(
  Object.entries({
    histogram_avg: (h: Histogram) => h.sum / h.count,
    histogram_count: (h: Histogram) => h.count,
    histogram_sum: (h: Histogram) => h.sum,
    histogram_stddev: (h: Histogram) => Math.sqrt(variance(h)),
    histogram_stdvar: variance,
  }),
);

/** The variance, with every observation in the middle of its bucket. */
function variance(h: Histogram): number {
  const mean = h.sum / h.count;
  const sum = new KahanSum();
  for (const { lower, upper, count } of allBuckets(h)) {
    const difference = middle(lower, upper, usesCustomBuckets(h)) - mean;
    sum.add(count * difference * difference);
  }
  return (sum.sum + sum.lost) / h.count;
}

function middle(lower: number, upper: number, linear: boolean): number {
  if (linear) return (upper + lower) / 2;
  if (lower <= 0 && upper >= 0) return 0;
  return Math.sqrt(upper * lower) * (upper < 0 ? -1 : 1);
}

export interface HistogramContext {
  notes: Annotations;
  grid: Grid;
  delayedNameRemoval: boolean;
  /** Where the vector argument stands. */
  pos: PositionRange;
}

/** One classic histogram: series that differ only in `le`. */
interface Classic {
  labels: LabelSet;
  dropName: boolean;
  buckets: { series: Series; upperBound: number }[];
}

/** The native and classic histograms in a vector. */
interface Sorted {
  native: Series[];
  classic: Map<string, Classic>;
}

const LE: ReadonlySet<string> = new Set(["le"]);

/** What a function makes of a histogram of either kind at a step. */
interface Measure {
  native: (h: Histogram, metric: string, step: number) => number;
  classic: (buckets: readonly ClassicBucket[], metric: string, step: number, key: string) => number;
}

/** Applies a measure to all histograms of a vector. Where both kinds exist under the same labels there is no result. */
function* measure(all: readonly Series[], ctx: HistogramContext, { native, classic }: Measure): Evaluating<Series[]> {
  const sorted = sortByKind(all, ctx);
  const conflicts = markConflicts(sorted, ctx);
  const results: Series[] = [];
  const push = (column: ColumnBuilder, labels: LabelSet) => {
    const series = column.finish(ctx.delayedNameRemoval ? labels : labels.withoutMetadata(), true);
    if (series) results.push(series);
  };
  const nameOf = (labels: LabelSet) => (ctx.delayedNameRemoval ? labels.metricName : "");
  for (const series of sorted.native) {
    yield undefined;
    const column = new ColumnBuilder(ctx.grid.count);
    const taken = conflicts.get(series.labels.key);
    const metric = nameOf(series.labels);
    for (let step = 0; step < ctx.grid.count; step++) {
      const histogram = series.histogramAt(step);
      if (histogram && series.kindAt(step) === HISTOGRAM && taken?.[step] !== 1)
        column.setFloat(step, native(histogram, metric, step));
    }
    push(column, series.labels);
  }
  for (const [key, { labels, buckets }] of sorted.classic) {
    yield undefined;
    const column = new ColumnBuilder(ctx.grid.count);
    const taken = conflicts.get(key);
    for (let step = 0; step < ctx.grid.count; step++) {
      if (taken?.[step] === 1) continue;
      const present: ClassicBucket[] = [];
      for (const { series, upperBound } of buckets) {
        if (series.kindAt(step) === FLOAT) present.push({ upperBound, count: series.values[step] as number });
      }
      if (present.length > 0) column.setFloat(step, classic(present, nameOf(labels), step, key));
    }
    push(column, labels);
  }
  return results;
}

function sortByKind(all: readonly Series[], ctx: HistogramContext): Sorted {
  const native: Series[] = [];
  const classic = new Map<string, Classic>();
  for (const series of all) {
    if (series.hasHistograms) native.push(series);
    if (series.kinds !== undefined && !series.kinds.includes(FLOAT)) continue;
    const le = series.labels.get("le");
    const upperBound = parseGoFloat(le);
    if (upperBound === undefined) {
      const metric = ctx.delayedNameRemoval ? series.labels.metricName : "";
      ctx.notes.warn(
        `bucket label "le" is missing or has a malformed value of ${quoteString(le)}${forMetric(metric)}`,
        ctx.pos,
      );
      continue;
    }
    const labels = series.labels.without(LE);
    let histogram = classic.get(labels.key);
    if (histogram === undefined) {
      histogram = { labels, dropName: series.dropName, buckets: [] };
      classic.set(labels.key, histogram);
    }
    histogram.buckets.push({ series, upperBound });
  }
  return { native, classic };
}

/** For each label set with histograms of both kinds the steps at which both are present. */
function markConflicts({ native, classic }: Sorted, ctx: HistogramContext): Map<string, Uint8Array> {
  const conflicts = new Map<string, Uint8Array>();
  for (const { labels, histograms } of native) {
    const other = classic.get(labels.key);
    if (other === undefined) continue;
    const steps = new Uint8Array(ctx.grid.count);
    for (let step = 0; step < steps.length; step++) {
      if (histograms?.[step] === undefined || !other.buckets.some(({ series }) => series.kindAt(step) === FLOAT))
        continue;
      steps[step] = 1;
      const metric = ctx.delayedNameRemoval ? labels.metricName : "";
      ctx.notes.warn(`vector contains a mix of classic and native histograms${forMetric(metric)}`, ctx.pos);
    }
    conflicts.set(labels.key, steps);
  }
  return conflicts;
}

export interface QuantileArgument {
  values: Float64Array;
  pos: PositionRange;
}

/** histogram_quantile. */
export function* quantiles(all: readonly Series[], q: QuantileArgument, ctx: HistogramContext): Evaluating<Series[]> {
  const forced = new ForcedChanges(ctx);
  const results = yield* quantilesOf(all, q, ctx, forced);
  forced.flush();
  return results;
}

/** Where counts of classic histograms had to be raised. Each histogram is mended once a step, for all quantiles. */
class ForcedChanges {
  private readonly byMetric = new Map<string, ForcedMonotonicity[]>();
  private readonly mended = new Set<string>();
  private readonly ctx: HistogramContext;

  constructor(ctx: HistogramContext) {
    this.ctx = ctx;
  }

  add(metric: string, key: string, step: number, change: Omit<ForcedMonotonicity, "timeMs">): void {
    const id = `${step} ${key}`;
    if (this.mended.has(id)) return;
    this.mended.add(id);
    const changes = this.byMetric.get(metric) ?? [];
    this.byMetric.set(metric, changes);
    changes.push({ ...change, timeMs: this.ctx.grid.startMs + step * this.ctx.grid.stepMs });
  }

  flush(): void {
    const { notes: annotations, pos, grid } = this.ctx;
    for (const [metric, changes] of this.byMetric) annotations.forcedMonotonicity(metric, pos, changes, grid);
  }
}

function* quantilesOf(
  all: readonly Series[],
  q: QuantileArgument,
  ctx: HistogramContext,
  forced: ForcedChanges,
): Evaluating<Series[]> {
  checkQuantiles(q, ctx);
  return yield* measure(all, ctx, {
    native: (h, metric, step) => noteNan(histogramQuantile(q.values[step] as number, h), metric, ctx),
    classic: (buckets, metric, step, key) => {
      const answer = classicQuantile(q.values[step] as number, buckets);
      if (answer.forced) forced.add(metric, key, step, answer.forced);
      return answer.value;
    },
  });
}

function checkQuantiles({ values, pos }: QuantileArgument, ctx: HistogramContext): void {
  for (const q of new Set(values)) if (!(q >= 0 && q <= 1)) ctx.notes.warn(notes.invalidQuantile(q), pos);
}

function noteNan({ value, nan }: HistogramAnswer, metric: string, ctx: HistogramContext): number {
  if (nan === "result") {
    ctx.notes.info(`input to histogram_quantile has NaN observations, result is NaN${forMetric(metric)}`, ctx.pos);
  } else if (nan === "skew") {
    ctx.notes.info(
      `input to histogram_quantile has NaN observations, result is skewed higher${forMetric(metric)}`,
      ctx.pos,
    );
  } else if (nan === "excluded") {
    ctx.notes.info(
      `input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(metric)}`,
      ctx.pos,
    );
  }
  return value;
}

/** histogram_quantiles: one series for each quantile, told apart by a label. */
export function* severalQuantiles(
  all: readonly Series[],
  label: string,
  qs: readonly QuantileArgument[],
  ctx: HistogramContext,
): Evaluating<Series[]> {
  const results: Series[] = [];
  const forced = new ForcedChanges(ctx);
  for (const q of qs) {
    const groups = new Map<number, number[]>();
    for (const [step, value] of q.values.entries()) groups.set(value, [...(groups.get(value) ?? []), step]);
    for (const series of yield* quantilesOf(all, q, ctx, forced)) {
      for (const [value, steps] of groups) {
        const column = new ColumnBuilder(ctx.grid.count);
        for (const step of steps)
          if (series.kindAt(step) === FLOAT) column.setFloat(step, series.values[step] as number);
        const part = column.finish(series.labels.with(label, formatOpenMetrics(value)), true);
        if (part) results.push(part);
      }
    }
  }
  forced.flush();
  return results;
}

/** histogram_fraction. */
export function* fractions(
  all: readonly Series[],
  lower: Float64Array,
  upper: Float64Array,
  ctx: HistogramContext,
): Evaluating<Series[]> {
  return yield* measure(all, ctx, {
    native: (h, metric, step) => {
      const answer = histogramFraction(lower[step] as number, upper[step] as number, h);
      return noteNan(answer, metric, ctx);
    },
    classic: (buckets, _, step) => classicFraction(lower[step] as number, upper[step] as number, buckets),
  });
}
