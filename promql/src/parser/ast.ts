import type { Matcher } from "@tocsin/model";

/** A stretch of the query text, in UTF-16 code units: `text.slice(start, end)`. */
export interface PositionRange {
  start: number;
  end: number;
}

export type ValueType = "scalar" | "vector" | "matrix" | "string";

export type AggregateOp =
  | "sum"
  | "avg"
  | "count"
  | "min"
  | "max"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "count_values"
  | "quantile"
  | "limitk"
  | "limit_ratio";

export type ArithmeticOp = "+" | "-" | "*" | "/" | "%" | "^" | "atan2";
export type ComparisonOp = "==" | "!=" | ">" | "<" | ">=" | "<=";
export type SetOp = "and" | "or" | "unless";
/** `</` keeps the buckets of a histogram below a value, `>/` those above. */
export type TrimOp = "</" | ">/";
export type BinaryOp = ArithmeticOp | ComparisonOp | SetOp | TrimOp;

export type MatchCardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";

export interface VectorMatching {
  card: MatchCardinality;
  /** The labels of `on` or `ignoring`. */
  labels: string[];
  on: boolean;
  /** The labels of `group_left` or `group_right`. */
  include: string[];
  fillLeft?: number;
  fillRight?: number;
}

export interface NumberLiteral {
  type: "number";
  value: number;
  /** Whether it was written as a duration (`5m` for 300). */
  duration: boolean;
  pos: PositionRange;
}

export interface StringLiteral {
  type: "string";
  value: string;
  pos: PositionRange;
}

/** Where in time a selector or subquery looks: its `offset` and `@`, as written. */
export interface TimeModifiers {
  /** Milliseconds; digits below one are kept for printing but don't count in evaluation. 0 without an offset. */
  offsetMs: number;
  offsetExpr?: DurationExpr;
  /** The time of `@ 123`. */
  atMs?: number;
  /** `@ start()` or `@ end()`. */
  atEdge?: "start" | "end";
}

export interface VectorSelector extends TimeModifiers {
  type: "vectorSelector";
  /** The metric name before the braces; empty when it stands inside or is missing. */
  name: string;
  /** All conditions, with the name's own as the last one. */
  matchers: Matcher[];
  anchored: boolean;
  smoothed: boolean;
  pos: PositionRange;
}

export interface MatrixSelector {
  type: "matrixSelector";
  selector: VectorSelector;
  rangeMs: number;
  rangeExpr?: DurationExpr;
  pos: PositionRange;
}

export interface SubqueryExpr extends TimeModifiers {
  type: "subquery";
  expr: Expr;
  rangeMs: number;
  rangeExpr?: DurationExpr;
  /** 0 means the engine's default. */
  stepMs: number;
  stepExpr?: DurationExpr;
  pos: PositionRange;
}

export interface CallExpr {
  type: "call";
  func: string;
  args: Expr[];
  pos: PositionRange;
}

export interface AggregateExpr {
  type: "aggregate";
  op: AggregateOp;
  expr: Expr;
  param?: Expr;
  grouping: string[];
  without: boolean;
  pos: PositionRange;
}

export interface BinaryExpr {
  type: "binary";
  op: BinaryOp;
  lhs: Expr;
  rhs: Expr;
  /** Only between two vectors. */
  matching?: VectorMatching;
  returnBool: boolean;
  pos: PositionRange;
}

export interface UnaryExpr {
  type: "unary";
  op: "+" | "-";
  expr: Expr;
  pos: PositionRange;
}

export interface ParenExpr {
  type: "paren";
  expr: Expr;
  pos: PositionRange;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | SubqueryExpr
  | CallExpr
  | AggregateExpr
  | BinaryExpr
  | UnaryExpr
  | ParenExpr;

/** Arithmetic on durations, as in `[5m + step()]`; resolved to milliseconds before evaluation. */
export interface DurationExpr {
  type: "duration";
  op: "+" | "-" | "*" | "/" | "%" | "^" | "step" | "range" | "min_of" | "max_of";
  /** Missing for unary operators, `step()` and `range()`. */
  lhs?: DurationOperand;
  rhs?: DurationOperand;
  /** Whether it stands in parentheses. */
  wrapped: boolean;
  pos: PositionRange;
}

export type DurationOperand = DurationExpr | NumberLiteral;

const COMPARISON: ReadonlySet<string> = new Set(["==", "!=", ">", "<", ">=", "<="]);
const SET: ReadonlySet<string> = new Set(["and", "or", "unless"]);
const WITH_PARAM: ReadonlySet<string> = new Set([
  "topk",
  "bottomk",
  "count_values",
  "quantile",
  "limitk",
  "limit_ratio",
]);

export const isComparison = (op: BinaryOp): op is ComparisonOp => COMPARISON.has(op);
export const isSetOperator = (op: BinaryOp): op is SetOp => SET.has(op);
export const takesParam = (op: AggregateOp): boolean => WITH_PARAM.has(op);

/** The direct sub-expressions, in the order in which they are evaluated. */
export function children(expr: Expr): Expr[] {
  switch (expr.type) {
    case "number":
    case "string":
    case "vectorSelector":
      return [];
    case "matrixSelector":
      return [expr.selector];
    case "subquery":
    case "unary":
    case "paren":
      return [expr.expr];
    case "call":
      return expr.args;
    case "aggregate":
      return expr.param === undefined ? [expr.expr] : [expr.expr, expr.param];
    case "binary":
      return [expr.lhs, expr.rhs];
  }
}

/** Every instant or range selector in the expression, in the order of the text. */
export function vectorSelectors(expr: Expr): VectorSelector[] {
  if (expr.type === "vectorSelector") return [expr];
  return children(expr).flatMap(vectorSelectors);
}
