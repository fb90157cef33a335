import { quoteString } from "../../parser/go-format.ts";
import { ABSENT, ColumnBuilder, FLOAT, type Grid, HISTOGRAM, Series, timesOf } from "../column.ts";
import type { Evaluating, Evaluation, SeriesStream } from "../evaluation.ts";
import { LabelSet } from "../label-set.ts";
import { failOnSameLabels, mergeSameLabels } from "../merge.ts";
import type { CallPlan, Plan, SelectorPlan } from "../plan.ts";
import { QueryError } from "../result.ts";
import { latestTimes, referenceTimes } from "../selectors.ts";
import { absentLabels } from "./absent.ts";
import { DATE_FUNCTIONS } from "./dates.ts";
import { FLOAT_FUNCTIONS, maximum, minimum, roundTo } from "./floats.ts";
import { HISTOGRAM_FUNCTIONS, type HistogramContext, fractions, quantiles, severalQuantiles } from "./histograms.ts";
import { evaluateInfo } from "./info.ts";
import { type Relabelling, labelJoin, labelReplace } from "./relabel.ts";
import { sortByLabels, sortByValue } from "./sorting.ts";

/** Functions of scalars, or of a vector that give a scalar. */
export function* evaluateScalarCall(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Float64Array> {
  switch (plan.func) {
    case "pi":
      return new Float64Array(grid.count).fill(Math.PI);
    case "time":
      return secondsOf(grid);
    case "scalar":
      return onlyFloats(yield* ev.vector(argument(plan, 0), grid), grid);
    case "max_of":
    case "min_of": {
      const pick = plan.func === "max_of" ? maximum : minimum;
      const other = yield* ev.scalar(argument(plan, 1), grid);
      return (yield* ev.scalar(argument(plan, 0), grid)).map((value, step) => pick(value, other[step] as number));
    }
    default:
      throw unknownFunction(plan.func);
  }
}

const unknownFunction = (name: string) =>
  new QueryError("execution", `unknown function with name ${quoteString(name)}`);

const secondsOf = (grid: Grid): Float64Array => timesOf(grid).map((ms) => ms / 1000);

function argument(plan: CallPlan, index: number): Plan {
  const arg = plan.args[index];
  if (arg === undefined) throw unknownFunction(plan.func);
  return arg;
}

function text(plan: CallPlan, index: number): string {
  const arg = argument(plan, index);
  return arg.kind === "string" ? arg.value : "";
}

const texts = (plan: CallPlan, from: number): string[] => plan.args.slice(from).map((_, i) => text(plan, from + i));

/** scalar(): the only float of the vector, else NaN. */
function onlyFloats(all: readonly Series[], grid: Grid): Float64Array {
  const values = new Float64Array(grid.count).fill(Number.NaN);
  const seen = new Uint8Array(grid.count);
  for (const series of all) {
    for (let step = 0; step < grid.count; step++) {
      if (series.kindAt(step) !== FLOAT) continue;
      values[step] = seen[step] === 0 ? (series.values[step] as number) : Number.NaN;
      seen[step] = 1;
    }
  }
  return values;
}

/** Functions that look at one float after another can pass series on as they come. */
export function isElementwise(func: string): boolean {
  return (
    FLOAT_FUNCTIONS.has(func) || HISTOGRAM_FUNCTIONS.has(func) || ELEMENTWISE.has(func) || DATE_FUNCTIONS.has(func)
  );
}

const ELEMENTWISE: ReadonlySet<string> = new Set(["clamp", "clamp_max", "clamp_min", "round"]);

/** Elementwise functions, series by series. Labels may repeat in the stream where names were dropped. */
export function* streamElementwise(ev: Evaluation, plan: CallPlan, grid: Grid): SeriesStream {
  const { func } = plan;
  if (DATE_FUNCTIONS.has(func) && plan.args.length === 0) {
    const part = DATE_FUNCTIONS.get(func);
    if (part) yield new Series(LabelSet.EMPTY, false, secondsOf(grid).map(part));
    return;
  }
  const bounds: Float64Array[] = [];
  for (const arg of plan.args.slice(1)) bounds.push(yield* ev.scalar(arg, grid));
  const compute = elementFunction(func, bounds);
  const ofHistogram = HISTOGRAM_FUNCTIONS.get(func);
  for (const series of ev.stream(argument(plan, 0), grid)) {
    if (!(series instanceof Series)) {
      yield series;
      continue;
    }
    const column = new ColumnBuilder(grid.count);
    for (let step = 0; step < grid.count; step++) {
      const kind = series.kindAt(step);
      if (ofHistogram) {
        const histogram = series.histogramAt(step);
        if (kind === HISTOGRAM && histogram) column.setFloat(step, ofHistogram(histogram));
      } else if (kind === FLOAT) {
        const value = compute(series.values[step] as number, step);
        if (value !== undefined) column.setFloat(step, value);
      }
    }
    const labels = ev.delayedNameRemoval ? series.labels : series.labels.withoutMetadata();
    const result = column.finish(labels, true);
    if (result) yield result;
  }
}

type ElementFunction = (value: number, step: number) => number | undefined;

function elementFunction(func: string, [first, second]: readonly Float64Array[]): ElementFunction {
  const simple = FLOAT_FUNCTIONS.get(func) ?? DATE_FUNCTIONS.get(func);
  if (simple) return simple;
  const at = (values: Float64Array | undefined, step: number, otherwise: number) => values?.[step] ?? otherwise;
  switch (func) {
    case "round":
      return (value, step) => roundTo(value, at(first, step, 1));
    case "clamp":
      return (value, step) => clamp(value, at(first, step, Number.NaN), at(second, step, Number.NaN));
    case "clamp_min":
      return (value, step) => clamp(value, at(first, step, Number.NaN), Infinity);
    case "clamp_max":
      return (value, step) => clamp(value, -Infinity, at(first, step, Number.NaN));
    default:
      return () => undefined;
  }
}

function clamp(value: number, min: number, max: number): number | undefined {
  return max < min ? undefined : maximum(min, minimum(max, value));
}

/** Every function that gives a vector and takes no range. */
export function* evaluateCall(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Series[]> {
  const { func } = plan;
  const context = (arg: Plan): HistogramContext => ({
    notes: ev.notes,
    grid,
    delayedNameRemoval: ev.delayedNameRemoval,
    pos: arg.pos,
  });
  const settle = (all: Series[]) => (ev.delayedNameRemoval ? all : mergeSameLabels(all));
  switch (func) {
    case "vector":
      return [new Series(LabelSet.EMPTY, false, yield* ev.scalar(argument(plan, 0), grid))];
    case "absent":
      return absent(yield* ev.vector(argument(plan, 0), grid), argument(plan, 0), grid);
    case "timestamp":
    case "start_timestamp":
      return settle(yield* timestamps(ev, plan, grid));
    case "sort":
    case "sort_desc":
    case "sort_by_label":
    case "sort_by_label_desc":
      return yield* sorted(ev, plan, grid);
    case "label_replace": {
      const change = labelReplace(text(plan, 1), text(plan, 2), text(plan, 3), text(plan, 4));
      return relabel(yield* ev.vector(argument(plan, 0), grid), change);
    }
    case "label_join": {
      const change = labelJoin(text(plan, 1), text(plan, 2), texts(plan, 3));
      return relabel(yield* ev.vector(argument(plan, 0), grid), change);
    }
    case "histogram_quantile": {
      const q = argument(plan, 0);
      const values = yield* ev.scalar(q, grid);
      const vector = argument(plan, 1);
      return settle(yield* quantiles(yield* ev.vector(vector, grid), { values, pos: q.pos }, context(vector)));
    }
    case "histogram_quantiles": {
      const qs: { values: Float64Array; pos: Plan["pos"] }[] = [];
      for (const q of plan.args.slice(2)) qs.push({ values: yield* ev.scalar(q, grid), pos: q.pos });
      const vector = argument(plan, 0);
      return settle(yield* severalQuantiles(yield* ev.vector(vector, grid), text(plan, 1), qs, context(vector)));
    }
    case "histogram_fraction": {
      const lower = yield* ev.scalar(argument(plan, 0), grid);
      const upper = yield* ev.scalar(argument(plan, 1), grid);
      const vector = argument(plan, 2);
      return settle(yield* fractions(yield* ev.vector(vector, grid), lower, upper, context(vector)));
    }
    case "info":
      return yield* evaluateInfo(ev, plan, grid);
    default:
      throw unknownFunction(func);
  }
}

const relabel = (all: readonly Series[], change: Relabelling): Series[] => mergeSameLabels(all.map(change), true);

function absent(all: readonly Series[], arg: Plan, grid: Grid): Series[] {
  const column = new ColumnBuilder(grid.count);
  for (let step = 0; step < grid.count; step++)
    if (all.every((series) => series.kindAt(step) === ABSENT)) column.setFloat(step, 1);
  const series = column.finish(absentLabels(arg), false);
  return series ? [series] : [];
}

function* sorted(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Series[]> {
  const all = yield* ev.vector(argument(plan, 0), grid);
  const { func } = plan;
  const isByLabel = func.startsWith("sort_by_label");
  if (grid.isRange) {
    ev.notes.warn("sort is ineffective for range queries since results are always ordered by labels", plan.pos);
    return isByLabel ? all : all.map(withoutHistograms).filter((series) => series !== undefined);
  }
  const descending = func.endsWith("_desc");
  if (!ev.delayedNameRemoval) failOnSameLabels(all);
  return isByLabel ? sortByLabels(all, texts(plan, 1), descending) : sortByValue(all, descending);
}

function withoutHistograms(series: Series): Series | undefined {
  if (!series.hasHistograms) return series;
  const column = new ColumnBuilder(series.values.length);
  for (let step = 0; step < series.values.length; step++)
    if (series.kindAt(step) === FLOAT) column.setFloat(step, series.values[step] as number);
  return column.finish(series.labels, series.dropName);
}

/** The time of the sample a selector takes; for every other expression the time of the step. */
function* timestamps(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Series[]> {
  const arg = argument(plan, 0);
  const selector =
    arg.kind === "selector" ? arg : arg.kind === "invariant" && arg.expr.kind === "selector" ? arg.expr : undefined;
  const drop = (labels: LabelSet) => (ev.delayedNameRemoval ? labels : labels.withoutMetadata());
  const results: Series[] = [];
  if (selector) {
    for (const series of yield* selectedTimes(ev, plan.func, selector, grid))
      results.push(series.relabelled(drop(series.labels), true));
    return results;
  }
  const all = yield* ev.vector(arg, grid);
  if (plan.func === "start_timestamp") return [];
  for (const series of all) {
    const column = new ColumnBuilder(grid.count);
    for (let step = 0; step < grid.count; step++)
      if (series.kindAt(step) !== ABSENT) column.setFloat(step, (grid.startMs + step * grid.stepMs) / 1000);
    const result = column.finish(drop(series.labels), true);
    if (result) results.push(result);
  }
  return results;
}

function* selectedTimes(ev: Evaluation, func: string, selector: SelectorPlan, grid: Grid): Evaluating<Series[]> {
  const isStart = func === "start_timestamp";
  if (isStart && !ev.useStartTimestamps) return [];
  const times = referenceTimes(selector, grid);
  const found = yield* ev.select(selector, times.firstMs - ev.lookbackMs, times.lastMs, 0, grid);
  const results: Series[] = [];
  for (const { data, labels } of found) {
    yield undefined;
    const pick = (i: number) => ((isStart ? data.startTimestamps?.[i] : data.timestamps[i]) ?? 0) / 1000;
    const series = latestTimes(data, labels, times, grid.count, ev.lookbackMs, pick);
    if (series) results.push(series);
  }
  return results;
}
