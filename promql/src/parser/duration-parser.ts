import type { DurationExpr, DurationOperand, PositionRange } from "./ast.ts";
import type { Token } from "./lexer.ts";
import { MAX_DEPTH, TokenStream } from "./token-stream.ts";

export interface DurationParserOptions {
  /** Arithmetic in ranges and offsets, `step()`, `range()`; default false. */
  durationExpressions?: boolean;
}

const PRECEDENCE = { "+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3 } as const;
const POWER = 3;
const CALLS: ReadonlySet<string> = new Set(["step", "range", "max_of", "min_of"]);

/** Seconds that fit into Prometheus' 64-bit nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;
// NaN is no duration either; the reference takes it for one of -292 years.
const isOutOfRange = (seconds: number): boolean => !(Math.abs(seconds) <= MAX_SECONDS);

/** Parses the durations of ranges, steps and offsets, which may be expressions of their own small language. */
export class DurationParser extends TokenStream {
  private readonly allowed: boolean;

  constructor(text: string, { durationExpressions = false }: DurationParserOptions) {
    super(text);
    this.allowed = durationExpressions;
  }

  /** An offset takes one operand, so that `foo offset 5m + 3` adds to foo; arithmetic needs parentheses. */
  protected offsetDuration(): DurationOperand {
    const sign = this.peek();
    if (sign.kind === "(") return this.durationBinary(0);
    if (sign.kind !== "+" && sign.kind !== "-") return this.durationOperand();
    this.take();
    const next = this.peek();
    if (next.kind === "number" || next.kind === "duration") {
      const literal = this.numberLiteral();
      if (sign.kind === "-") literal.value = -literal.value;
      if (isOutOfRange(literal.value)) this.fail("duration out of range", sign);
      literal.pos.start = sign.start;
      return literal;
    }
    if (CALLS.has(next.kind)) {
      const rhs = this.durationCall(false);
      const pos = { start: sign.start, end: rhs.pos.end };
      const expr: DurationExpr = { type: "duration", op: sign.kind, rhs, wrapped: false, pos };
      this.requireDurationExpressions(expr);
      return expr;
    }
    if (next.kind === "(") {
      this.take();
      const inner = this.nested(() => this.durationBinary(0));
      const end = this.expect(")").end;
      return this.signed(sign, wrap(inner, { start: inner.pos.start, end }));
    }
    const operand = this.signed(
      sign,
      this.nested(() => this.durationBinary(POWER)),
    );
    return this.durationRest(operand, 0);
  }

  protected positiveDuration(): DurationOperand {
    const duration = this.durationBinary(0);
    if (duration.type === "number" && duration.value <= 0) this.fail("duration must be greater than 0", duration.pos);
    return duration;
  }

  private durationBinary(minPrecedence: number): DurationOperand {
    const sign = this.accept("+") ?? this.accept("-");
    const first = sign
      ? this.signed(
          sign,
          this.nested(() => this.durationBinary(POWER)),
        )
      : this.durationOperand();
    return this.durationRest(first, minPrecedence);
  }

  private durationRest(first: DurationOperand, minPrecedence: number): DurationOperand {
    let lhs = first;
    for (let height = 0; ; height++) {
      const operator = this.peek();
      const op = operator.kind;
      if (op !== "+" && op !== "-" && op !== "*" && op !== "/" && op !== "%" && op !== "^") return lhs;
      const precedence = PRECEDENCE[op];
      if (precedence < minPrecedence) return lhs;
      if (height + this.depth > MAX_DEPTH) this.tooDeep();
      this.take();
      const rhs = this.nested(() => this.durationBinary(op === "^" ? precedence : precedence + 1));
      this.requireDurationExpressions(lhs);
      if (rhs.type === "number" && rhs.value === 0 && (op === "/" || op === "%"))
        this.fail(op === "/" ? "division by zero" : "modulo by zero", operator);
      lhs = { type: "duration", op, lhs, rhs, wrapped: false, pos: { start: lhs.pos.start, end: rhs.pos.end } };
    }
  }

  private durationOperand(): DurationOperand {
    const token = this.peek();
    if (CALLS.has(token.kind)) return this.durationCall(true);
    if (token.kind === "(") {
      this.take();
      const inner = this.nested(() => this.durationBinary(0));
      const end = this.expect(")").end;
      this.requireDurationExpressions(inner);
      return wrap(inner, { start: token.start, end });
    }
    if (token.kind !== "number" && token.kind !== "duration") this.unexpected();
    const literal = this.numberLiteral();
    if (isOutOfRange(literal.value)) this.fail("duration out of range", literal.pos);
    return literal;
  }

  private durationCall(check: boolean): DurationExpr {
    const token = this.take();
    const op = token.kind as "step" | "range" | "max_of" | "min_of";
    this.expect("(");
    const isNullary = op === "step" || op === "range";
    const lhs = isNullary ? undefined : this.nested(() => this.durationBinary(0));
    if (!isNullary) this.expect(",");
    const rhs = isNullary ? undefined : this.nested(() => this.durationBinary(0));
    const pos = { start: token.start, end: this.expect(")").end };
    const expr: DurationExpr = { type: "duration", op, ...(lhs && { lhs }), ...(rhs && { rhs }), wrapped: false, pos };
    if (check) this.requireDurationExpressions(lhs && rhs ? { ...expr, pos: { ...pos, start: lhs.pos.start } } : expr);
    return expr;
  }

  private signed(sign: Token, operand: DurationOperand): DurationOperand {
    if (operand.type === "duration") {
      if (sign.kind !== "-") return operand;
      const pos = { start: sign.start, end: operand.pos.end };
      return { type: "duration", op: "-", rhs: operand, wrapped: false, pos };
    }
    if (sign.kind === "-") operand.value = -operand.value;
    if (isOutOfRange(operand.value)) this.fail("duration out of range", sign);
    operand.pos.start = sign.start;
    return operand;
  }

  private requireDurationExpressions(expr: DurationOperand): void {
    if (!this.allowed) this.fail("experimental duration expression is not enabled", expr.pos);
  }
}

/** Remembers parentheses, so that printing keeps them; a bare number becomes `+number` in them. */
function wrap(operand: DurationOperand, pos: PositionRange): DurationExpr {
  if (operand.type === "duration") return Object.assign(operand, { wrapped: true });
  return { type: "duration", op: "+", rhs: operand, wrapped: true, pos };
}
