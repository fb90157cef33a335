import { quoteString } from "../../parser/go-format.ts";
import { ABSENT, ColumnBuilder, FLOAT, type Grid, HISTOGRAM, Series, timesOf } from "../column.ts";
import { type Evaluating, type Evaluation, SERIES_PER_PAUSE, type SeriesStream } from "../evaluation.ts";
import type { Histogram } from "../histogram/shape.ts";
import { sampleWeight } from "../histogram/shape.ts";
import { absentLabels } from "../functions/absent.ts";
import { failOnSameLabels } from "../merge.ts";
import type { CallPlan, RangePlan, SubqueryPlan } from "../plan.ts";
import { QueryError } from "../result.ts";
import { referenceTimes } from "../selectors.ts";
import type { FloatSamples, HistogramSamples } from "../source-series.ts";
import type { LabelSet } from "../label-set.ts";
import {
  ANCHORED_FUNCTIONS,
  NAME_KEEPING,
  RANGE_FUNCTIONS,
  SMOOTHED_FUNCTIONS,
  START_TIME_FUNCTIONS,
} from "./range-functions.ts";
import { type RangeCall, Window } from "./window.ts";

/** What a range function runs over: one series' samples. */
interface RangeInput {
  labels: LabelSet;
  /** The name goes at the end, decided by what came before. */
  dropName: boolean;
  floats: FloatSamples;
  histograms: HistogramSamples;
}

export const isRangeArgument = (plan: { kind: string }): plan is RangePlan | SubqueryPlan =>
  plan.kind === "range" || plan.kind === "subquery";

/** A function over a range vector, series by series. */
export function* streamRangeCall(ev: Evaluation, plan: CallPlan, grid: Grid): SeriesStream {
  if (plan.func === "absent_over_time") {
    const series = yield* absentOverTime(ev, plan, grid);
    if (series) yield series;
    return;
  }
  const argument = plan.args.find(isRangeArgument);
  const isPinned = argument?.kind === "range" && argument.selector.isNamePinned;
  const canRepeat = !ev.delayedNameRemoval && !isPinned;
  if (!canRepeat) return yield* streamWindows(ev, plan, grid);
  const all: Series[] = [];
  for (const item of streamWindows(ev, plan, grid)) {
    if (item instanceof Series) all.push(item);
    else yield item;
  }
  failOnSameLabels(all);
  yield* all;
}

function* streamWindows(ev: Evaluation, plan: CallPlan, grid: Grid): SeriesStream {
  const { func } = plan;
  const compute = RANGE_FUNCTIONS.get(func);
  const argument = plan.args.find(isRangeArgument);
  if (compute === undefined || argument === undefined)
    throw new QueryError("execution", `unknown function with name ${quoteString(func)}`);
  const scalars: RangeCall["scalars"] = [];
  for (const arg of plan.args) {
    if (!isRangeArgument(arg)) scalars.push({ values: yield* ev.scalar(arg, grid), pos: arg.pos });
  }
  const selector = argument.kind === "range" ? argument.selector : undefined;
  const { anchored = false, smoothed = false } = selector ?? {};
  checkExtension(func, anchored, smoothed);
  const call: RangeCall = {
    notes: ev.notes,
    // Notes name the first argument; of a subquery, whose samples are not in the text, the beginning.
    pos: plan.args[0] === argument && argument.kind === "subquery" ? NOWHERE : (plan.args[0]?.pos ?? plan.pos),
    rangeMs: argument.rangeMs,
    steps: grid.count,
    anchored,
    smoothed,
    useStartTimestamps: ev.useStartTimestamps && START_TIME_FUNCTIONS.has(func),
    scalars,
  };
  const times = referenceTimes(argument.kind === "range" ? argument.selector : argument, grid);
  const before = anchored || smoothed ? ev.lookbackMs : 0;
  const after = smoothed ? ev.lookbackMs : 0;
  const inputs = argument.kind === "range" ? rangeInputs(ev, argument, grid) : subqueryInputs(ev, argument, grid);
  let work = 0;
  for (const input of inputs) {
    if (input === undefined || input instanceof Promise) {
      yield input;
      continue;
    }
    const window = new Window(call, input.labels, input.floats, input.histograms);
    const column = new ColumnBuilder(grid.count);
    let heaviest = 0;
    for (let step = 0; step < grid.count; step++) {
      const endMs = times.firstMs + step * times.stepMs;
      window.atMs = grid.startMs + step * grid.stepMs;
      window.endMs = endMs;
      window.startMs = endMs - argument.rangeMs;
      window.moveTo(window.startMs - before, endMs + after);
      if (window.hi === window.lo && window.hhi === window.hlo) continue;
      const weight = windowWeight(window);
      heaviest = Math.max(heaviest, weight);
      compute(window, column, step);
      work += weight;
      if (work > SAMPLES_PER_PAUSE) {
        work = 0;
        yield undefined;
      }
    }
    ev.hold(heaviest);
    ev.release(heaviest);
    const dropName = !NAME_KEEPING.has(func) || input.dropName;
    const labels = dropName && !ev.delayedNameRemoval ? input.labels.withoutMetadata() : input.labels;
    const series = column.finish(labels, dropName);
    if (series === undefined) continue;
    if (func === "rate" || func === "increase") noteNonCounter(ev, call, input.labels, series);
    yield series;
  }
}

function checkExtension(func: string, anchored: boolean, smoothed: boolean): void {
  const [modifier, allowed] = anchored
    ? ["anchored", ANCHORED_FUNCTIONS]
    : smoothed
      ? ["smoothed", SMOOTHED_FUNCTIONS]
      : ["", [func]];
  if (!allowed.includes(func)) {
    throw new QueryError(
      "execution",
      `${modifier} modifier can only be used with: ${allowed.join(", ")} - not with ${func}`,
    );
  }
}

const NOWHERE = { start: 0, end: 0 };

/** How many samples the windows of one series may hold between two pauses. */
const SAMPLES_PER_PAUSE = 1_000_000;

type Inputs = Generator<RangeInput | Promise<void> | undefined, void, undefined>;

/** Where `referenceTimes` puts the windows of a range selector. */
function* rangeInputs(ev: Evaluation, { selector, rangeMs }: RangePlan, grid: Grid): Inputs {
  const times = referenceTimes(selector, grid);
  const before = selector.anchored || selector.smoothed ? ev.lookbackMs : 0;
  const after = selector.smoothed ? ev.lookbackMs : 0;
  const fromMs = times.firstMs - rangeMs - before;
  let next = 0;
  for (const source of yield* ev.select(selector, fromMs, times.lastMs + after, rangeMs, grid)) {
    if (next++ % SERIES_PER_PAUSE === 0) yield undefined;
    const { labels, floats, histograms } = source;
    yield { labels, dropName: false, floats, histograms };
  }
}

function* subqueryInputs(ev: Evaluation, plan: SubqueryPlan, grid: Grid): Inputs {
  const inner = subqueryGrid(plan, grid);
  if (inner.count <= 0) return;
  const all = yield* ev.vector(plan.expr, inner);
  const everyTime = timesOf(inner);
  for (const series of all) {
    yield undefined;
    yield { labels: series.labels, dropName: series.dropName, ...samplesOf(series, everyTime) };
  }
}

/** The steps of a subquery: multiples of its own step within all windows that the outer steps look at. */
export function subqueryGrid(plan: SubqueryPlan, grid: Grid): Grid {
  const { rangeMs, stepMs } = plan;
  const times = referenceTimes(plan, grid);
  const from = times.firstMs - rangeMs;
  let startMs = stepMs * Math.trunc(from / stepMs);
  if (startMs <= from) startMs += stepMs;
  const count = Math.max(0, Math.floor((times.lastMs - startMs) / stepMs) + 1);
  return { startMs, stepMs, count, isRange: times.lastMs > startMs };
}

const NO_TIMES = new Float64Array();

/** The samples of a computed series, as a range function takes them. */
export function samplesOf(series: Series, times: Float64Array): { floats: FloatSamples; histograms: HistogramSamples } {
  const startTimestamps = undefined;
  if (series.kinds === undefined) {
    return {
      floats: { timestamps: times, values: series.values, startTimestamps },
      histograms: { timestamps: NO_TIMES, histograms: [], startTimestamps },
    };
  }
  const floatSteps: number[] = [];
  const histogramSteps: number[] = [];
  for (let step = 0; step < times.length; step++) {
    const kind = series.kinds[step];
    if (kind === FLOAT) floatSteps.push(step);
    else if (kind === HISTOGRAM) histogramSteps.push(step);
  }
  const timesAt = (steps: number[]) => Float64Array.from(steps, (step) => times[step] ?? 0);
  return {
    floats: {
      timestamps: timesAt(floatSteps),
      values: Float64Array.from(floatSteps, (step) => series.values[step] ?? 0),
      startTimestamps,
    },
    histograms: {
      timestamps: timesAt(histogramSteps),
      histograms: histogramSteps.map((step) => forgetReset(series.histogramAt(step) as Histogram)),
      startTimestamps,
    },
  };
}

/** A subquery may skip or repeat samples, so that what one says of a reset before it means nothing. */
function forgetReset(h: Histogram): Histogram {
  return h.counterReset === "reset" || h.counterReset === "notReset" ? { ...h, counterReset: "unknown" } : h;
}

const COUNTER_SUFFIXES = ["_total", "_sum", "_count", "_bucket"];

function noteNonCounter(ev: Evaluation, { pos }: RangeCall, labels: LabelSet, series: Series): void {
  const metric = labels.metricName;
  if (metric === "" || !hasFloats(series)) return;
  if (ev.typeAndUnitLabels) {
    const type = labels.get("__type__");
    if (type !== "counter" && type !== "histogram") {
      ev.notes.info(
        `metric might not be a counter, __type__ label is not set to "counter" or "histogram", got ${quoteString(type)}: ${quoteString(metric)}`,
        pos,
      );
    }
  } else if (!COUNTER_SUFFIXES.some((suffix) => metric.endsWith(suffix))) {
    ev.notes.info(
      `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quoteString(metric)}`,
      pos,
    );
  }
}

const hasFloats = (series: Series): boolean => series.kinds === undefined || series.kinds.includes(FLOAT);

/** 1 at every step where no series has a sample in the range. */
function* absentOverTime(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Series | undefined> {
  const present = new Uint8Array(grid.count);
  for (const item of streamWindows(ev, plan, grid)) {
    if (item instanceof Series) for (let i = 0; i < grid.count; i++) present[i] ||= Number(item.kindAt(i) !== ABSENT);
    else yield item;
  }
  const column = new ColumnBuilder(grid.count);
  for (const [step, seen] of present.entries()) if (seen === 0) column.setFloat(step, 1);
  return column.finish(absentLabels(plan.args[0]), true);
}

/** The weight of a window in the sample limit. */
function windowWeight(window: Window): number {
  let weight = window.floatCount;
  for (let i = window.hlo; i < window.hhi; i++) weight += sampleWeight(window.h[i] as Histogram);
  return weight;
}
