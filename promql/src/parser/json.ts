import type { DurationOperand, Expr, TimeModifiers, VectorSelector } from "./ast.ts";
import { functionSignature } from "./functions.ts";
import { formatPlain } from "./go-format.ts";

/** The tree as `/api/v1/parse_query` answers it. Durations and times are whole milliseconds. */
export function exprToJson(expr: Expr): Record<string, unknown> {
  switch (expr.type) {
    case "number":
      return { type: "numberLiteral", val: formatPlain(expr.value) };
    case "string":
      return { type: "stringLiteral", val: expr.value };
    case "paren":
      return { type: "parenExpr", expr: exprToJson(expr.expr) };
    case "unary":
      return { type: "unaryExpr", op: expr.op, expr: exprToJson(expr.expr) };
    case "call": {
      const { args = [], variadic = 0, returns } = functionSignature(expr.func) ?? {};
      return {
        type: "call",
        func: { name: expr.func, argTypes: args, variadic, returnType: returns },
        args: expr.args.map(exprToJson),
      };
    }
    case "aggregate":
      return {
        type: "aggregation",
        op: expr.op,
        expr: exprToJson(expr.expr),
        param: expr.param ? exprToJson(expr.param) : null,
        grouping: expr.grouping,
        without: expr.without,
      };
    case "binary":
      return {
        type: "binaryExpr",
        op: expr.op,
        lhs: exprToJson(expr.lhs),
        rhs: exprToJson(expr.rhs),
        matching: expr.matching
          ? {
              card: expr.matching.card,
              labels: expr.matching.labels,
              on: expr.matching.on,
              include: expr.matching.include,
              fillValues: { lhs: expr.matching.fillLeft ?? null, rhs: expr.matching.fillRight ?? null },
            }
          : null,
        bool: expr.returnBool,
      };
    case "vectorSelector":
      return { type: "vectorSelector", ...selectorToJson(expr), ...timeToJson(expr) };
    case "matrixSelector":
      return {
        type: "matrixSelector",
        ...selectorToJson(expr.selector),
        ...timeToJson(expr.selector),
        range: Math.trunc(expr.rangeMs),
        rangeExpr: durationToJson(expr.rangeExpr),
      };
    case "subquery":
      return {
        type: "subquery",
        expr: exprToJson(expr.expr),
        range: Math.trunc(expr.rangeMs),
        rangeExpr: durationToJson(expr.rangeExpr),
        step: Math.trunc(expr.stepMs),
        stepExpr: durationToJson(expr.stepExpr),
        ...timeToJson(expr),
      };
  }
}

function selectorToJson({ name, matchers, anchored, smoothed }: VectorSelector) {
  return { name, matchers: matchers.map(({ name, value, type }) => ({ name, value, type })), anchored, smoothed };
}

function timeToJson({ offsetMs, offsetExpr, atMs, atEdge }: TimeModifiers) {
  return {
    offset: Math.trunc(offsetMs),
    offsetExpr: durationToJson(offsetExpr),
    timestamp: atMs ?? null,
    startOrEnd: atEdge ?? null,
  };
}

function durationToJson(expr: DurationOperand | undefined): Record<string, unknown> | null {
  if (expr === undefined) return null;
  if (expr.type === "number") return { type: "numberLiteral", val: formatPlain(expr.value), duration: expr.duration };
  const { op, lhs, rhs, wrapped } = expr;
  return { type: "durationExpr", op, lhs: durationToJson(lhs), rhs: durationToJson(rhs), wrapped };
}
