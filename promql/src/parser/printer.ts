import { type Matcher, METRIC_NAME, compareStrings, formatDuration } from "@tocsin/model";
import { isValidLabelName } from "./label-name.ts";
import {
  type AggregateExpr,
  type BinaryExpr,
  type DurationOperand,
  type Expr,
  type MatrixSelector,
  type SubqueryExpr,
  type TimeModifiers,
  type VectorSelector,
} from "./ast.ts";
import { formatPlain, formatShortest, quoteString } from "./go-format.ts";

/** Lines longer than this are broken by `pretty`. */
const MAX_LINE = 100;

/**
 * Prints an expression so that parsing it again gives the same; `pretty` breaks what is longer than 100 characters
 * over indented lines.
 */
export function formatExpr(expr: Expr, options: { pretty?: boolean } = {}): string {
  return options.pretty ? pretty(expr, 0) : print(expr);
}

function print(expr: Expr): string {
  switch (expr.type) {
    case "number":
      return printNumber(expr.value, expr.duration);
    case "string":
      return quoteString(expr.value);
    case "paren":
      return `(${print(expr.expr)})`;
    case "unary":
      return `${expr.op}${print(expr.expr)}`;
    case "call":
      return `${expr.func}(${expr.args.map(print).join(", ")})`;
    case "aggregate": {
      const args = expr.param ? [expr.param, expr.expr] : [expr.expr];
      return `${printAggregator(expr)}(${args.map(print).join(", ")})`;
    }
    case "binary":
      return `${print(expr.lhs)} ${printOperator(expr)} ${print(expr.rhs)}`;
    case "vectorSelector":
      return printSelector(expr) + printAt(expr) + printExtension(expr) + printOffset(expr);
    case "matrixSelector":
      return printSelector(expr.selector) + printRange(expr);
    case "subquery":
      return print(expr.expr) + printSubqueryRange(expr);
  }
}

function pretty(expr: Expr, level: number): string {
  const indent = "  ".repeat(level);
  if (expr.type === "subquery") return isLong(expr) ? pretty(expr.expr, level) + printSubqueryRange(expr) : print(expr);
  if (expr.type === "unary") return indent + expr.op + pretty(expr.expr, level).trim();
  if (!isLong(expr)) return indent + print(expr);
  switch (expr.type) {
    case "paren":
      return `${indent}(\n${pretty(expr.expr, level + 1)}\n${indent})`;
    case "call": {
      const args = expr.args.map((arg) => pretty(arg, level + 1));
      return `${indent}${expr.func}(\n${args.join(",\n")}\n${indent})`;
    }
    case "aggregate": {
      const args = expr.param ? [expr.param, expr.expr] : [expr.expr];
      const lines = args.map((arg) => pretty(arg, level + 1));
      return `${indent}${printAggregator(expr)}(\n${lines.join(",\n")}\n${indent})`;
    }
    case "binary":
      return `${pretty(expr.lhs, level + 1)}\n${indent}${printOperator(expr)}\n${pretty(expr.rhs, level + 1)}`;
    case "number":
    case "string":
    case "vectorSelector":
    case "matrixSelector":
      return indent + print(expr);
  }
}

const utf8 = new TextEncoder();
const isLong = (expr: Expr): boolean => utf8.encode(print(expr)).length > MAX_LINE;

function printNumber(value: number, duration: boolean): string {
  return duration ? printDuration(value * 1000) : formatPlain(value);
}

const printDuration = (ms: number): string => (ms < 0 ? "-" : "") + formatDuration(Math.trunc(Math.abs(ms)));

function printAggregator({ op, grouping, without }: AggregateExpr): string {
  if (without) return `${op} without (${printLabels(grouping)}) `;
  return grouping.length > 0 ? `${op} by (${printLabels(grouping)}) ` : op;
}

function printLabels(names: readonly string[]): string {
  return names.map((name) => (isValidLabelName(name) ? name : quoteString(name))).join(", ");
}

function printOperator({ op, returnBool, matching }: BinaryExpr): string {
  let text: string = op;
  if (returnBool) text += " bool";
  if (matching === undefined) return text;
  const { card, on, labels, include, fillLeft, fillRight } = matching;
  const isGrouped = card === "many-to-one" || card === "one-to-many";
  if (labels.length > 0 || on || isGrouped) text += ` ${on ? "on" : "ignoring"} (${printLabels(labels)})`;
  if (isGrouped) text += ` group_${card === "many-to-one" ? "left" : "right"} (${printLabels(include)})`;
  if (fillLeft !== undefined && fillLeft === fillRight) return `${text} fill (${formatShortest(fillLeft)})`;
  if (fillLeft !== undefined) text += ` fill_left (${formatShortest(fillLeft)})`;
  if (fillRight !== undefined) text += ` fill_right (${formatShortest(fillRight)})`;
  return text;
}

function printSelector({ name, matchers }: VectorSelector): string {
  const conditions = matchers
    .filter((matcher) => !(isNameMatcher(matcher) && matcher.value === name && name !== ""))
    .map(printMatcher)
    .sort(compareStrings);
  return conditions.length > 0 ? `${name}{${conditions.join(",")}}` : name;
}

const isNameMatcher = ({ name, type }: Matcher): boolean => name === METRIC_NAME && type === "=";

function printMatcher({ name, type, value }: Matcher): string {
  return (isValidLabelName(name) ? name : quoteString(name)) + type + quoteString(value);
}

function printAt({ atMs, atEdge }: TimeModifiers): string {
  if (atMs !== undefined) return ` @ ${(atMs / 1000).toFixed(3)}`;
  return atEdge === undefined ? "" : ` @ ${atEdge}()`;
}

function printOffset({ offsetMs, offsetExpr }: TimeModifiers): string {
  if (offsetExpr) return ` offset ${printDurationExpr(offsetExpr)}`;
  return offsetMs === 0 ? "" : ` offset ${printDuration(offsetMs)}`;
}

function printExtension({ anchored, smoothed }: VectorSelector): string {
  if (anchored) return " anchored";
  return smoothed ? " smoothed" : "";
}

function printRange({ selector, rangeMs, rangeExpr }: MatrixSelector): string {
  const range = rangeExpr ? printDurationExpr(rangeExpr) : printDuration(rangeMs);
  return `[${range}]${printExtension(selector)}${printAt(selector)}${printOffset(selector)}`;
}

function printSubqueryRange(expr: SubqueryExpr): string {
  const range = expr.rangeExpr ? printDurationExpr(expr.rangeExpr) : printDuration(expr.rangeMs);
  const step = expr.stepExpr ? printDurationExpr(expr.stepExpr) : expr.stepMs ? printDuration(expr.stepMs) : "";
  return `[${range}:${step}]${printAt(expr)}${printOffset(expr)}`;
}

function printDurationExpr(expr: DurationOperand): string {
  if (expr.type === "number") return printNumber(expr.value, expr.duration);
  const { op, lhs, rhs, wrapped } = expr;
  const text = printDurationOperation(op, lhs && printDurationExpr(lhs), rhs && printDurationExpr(rhs));
  return wrapped ? `(${text})` : text;
}

function printDurationOperation(op: string, lhs: string | undefined, rhs = ""): string {
  if (op === "step" || op === "range") return `${op}()`;
  if (op === "min_of" || op === "max_of") return `${op}(${lhs}, ${rhs})`;
  if (lhs === undefined) return op === "-" ? `-${rhs}` : rhs;
  return `${lhs} ${op} ${rhs}`;
}
