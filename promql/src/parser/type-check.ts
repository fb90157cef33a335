import { CompiledMatcher, METRIC_NAME } from "@tocsin/model";
import {
  type AggregateExpr,
  type BinaryExpr,
  type CallExpr,
  type Expr,
  type PositionRange,
  type ValueType,
  type VectorSelector,
  isComparison,
  isSetOperator,
} from "./ast.ts";
import { functionSignature } from "./functions.ts";
import { quoteString } from "./go-format.ts";
import { ParseError } from "./parse-error.ts";

/** The type a well-formed expression evaluates to. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.type) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "vectorSelector":
    case "aggregate":
      return "vector";
    case "matrixSelector":
    case "subquery":
      return "matrix";
    case "call":
      return functionSignature(expr.func)?.returns ?? "vector";
    case "unary":
    case "paren":
      return typeOf(expr.expr);
    case "binary":
      return typeOf(expr.lhs) === "scalar" && typeOf(expr.rhs) === "scalar" ? "scalar" : "vector";
  }
}

export function describeType(type: ValueType): string {
  if (type === "vector") return "instant vector";
  return type === "matrix" ? "range vector" : type;
}

/**
 * Checks what the grammar cannot, and settles what only types decide: set operators are many-to-many, and operators
 * with a scalar side have no matching. Throws `ParseError`.
 */
export function checkTypes(expr: Expr, text: string): void {
  new TypeChecker(text).check(expr);
}

class TypeChecker {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  check(expr: Expr): ValueType {
    switch (expr.type) {
      case "aggregate":
        this.aggregate(expr);
        break;
      case "binary":
        return this.binary(expr);
      case "call":
        this.call(expr);
        break;
      case "paren":
        return this.check(expr.expr);
      case "unary": {
        const type = this.check(expr.expr);
        if (type !== "scalar" && type !== "vector") {
          this.fail(
            `unary expression only allowed on expressions of type scalar or instant vector, got ${quoteString(describeType(type))}`,
            expr.pos,
          );
        }
        return type;
      }
      case "subquery": {
        const type = this.check(expr.expr);
        if (type !== "vector") this.fail(`subquery is only allowed on instant vector, got ${type} instead`, expr.pos);
        break;
      }
      case "matrixSelector":
        this.selector(expr.selector);
        break;
      case "vectorSelector":
        this.selector(expr);
        break;
      case "number":
      case "string":
        break;
    }
    return typeOf(expr);
  }

  private expectType(expr: Expr, wanted: ValueType, where: string): void {
    const type = this.check(expr);
    if (type !== wanted)
      this.fail(`expected type ${describeType(wanted)} in ${where}, got ${describeType(type)}`, expr.pos);
  }

  private aggregate({ op, expr, param }: AggregateExpr): void {
    this.expectType(expr, "vector", "aggregation expression");
    if (param) this.expectType(param, op === "count_values" ? "string" : "scalar", "aggregation parameter");
  }

  private binary(expr: BinaryExpr): ValueType {
    const lhs = this.check(expr.lhs);
    const rhs = this.check(expr.rhs);
    const { op, matching } = expr;
    const isSet = isSetOperator(op);
    if (expr.returnBool && !isComparison(op))
      this.fail("bool modifier can only be used on comparison operators", this.operatorRange(expr));
    if (isComparison(op) && !expr.returnBool && lhs === "scalar" && rhs === "scalar")
      this.fail("comparisons between scalars must use BOOL modifier", this.operatorRange(expr));
    const type = lhs === "scalar" && rhs === "scalar" ? "scalar" : "vector";
    if (matching === undefined) return type;
    if (isSet && matching.card === "one-to-one") matching.card = "many-to-many";
    const shared = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
    if (shared !== undefined) {
      this.fail(`label ${quoteString(shared)} must not occur in ON and GROUP clause at once`, this.operatorRange(expr));
    }
    for (const [type, side] of [
      [lhs, expr.lhs],
      [rhs, expr.rhs],
    ] as const) {
      if (type !== "scalar" && type !== "vector")
        this.fail("binary expression must contain only scalar and instant vector types", side.pos);
    }
    const fills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
    if (lhs !== "vector" || rhs !== "vector") {
      if (matching.labels.length > 0) this.fail("vector matching only allowed between instant vectors", expr.pos);
      if (fills) this.fail("filling in missing series only allowed between instant vectors", expr.pos);
      delete expr.matching;
      if (isSet) this.fail(`set operator ${quoteString(op)} not allowed in binary scalar expression`, expr.pos);
    } else if (isSet) {
      if (matching.card !== "many-to-many") this.fail(`no grouping allowed for ${quoteString(op)} operation`, expr.pos);
      if (fills) this.fail("filling in missing series not allowed for set operators", expr.pos);
    }
    return type;
  }

  /** Where the operator stands, for errors about it rather than its operands. */
  private operatorRange({ lhs, rhs }: BinaryExpr): PositionRange {
    let start = lhs.pos.end;
    while (" \t\r\n".includes(this.text.charAt(start))) start++;
    return { start, end: rhs.pos.start };
  }

  private call(expr: CallExpr): void {
    const { func, args, pos } = expr;
    const signature = functionSignature(func);
    if (signature === undefined) return this.fail(`unknown function with name ${quoteString(func)}`, pos);
    const { args: types, variadic } = signature;
    const name = quoteString(func);
    const least = types.length - 1;
    if (variadic === 0) {
      if (args.length !== types.length)
        this.fail(`expected ${types.length} argument(s) in call to ${name}, got ${args.length}`, pos);
    } else if (args.length < least) {
      this.fail(`expected at least ${least} argument(s) in call to ${name}, got ${args.length}`, pos);
    } else if (variadic > 0 && args.length > least + variadic) {
      this.fail(`expected at most ${least + variadic} argument(s) in call to ${name}, got ${args.length}`, pos);
    }
    const labels = func === "info" ? args[1] : undefined;
    if (labels) this.infoLabels(labels, expr);
    for (const [i, arg] of args.entries()) {
      const wanted = types[Math.min(i, types.length - 1)] ?? "vector";
      if (arg === labels && arg.type === "vectorSelector") continue;
      const type = this.check(arg);
      if (type !== wanted) {
        this.fail(
          `expected type ${describeType(wanted)} in call to function ${name}, got ${describeType(type)}`,
          arg.pos,
        );
      }
    }
  }

  /** The second argument of info() is a selector in form only: it names labels and may match everything. */
  private infoLabels(labels: Expr, call: CallExpr): void {
    const type = typeOf(labels);
    if (type !== "vector")
      this.fail(`expected type instant vector in call to function "info", got ${describeType(type)}`, call.pos);
    if (labels.type !== "vectorSelector") this.fail("expected label selectors only", labels.pos);
    else if (labels.name !== "") this.fail("expected label selectors only, got vector selector instead", labels.pos);
  }

  private selector({ name, matchers, pos }: VectorSelector): void {
    if (name !== "") {
      const other = matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME);
      if (other)
        this.fail(`metric name must not be set twice: ${quoteString(name)} or ${quoteString(other.value)}`, pos);
      return;
    }
    if (matchers.every((matcher) => new CompiledMatcher(matcher).matches("")))
      this.fail("vector selector must contain at least one non-empty matcher", pos);
  }

  private fail(reason: string, { start, end }: PositionRange): never {
    throw new ParseError(reason, { start, end }, this.text);
  }
}
