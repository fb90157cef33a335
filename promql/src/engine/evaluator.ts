import type { UnixMs } from "@tocsin/model";
import type { SeriesData, SeriesSource } from "../series-source.ts";
import { evaluateAggregate } from "./aggregate/aggregate.ts";
import { Annotations } from "./annotations.ts";
import { floatOperator } from "./binary.ts";
import { isSetOperator } from "../parser/ast.ts";
import { ABSENT, ColumnBuilder, type Grid, Series } from "./column.ts";
import type { Evaluating, Evaluation, SeriesStream } from "./evaluation.ts";
import { evaluateCall, evaluateScalarCall, isElementwise, streamElementwise } from "./functions/calls.ts";
import { multiply } from "./histogram/arithmetic.ts";
import { sampleWeight } from "./histogram/shape.ts";
import { mergeSameLabels } from "./merge.ts";
import { type Plan, type SelectorPlan, planType } from "./plan.ts";
import { isRangeArgument, streamRangeCall } from "./range/range-call.ts";
import { QueryError } from "./result.ts";
import { streamSelector } from "./selectors.ts";
import { SourceSeries, statsOnly } from "./source-series.ts";
import { evaluateBinary, streamWithScalar } from "./vector-binary.ts";

export interface EvaluatorOptions {
  source: SeriesSource;
  lookbackMs: number;
  maxSamples: number;
  delayedNameRemoval: boolean;
  typeAndUnitLabels: boolean;
  useStartTimestamps: boolean;
  signal: AbortSignal;
}

/** Evaluates plans for one query. Every expression is evaluated once for a whole grid, column by column. */
export class Evaluator implements Evaluation {
  readonly notes = new Annotations();
  readonly lookbackMs: number;
  readonly delayedNameRemoval: boolean;
  readonly typeAndUnitLabels: boolean;
  readonly useStartTimestamps: boolean;
  private readonly options: EvaluatorOptions;
  /** What was selected already: the same selector over the same time is read once. */
  private readonly selected = new Map<string, SourceSeries[]>();
  private held = 0;

  constructor(options: EvaluatorOptions) {
    this.options = options;
    this.lookbackMs = options.lookbackMs;
    this.delayedNameRemoval = options.delayedNameRemoval;
    this.typeAndUnitLabels = options.typeAndUnitLabels;
    this.useStartTimestamps = options.useStartTimestamps;
  }

  *vector(plan: Plan, grid: Grid): Evaluating<Series[]> {
    if (grid.count <= 0) return [];
    this.checkSteps(grid);
    const before = this.held;
    const all = yield* this.evaluateVector(plan, grid);
    // What the operands held is consumed by now.
    this.held = before;
    this.hold(weigh(all));
    return all;
  }

  /** No column may be longer than what a query may hold. */
  private checkSteps({ count }: Grid): void {
    if (count > this.options.maxSamples) throw tooManySamples();
  }

  private *evaluateVector(plan: Plan, grid: Grid): Evaluating<Series[]> {
    if (plan.kind === "aggregate") return yield* evaluateAggregate(this, plan, grid);
    if (plan.kind === "binary") return yield* evaluateBinary(this, plan, grid);
    if (plan.kind === "invariant") return yield* this.repeat(plan.expr, grid);
    if (plan.kind === "call" && !isStreamable(plan)) return yield* evaluateCall(this, plan, grid);
    const all: Series[] = [];
    for (const item of this.rawStream(plan, grid)) {
      if (item instanceof Series) {
        all.push(item);
        this.hold(weigh([item]));
      } else {
        yield item;
      }
    }
    return keepsLabelsApart(plan) || this.delayedNameRemoval ? all : mergeSameLabels(all, plan.kind === "unary");
  }

  *stream(plan: Plan, grid: Grid): SeriesStream {
    if (grid.count <= 0) return;
    this.checkSteps(grid);
    if (isStreamable(plan) && (this.delayedNameRemoval || keepsLabelsApart(plan))) {
      yield* this.rawStream(plan, grid);
      return;
    }
    const all = yield* this.vector(plan, grid);
    this.release(weigh(all));
    yield* all;
  }

  /** Series of streamable plans, where dropped names may have made labels equal. */
  private *rawStream(plan: Plan, grid: Grid): SeriesStream {
    switch (plan.kind) {
      case "selector":
        return yield* streamSelector(this, plan, grid);
      case "unary":
        return yield* this.negate(plan.op, plan.expr, grid);
      case "binary":
        return yield* streamWithScalar(this, plan, grid);
      case "call":
        if (plan.args.some(isRangeArgument)) return yield* streamRangeCall(this, plan, grid);
        return yield* streamElementwise(this, plan, grid);
      case "aggregate":
      case "invariant":
      case "number":
      case "string":
      case "range":
      case "subquery":
        throw new QueryError("execution", `cannot evaluate ${plan.kind} as an instant vector`);
    }
  }

  private *negate(op: "+" | "-", expr: Plan, grid: Grid): SeriesStream {
    for (const item of this.stream(expr, grid)) {
      if (!(item instanceof Series) || op === "+") {
        yield item;
        continue;
      }
      const labels = this.delayedNameRemoval ? item.labels : item.labels.withoutMetadata();
      const values = item.values.map((value) => -value);
      const histograms = item.histograms?.map((h) => h && multiply(h, -1));
      yield new Series(labels, true, values, item.kinds, histograms);
    }
  }

  /** Evaluates once, at the first step, and repeats the result at all. */
  private *repeat(plan: Plan, grid: Grid): Evaluating<Series[]> {
    const once = yield* this.vector(plan, { ...grid, count: 1, isRange: false });
    if (grid.count === 1) return once;
    return once.map((series) => {
      const histogram = series.histogramAt(0);
      if (histogram === undefined)
        return new Series(
          series.labels,
          series.dropName,
          new Float64Array(grid.count).fill(series.values[0] as number),
        );
      const column = new ColumnBuilder(grid.count);
      for (let step = 0; step < grid.count; step++) column.setHistogram(step, histogram);
      return column.finish(series.labels, series.dropName) ?? series;
    });
  }

  *scalar(plan: Plan, grid: Grid): Evaluating<Float64Array> {
    this.checkSteps(grid);
    switch (plan.kind) {
      case "number":
        return new Float64Array(grid.count).fill(plan.value);
      case "invariant": {
        const once = yield* this.scalar(plan.expr, { ...grid, count: 1, isRange: false });
        return new Float64Array(grid.count).fill(once[0] as number);
      }
      case "unary": {
        const values = yield* this.scalar(plan.expr, grid);
        return plan.op === "-" ? values.map((value) => -value) : values;
      }
      case "binary": {
        if (isSetOperator(plan.op)) throw notScalar(plan);
        const lhs = yield* this.scalar(plan.lhs, grid);
        const rhs = yield* this.scalar(plan.rhs, grid);
        const compute = floatOperator(plan.op);
        return lhs.map((value, step) => compute(value, rhs[step] as number));
      }
      case "call":
        return yield* evaluateScalarCall(this, plan, grid);
      case "aggregate":
      case "selector":
      case "string":
      case "range":
      case "subquery":
        throw notScalar(plan);
    }
  }

  *select(
    selector: SelectorPlan,
    fromMs: UnixMs,
    toMs: UnixMs,
    rangeMs: number,
    grid: Grid,
  ): Evaluating<SourceSeries[]> {
    const { matchers, func } = selector;
    const key = JSON.stringify([matchers, fromMs, toMs, rangeMs, grid.stepMs, func, selector.statsOnly]);
    let found = this.selected.get(key);
    if (found === undefined) {
      const stepMs = grid.count > 1 ? grid.stepMs : 0;
      const { source, signal } = this.options;
      const answer = source.select(matchers, fromMs, toMs, { stepMs, rangeMs, func }, signal);
      let data: readonly SeriesData[];
      if (answer instanceof Promise) {
        let settled: readonly SeriesData[] = [];
        yield answer.then((result) => {
          settled = result;
        });
        data = settled;
      } else {
        data = answer;
      }
      found = data.map((series) => new SourceSeries(selector.statsOnly ? statsOnly(series) : series));
      this.selected.set(key, found);
    }
    return found;
  }

  hold(samples: number): void {
    this.held += samples;
    if (this.held > this.options.maxSamples) throw tooManySamples();
  }

  release(samples: number): void {
    this.held -= samples;
  }
}

const tooManySamples = () =>
  new QueryError("execution", "query processing would load too many samples into memory in query execution");

const notScalar = ({ kind }: Plan) => new QueryError("execution", `cannot evaluate ${kind} as a scalar`);

function isStreamable(plan: Plan): boolean {
  if (plan.kind === "call") return isElementwise(plan.func) || plan.args.some(isRangeArgument);
  if (plan.kind === "binary") return planType(plan.lhs) === "scalar" || planType(plan.rhs) === "scalar";
  return plan.kind === "selector" || plan.kind === "unary";
}

/**
 * Whether dropping metric names cannot make two of its series equal: because all have the same name, or have lost it
 * already.
 */
function keepsLabelsApart(plan: Plan): boolean {
  switch (plan.kind) {
    case "selector":
      return true;
    case "unary":
      return plan.op === "+" ? keepsLabelsApart(plan.expr) : hasOneName(plan.expr);
    case "call":
      // Range functions see to it themselves.
      return plan.args.some(isRangeArgument) || plan.args.length === 0 || plan.args.every(hasOneName);
    case "binary":
      return hasOneName(plan.lhs) && hasOneName(plan.rhs);
    case "aggregate":
    case "invariant":
    case "number":
    case "string":
    case "range":
    case "subquery":
      return true;
  }
}

function hasOneName(plan: Plan): boolean {
  switch (plan.kind) {
    case "number":
    case "string":
      return true;
    case "selector":
      return plan.isNamePinned;
    case "range":
      return plan.selector.isNamePinned;
    case "unary":
    case "subquery":
    case "invariant":
      return hasOneName(plan.expr);
    case "aggregate":
      return !plan.without && !plan.grouping.includes("__name__") ? !SELECTING.has(plan.op) : false;
    case "call":
      return !NAME_GIVING.has(plan.func) && plan.args.every(hasOneName);
    case "binary":
      return false;
  }
}

const SELECTING: ReadonlySet<string> = new Set(["topk", "bottomk", "limitk", "limit_ratio", "count_values"]);
const NAME_GIVING: ReadonlySet<string> = new Set(["label_replace", "label_join", "info"]);

function weigh(all: readonly Series[]): number {
  let weight = 0;
  for (const { values, kinds, histograms } of all) {
    if (histograms) for (const h of histograms) weight += h ? sampleWeight(h) : 0;
    else if (kinds) for (const kind of kinds) weight += kind === ABSENT ? 0 : 1;
    else weight += values.length;
  }
  return weight;
}
