import { isUtf8LabelName } from "../../parser/label-name.ts";
import { formatPlain, formatShortest, quoteString } from "../../parser/go-format.ts";
import { notes } from "../annotations.ts";
import { ABSENT, ColumnBuilder, type Grid, Series } from "../column.ts";
import type { Evaluating, Evaluation } from "../evaluation.ts";
import { maximum, minimum } from "../functions/floats.ts";
import { type Histogram, formatHistogram } from "../histogram/shape.ts";
import { LabelSet, groupingBy, groupingWithout } from "../label-set.ts";
import type { AggregatePlan } from "../plan.ts";
import { QueryError } from "../result.ts";
import {
  type Accumulator,
  type AccumulatorContext,
  AverageAccumulator,
  CountAccumulator,
  ExtremeAccumulator,
  SumAccumulator,
  VarianceAccumulator,
} from "./accumulators.ts";
import { groupQuantile, rank } from "./by-rank.ts";
import { ratioOffset } from "./ratio.ts";

export function* evaluateAggregate(ev: Evaluation, plan: AggregatePlan, grid: Grid): Evaluating<Series[]> {
  switch (plan.op) {
    case "sum":
    case "avg":
    case "count":
    case "min":
    case "max":
    case "group":
    case "stddev":
    case "stdvar":
      return yield* accumulate(ev, plan, plan.op, grid);
    case "count_values":
      return yield* countValues(ev, plan, grid);
    case "quantile":
      return yield* quantiles(ev, plan, grid);
    case "topk":
    case "bottomk":
    case "limitk":
    case "limit_ratio":
      return yield* select(ev, plan, plan.op, grid);
  }
}

/** Which group a series belongs to, and which labels its group has. */
class Grouper {
  private readonly keyOf: (labels: LabelSet) => string;
  private readonly labelsOf: (labels: LabelSet) => LabelSet;

  constructor(names: readonly string[], without: boolean) {
    const set = new Set(names);
    const dropped = new Set([...names, "__name__"]);
    this.keyOf = without ? groupingWithout(names) : groupingBy(names);
    this.labelsOf = without
      ? (labels) => labels.without(dropped)
      : (labels) => (names.length === 0 ? LabelSet.EMPTY : labels.only(set));
  }

  key(labels: LabelSet): string {
    return this.keyOf(labels);
  }

  labels(labels: LabelSet): LabelSet {
    return this.labelsOf(labels);
  }
}

type Accumulated = "sum" | "avg" | "count" | "min" | "max" | "group" | "stddev" | "stdvar";

/** Series go into their group's accumulator as they come; they are never all held. */
function* accumulate(ev: Evaluation, plan: AggregatePlan, op: Accumulated, grid: Grid): Evaluating<Series[]> {
  const grouper = new Grouper(plan.grouping, plan.without);
  const ctx = { steps: grid.count, notes: ev.notes, pos: plan.expr.pos };
  const groups = new Map<string, { labels: LabelSet; dropName: boolean; accumulator: Accumulator }>();
  for (const series of ev.stream(plan.expr, grid)) {
    if (!(series instanceof Series)) {
      yield series;
      continue;
    }
    const key = grouper.key(series.labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = { labels: grouper.labels(series.labels), dropName: false, accumulator: makeAccumulator(op, ctx) };
      groups.set(key, group);
    }
    group.dropName ||= series.dropName;
    group.accumulator.add(series);
  }
  const results: Series[] = [];
  for (const { labels, dropName, accumulator } of groups.values()) {
    const series = accumulator.finish(labels, dropName);
    if (series) results.push(series);
  }
  return results;
}

function makeAccumulator(op: Accumulated, ctx: AccumulatorContext): Accumulator {
  switch (op) {
    case "sum":
      return new SumAccumulator(ctx);
    case "avg":
      return new AverageAccumulator(ctx);
    case "count":
    case "group":
      return new CountAccumulator(ctx, op === "group");
    case "min":
    case "max":
      return new ExtremeAccumulator(ctx, op);
    case "stddev":
    case "stdvar":
      return new VarianceAccumulator(ctx, op);
  }
}

interface Group {
  labels: LabelSet;
  members: Series[];
  dropName: boolean;
}

function* collectGroups(
  ev: Evaluation,
  plan: AggregatePlan,
  grid: Grid,
): Evaluating<{ groups: Group[]; total: number }> {
  const grouper = new Grouper(plan.grouping, plan.without);
  const groups = new Map<string, Group>();
  const all = yield* ev.vector(plan.expr, grid);
  for (const series of all) {
    const key = grouper.key(series.labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = { labels: grouper.labels(series.labels), members: [], dropName: false };
      groups.set(key, group);
    }
    group.dropName ||= series.dropName;
    group.members.push(series);
  }
  return { groups: [...groups.values()], total: all.length };
}

function* parameter(ev: Evaluation, plan: AggregatePlan, grid: Grid): Evaluating<Float64Array> {
  return plan.param ? yield* ev.scalar(plan.param, grid) : new Float64Array(grid.count);
}

function* quantiles(ev: Evaluation, plan: AggregatePlan, grid: Grid): Evaluating<Series[]> {
  const q = yield* parameter(ev, plan, grid);
  const pos = plan.param?.pos ?? plan.pos;
  const { groups } = yield* collectGroups(ev, plan, grid);
  if (q.some(Number.isNaN)) ev.notes.warn(notes.invalidQuantile(Number.NaN), pos);
  const [min, max] = extremes(q);
  if (max > 1) ev.notes.warn(notes.invalidQuantile(max), pos);
  if (min < 0) ev.notes.warn(notes.invalidQuantile(min), pos);
  const results: Series[] = [];
  for (const { labels, members, dropName } of groups) {
    yield undefined;
    const column = new ColumnBuilder(grid.count);
    for (let step = 0; step < grid.count; step++) {
      if (step % STEPS_PER_PAUSE === STEPS_PER_PAUSE - 1) yield undefined;
      const value = groupQuantile(members, step, q[step] as number, ev.notes, plan.expr.pos);
      if (value !== undefined) column.setFloat(step, value);
    }
    const series = column.finish(labels, dropName);
    if (series) results.push(series);
  }
  return results;
}

/** The smallest and the largest value; NaN when one is. */
function extremes(values: Float64Array): [number, number] {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    min = minimum(min, value);
    max = maximum(max, value);
  }
  return [min, max];
}

/** How many steps of a group may be worked through between two pauses. */
const STEPS_PER_PAUSE = 64;

type Selecting = "topk" | "bottomk" | "limitk" | "limit_ratio";

/** Aggregations that pass some of the series on as they are. */
function* select(ev: Evaluation, plan: AggregatePlan, op: Selecting, grid: Grid): Evaluating<Series[]> {
  const param = yield* parameter(ev, plan, grid);
  const { groups, total } = yield* collectGroups(ev, plan, grid);
  if (!checkParameter(ev, plan, op, param)) return [];
  const picked = new Map<Series, ColumnBuilder>();
  for (let step = 0; step < grid.count; step++) {
    yield undefined;
    for (const { members } of groups) {
      for (const series of pick(ev, plan, op, members, step, param[step] as number, total)) {
        let column = picked.get(series);
        if (column === undefined) {
          column = new ColumnBuilder(grid.count);
          picked.set(series, column);
        }
        const histogram = series.histogramAt(step);
        if (histogram) column.setHistogram(step, histogram);
        else column.setFloat(step, series.values[step] as number);
      }
    }
  }
  const results: Series[] = [];
  for (const [{ labels, dropName }, column] of picked) {
    const series = column.finish(labels, dropName);
    if (series) results.push(series);
  }
  return results;
}

/** Whether there can be a result at all. */
function checkParameter(ev: Evaluation, plan: AggregatePlan, op: Selecting, param: Float64Array): boolean {
  const [min, max] = extremes(param);
  const hasNan = param.some(Number.isNaN);
  if (op === "limit_ratio") {
    if (max === 0 && min === 0) return false;
    if (hasNan) throw new QueryError("execution", "Ratio value is NaN");
    const pos = plan.param?.pos ?? plan.pos;
    if (max > 1) ev.notes.warn(notes.invalidRatio(max, 1), pos);
    if (min < -1) ev.notes.warn(notes.invalidRatio(min, -1), pos);
    return true;
  }
  if (max < 1) return false;
  if (hasNan) throw new QueryError("execution", "Parameter value is NaN");
  if (min <= -(2 ** 63)) throw new QueryError("execution", `Scalar value ${formatShortest(min)} underflows int64`);
  if (max >= 2 ** 63 - 1024) throw new QueryError("execution", `Scalar value ${formatShortest(max)} overflows int64`);
  return true;
}

function pick(
  ev: Evaluation,
  plan: AggregatePlan,
  op: Selecting,
  members: readonly Series[],
  step: number,
  param: number,
  total: number,
): readonly Series[] {
  const isPresent = (series: Series) => series.kindAt(step) !== ABSENT;
  if (op === "limit_ratio") {
    const ratio = Math.max(-1, Math.min(1, param));
    return ratio === 0 ? [] : members.filter((series) => isPresent(series) && isWithin(ratio, series.labels));
  }
  const k = Math.min(Math.trunc(param), total);
  if (k < 1) return [];
  if (op === "limitk") {
    const present = members.filter(isPresent);
    return present.slice(0, k);
  }
  return rank(members, step, k, op, ev.notes, plan.pos);
}

/** A ratio takes the series from one end of the range of offsets, a negative one the rest. */
function isWithin(ratio: number, labels: LabelSet): boolean {
  const offset = ratioOffset(labels);
  return ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
}

function* countValues(ev: Evaluation, plan: AggregatePlan, grid: Grid): Evaluating<Series[]> {
  const label = plan.param?.kind === "string" ? plan.param.value : "";
  if (!isUtf8LabelName(label)) throw new QueryError("execution", `invalid label name ${quoteString(label)}`);
  const grouper = new Grouper(plan.without ? plan.grouping : [...plan.grouping, label], plan.without);
  const counts = new Map<string, { labels: LabelSet; counts: Float64Array }>();
  for (const series of ev.stream(plan.expr, grid)) {
    if (!(series instanceof Series)) {
      yield series;
      continue;
    }
    for (let step = 0; step < grid.count; step++) {
      if (series.kindAt(step) === ABSENT) continue;
      const histogram: Histogram | undefined = series.histogramAt(step);
      const value = histogram ? formatHistogram(histogram) : formatPlain(series.values[step] as number);
      const labels = series.labels.with(label, value);
      const key = grouper.key(labels);
      let group = counts.get(key);
      if (group === undefined) {
        group = { labels: grouper.labels(labels), counts: new Float64Array(grid.count) };
        counts.set(key, group);
      }
      group.counts[step] = (group.counts[step] as number) + 1;
    }
  }
  const results: Series[] = [];
  for (const group of counts.values()) {
    const column = new ColumnBuilder(grid.count);
    for (const [step, count] of group.counts.entries()) if (count > 0) column.setFloat(step, count);
    const series = column.finish(group.labels, false);
    if (series) results.push(series);
  }
  return results;
}
