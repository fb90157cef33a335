import { CompiledMatcher, METRIC_NAME, type Matcher, type UnixMs } from "@tocsin/model";
import type {
  AggregateOp,
  BinaryOp,
  DurationExpr,
  DurationOperand,
  Expr,
  PositionRange,
  TimeModifiers,
  ValueType,
  VectorMatching,
  VectorSelector,
} from "../parser/ast.ts";
import { typeOf } from "../parser/type-check.ts";
import { power } from "./functions/elementary.ts";
import { maximum, minimum } from "./functions/floats.ts";
import { QueryError } from "./result.ts";
import { sharedReference } from "./shared-reference.ts";

/**
 * What the engine evaluates: the parsed expression with durations and `@` resolved to milliseconds, parentheses gone,
 * and parts that are the same at every step wrapped so that they run once. Parsed expressions are never changed, so
 * that rules may keep them.
 */
export type Plan =
  | { kind: "number"; value: number; pos: PositionRange }
  | { kind: "string"; value: string; pos: PositionRange }
  | SelectorPlan
  | RangePlan
  | SubqueryPlan
  | CallPlan
  | AggregatePlan
  | BinaryPlan
  | { kind: "unary"; op: "+" | "-"; expr: Plan; type: ValueType; pos: PositionRange }
  | { kind: "invariant"; expr: Plan; pos: PositionRange };

export interface TimePlan {
  offsetMs: number;
  /** Set with `@`: the same time at every step, before the offset. */
  atMs: UnixMs | undefined;
}

export interface SelectorPlan extends TimePlan {
  kind: "selector";
  matchers: readonly Matcher[];
  anchored: boolean;
  smoothed: boolean;
  /** Only count and sum of histograms are looked at. */
  statsOnly: boolean;
  /** Whether all series that match have the same metric name. */
  isNamePinned: boolean;
  /** The function directly around it, for the source. */
  func: string;
  pos: PositionRange;
}

export interface RangePlan {
  kind: "range";
  selector: SelectorPlan;
  rangeMs: number;
  pos: PositionRange;
}

export interface SubqueryPlan extends TimePlan {
  kind: "subquery";
  expr: Plan;
  rangeMs: number;
  stepMs: number;
  pos: PositionRange;
}

export interface CallPlan {
  kind: "call";
  func: string;
  args: readonly Plan[];
  pos: PositionRange;
}

export interface AggregatePlan {
  kind: "aggregate";
  op: AggregateOp;
  expr: Plan;
  param: Plan | undefined;
  grouping: readonly string[];
  without: boolean;
  pos: PositionRange;
}

export interface BinaryPlan {
  kind: "binary";
  op: BinaryOp;
  lhs: Plan;
  rhs: Plan;
  matching: VectorMatching | undefined;
  returnBool: boolean;
  pos: PositionRange;
}

export interface PlanOptions {
  startMs: UnixMs;
  endMs: UnixMs;
  /** 0 for an instant query. */
  stepMs: number;
  defaultSubqueryStepMs: number;
  typeAndUnitLabels?: boolean;
}

/** Throws `QueryError` (`bad_data`) when a duration comes out impossible. */
export function makePlan(expr: Expr, options: PlanOptions): Plan {
  const { plan, invariant, wrap } = new Planner(options).plan(expr, { func: "", stats: undefined });
  return invariant && wrap ? invariantPlan(plan) : plan;
}

/** The type of what the plan evaluates to. */
export function planType(plan: Plan): ValueType {
  switch (plan.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "selector":
    case "aggregate":
      return "vector";
    case "range":
    case "subquery":
      return "matrix";
    case "call":
      return SCALAR_FUNCTIONS.has(plan.func) ? "scalar" : "vector";
    case "binary":
      return planType(plan.lhs) === "scalar" && planType(plan.rhs) === "scalar" ? "scalar" : "vector";
    case "unary":
      return plan.type;
    case "invariant":
      return planType(plan.expr);
  }
}

const SCALAR_FUNCTIONS: ReadonlySet<string> = new Set(["pi", "time", "scalar", "max_of", "min_of"]);

/** Functions whose value depends on the step even where their arguments do not. */
const STEP_DEPENDENT: ReadonlySet<string> = new Set([
  "days_in_month",
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "hour",
  "minute",
  "month",
  "year",
  "predict_linear",
  "time",
  "timestamp",
]);

interface Planned {
  plan: Plan;
  /** The same at every step. */
  invariant: boolean;
  /** Worth wrapping: literals and range selectors are not. */
  wrap: boolean;
}

/** What the expressions around a selector tell it. */
interface Surroundings {
  func: string;
  /** Whether histogram buckets are needed: undefined until something decides. */
  stats: boolean | undefined;
}

const STATS_FUNCTIONS: ReadonlySet<string> = new Set(["histogram_count", "histogram_sum", "histogram_avg"]);
const BUCKET_FUNCTIONS: ReadonlySet<string> = new Set([
  "histogram_quantile",
  "histogram_quantiles",
  "histogram_fraction",
  "histogram_stddev",
  "histogram_stdvar",
]);

const invariantPlan = (expr: Plan): Plan => ({ kind: "invariant", expr, pos: expr.pos });
const wrapIf = ({ plan, wrap }: Planned): Plan => (wrap ? invariantPlan(plan) : plan);

class Planner {
  private readonly options: PlanOptions;

  constructor(options: PlanOptions) {
    this.options = options;
  }

  plan(expr: Expr, around: Surroundings): Planned {
    switch (expr.type) {
      case "number":
        return literal({ kind: "number", value: expr.value, pos: expr.pos });
      case "string":
        return literal({ kind: "string", value: expr.value, pos: expr.pos });
      case "paren":
        return this.plan(expr.expr, around);
      case "vectorSelector": {
        const plan = this.selector(expr, around);
        return { plan, invariant: plan.atMs !== undefined, wrap: plan.atMs !== undefined };
      }
      case "matrixSelector": {
        const selector = this.selector(expr.selector, around);
        const rangeMs = this.duration(expr.rangeMs, expr.rangeExpr, false);
        const plan: Plan = { kind: "range", selector, rangeMs, pos: expr.pos };
        return { plan, invariant: selector.atMs !== undefined, wrap: false };
      }
      case "subquery": {
        const time = this.time(expr);
        const stepMs = this.duration(expr.stepMs, expr.stepExpr, false) || this.options.defaultSubqueryStepMs;
        const rangeMs = this.duration(expr.rangeMs, expr.rangeExpr, false);
        const inner = this.plan(expr.expr, { func: around.func, stats: false });
        const body = inner.invariant ? invariantPlan(inner.plan) : inner.plan;
        const plan: Plan = { kind: "subquery", expr: body, rangeMs, stepMs, ...time, pos: expr.pos };
        return { plan, invariant: time.atMs !== undefined, wrap: false };
      }
      case "unary": {
        const inner = this.plan(expr.expr, around);
        const plan: Plan = { kind: "unary", op: expr.op, expr: inner.plan, type: typeOf(expr), pos: expr.pos };
        return { ...inner, plan };
      }
      case "aggregate": {
        const inside = { ...around, func: expr.op };
        const inner = this.plan(expr.expr, inside);
        const param = expr.param && this.plan(expr.param, inside).plan;
        const { op, without, pos } = expr;
        const grouping = expr.grouping;
        return { ...inner, plan: { kind: "aggregate", op, expr: inner.plan, param, grouping, without, pos } };
      }
      case "binary":
        return this.binary(expr, around);
      case "call":
        return this.call(expr, around);
    }
  }

  private binary(expr: Expr & { type: "binary" }, around: Surroundings): Planned {
    const { op, returnBool, pos, matching } = expr;
    const isTrim = op === "</" || op === ">/";
    const inside = { func: "", stats: isTrim ? false : around.stats };
    const lhs = this.plan(expr.lhs, inside);
    const rhs = this.plan(expr.rhs, inside);
    const invariant = lhs.invariant && rhs.invariant;
    const sides = invariant ? { lhs: lhs.plan, rhs: rhs.plan } : { lhs: wrapIf(lhs), rhs: wrapIf(rhs) };
    return { plan: { kind: "binary", op, ...sides, matching, returnBool, pos }, invariant, wrap: invariant };
  }

  private call(expr: Expr & { type: "call" }, around: Surroundings): Planned {
    const { func, pos } = expr;
    const constant = this.queryConstant(func);
    if (constant !== undefined) return literal({ kind: "number", value: constant, pos });
    const inside = { func, stats: around.stats };
    if (BUCKET_FUNCTIONS.has(func)) inside.stats = false;
    else if (STATS_FUNCTIONS.has(func)) inside.stats = around.stats ?? true;
    const args = expr.args.map((arg) => this.plan(arg, inside));
    const evaluated = func === "info" ? args.slice(0, 1) : args;
    const stepless =
      func === "timestamp" ? args.every(({ plan }) => plan.kind === "selector") : !STEP_DEPENDENT.has(func);
    const [first] = args;
    const hasReference = func !== "info" || (first !== undefined && sharedReference(first.plan) !== undefined);
    const invariant = stepless && hasReference && evaluated.every((arg) => arg.invariant);
    if (invariant)
      return { plan: { kind: "call", func, args: args.map(({ plan }) => plan), pos }, invariant, wrap: true };
    const plans = args.map((arg, i) => (func === "info" && i === 1 ? arg.plan : wrapIf(arg)));
    return { plan: { kind: "call", func, args: plans, pos }, invariant, wrap: false };
  }

  /** `start()`, `end()`, `range()` and `step()` are known before the query runs. */
  private queryConstant(func: string): number | undefined {
    const { startMs, endMs, stepMs } = this.options;
    switch (func) {
      case "start":
        return startMs / 1000;
      case "end":
        return endMs / 1000;
      case "range":
        return (endMs - startMs) / 1000;
      case "step":
        return startMs === endMs ? 0 : stepMs / 1000;
      default:
        return undefined;
    }
  }

  private selector(expr: VectorSelector, around: Surroundings): SelectorPlan {
    const { matchers, anchored, smoothed, pos } = expr;
    // Where types and units are labels too, series of one name may differ in these, which are dropped with it.
    const mayDiffer = this.options.typeAndUnitLabels === true;
    const isNamePinned = !mayDiffer && matchers.some((matcher) => matcher.name === METRIC_NAME && pinsValue(matcher));
    const statsOnly = around.stats === true;
    const { func } = around;
    return { kind: "selector", matchers, anchored, smoothed, statsOnly, isNamePinned, func, ...this.time(expr), pos };
  }

  private time({ offsetMs, offsetExpr, atMs, atEdge }: TimeModifiers): TimePlan {
    const edge = atEdge && (atEdge === "start" ? this.options.startMs : this.options.endMs);
    return { offsetMs: this.duration(offsetMs, offsetExpr, true), atMs: edge ?? atMs };
  }

  private duration(ms: number, expr: DurationExpr | undefined, mayBeNegative: boolean): number {
    if (expr === undefined) return Math.trunc(ms);
    const fail = (why: string) => durationError(expr, why);
    const seconds = this.durationValue(expr);
    if (!Number.isFinite(seconds)) throw fail("duration is NaN or infinite");
    if (seconds <= 0 && !mayBeNegative) throw fail("duration must be greater than 0");
    if (Math.abs(seconds) > 2 ** 63 / 1e9) throw fail("duration is out of range");
    return Math.trunc(seconds * 1000);
  }

  private durationValue(expr: DurationOperand): number {
    if (expr.type === "number") return expr.value;
    const lhs = expr.lhs && this.durationValue(expr.lhs);
    const rhs = expr.rhs ? this.durationValue(expr.rhs) : 0;
    switch (expr.op) {
      case "step":
        return this.options.stepMs / 1000;
      case "range":
        return (this.options.endMs - this.options.startMs) / 1000;
      case "min_of":
        return minimum(lhs ?? 0, rhs);
      case "max_of":
        return maximum(lhs ?? 0, rhs);
      case "+":
        return (lhs ?? 0) + rhs;
      case "-":
        return lhs === undefined ? -rhs : lhs - rhs;
      case "*":
        return (lhs ?? 0) * rhs;
      case "/":
        if (rhs === 0) throw durationError(expr, "division by zero");
        return (lhs ?? 0) / rhs;
      case "%":
        if (rhs === 0) throw durationError(expr, "modulo by zero");
        return (lhs ?? 0) % rhs;
      case "^":
        return power(lhs ?? 0, rhs);
    }
  }
}

const literal = (plan: Plan): Planned => ({ plan, invariant: true, wrap: false });

function durationError({ pos }: DurationExpr, why: string): QueryError {
  return new QueryError("bad_data", `${pos.start}:${pos.end}: ${why}`);
}

function pinsValue(matcher: Matcher): boolean {
  if (matcher.type === "=") return matcher.value !== "";
  return matcher.type === "=~" && new CompiledMatcher(matcher).pattern?.literals?.length === 1;
}
