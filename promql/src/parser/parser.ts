import { CompiledMatcher, type MatchType, type Matcher, METRIC_NAME } from "@tocsin/model";
import type {
  AggregateExpr,
  AggregateOp,
  BinaryExpr,
  BinaryOp,
  DurationExpr,
  DurationOperand,
  Expr,
  TimeModifiers,
  VectorMatching,
  VectorSelector,
} from "./ast.ts";
import { takesParam } from "./ast.ts";
import { functionSignature } from "./functions.ts";
import { formatFixed, quoteString } from "./go-format.ts";
import { DurationParser, type DurationParserOptions } from "./duration-parser.ts";
import { AGGREGATORS, type Token } from "./lexer.ts";
import { unquote } from "./literals.ts";
import { MAX_DEPTH, type Situation } from "./token-stream.ts";
import { checkTypes } from "./type-check.ts";

export interface ParserOptions extends DurationParserOptions {
  /** Functions and aggregations that Prometheus has behind a feature flag; default false. */
  experimentalFunctions?: boolean;
  /** The `anchored` and `smoothed` modifiers; default false. */
  extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left` and `fill_right` on binary operators; default false. */
  fillModifiers?: boolean;
}

/** Parses and type-checks a query. Throws `ParseError` for the first thing that is wrong. */
export function parseExpr(text: string, options: ParserOptions = {}): Expr {
  const expr = new Parser(text, options).parse();
  checkTypes(expr, text);
  return expr;
}

/** Parses one series selector, as `match[]` takes it; it may match every series. Throws `ParseError`. */
export function parseSelector(text: string): VectorSelector {
  return new Parser(text, {}).parseSelector();
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  unless: 2,
  "==": 3,
  "!=": 3,
  "<": 3,
  "<=": 3,
  ">": 3,
  ">=": 3,
  "</": 3,
  ">/": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};
const POWER = 6;

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
const CONTEXT_FUNCTIONS = words("start end step range max_of min_of");
const METRIC_NAMES = words(
  "identifier metricIdentifier avg bottomk by count count_values fill fill_left fill_right group and or unless max min offset quantile stddev stdvar sum topk without start end limitk limit_ratio step range anchored smoothed max_of min_of",
);
const LABEL_NAMES = words(
  "identifier metricIdentifier avg bool bottomk by count count_values group group_left group_right fill fill_left fill_right ignoring and or unless max min offset on quantile stddev stdvar sum topk start end atan2 limitk limit_ratio step range anchored smoothed max_of min_of",
);
const MATCH_OPERATORS = words("= != =~ !~");

const AGGREGATION: Situation = { within: "aggregation", expected: "" };
const OFFSET: Situation = { within: "offset", expected: "number, duration, step(), or range()" };
const RANGE: Situation = { within: "subquery or range selector", expected: "number, duration, step(), or range()" };

/**
 * Recursive descent with precedence climbing. The order in which it finds faults, and what it calls them, follows the
 * reference's generated parser, so that both report the same first error.
 */
class Parser extends DurationParser {
  private readonly options: ParserOptions;

  constructor(text: string, options: ParserOptions) {
    super(text, options);
    this.options = options;
  }

  parse(): Expr {
    if (this.peek().kind === "eof") this.fail("no expression found in input", { start: 0, end: 0 });
    const expr = this.binary(0);
    if (this.peek().kind !== "eof") this.unexpected();
    return expr;
  }

  parseSelector(): VectorSelector {
    const token = this.peek();
    if (token.kind !== "{" && !METRIC_NAMES.has(token.kind)) this.unexpected();
    const selector = this.vectorSelector();
    if (this.peek().kind !== "eof") this.unexpected();
    return selector;
  }

  private binary(minPrecedence: number): Expr {
    let lhs = this.prefix();
    for (let height = 0; ; height++) {
      const operator = this.peek();
      const precedence = PRECEDENCE[operator.kind];
      if (precedence === undefined || precedence < minPrecedence) return lhs;
      if (height + this.depth > MAX_DEPTH) this.tooDeep();
      this.take();
      const modifiers = this.binaryModifiers();
      const rhs = this.nested(() => this.binary(operator.kind === "^" ? precedence : precedence + 1));
      lhs = this.finishBinary(lhs, operator.kind as BinaryOp, modifiers, rhs);
    }
  }

  private finishBinary(lhs: Expr, op: BinaryOp, modifiers: BinaryModifiers, rhs: Expr): BinaryExpr {
    const pos = { start: lhs.pos.start, end: rhs.pos.end };
    const { fillLeft, fillRight } = modifiers.matching;
    if (!this.options.fillModifiers && (fillLeft !== undefined || fillRight !== undefined))
      this.fail("binop fill modifiers are experimental and not enabled", pos);
    return { type: "binary", op, lhs, rhs, ...modifiers, pos };
  }

  private binaryModifiers(): BinaryModifiers {
    const returnBool = this.accept("bool") !== undefined;
    const matching: VectorMatching = { card: "one-to-one", labels: [], on: false, include: [] };
    const on = this.accept("on");
    if (on ?? this.accept("ignoring")) {
      matching.on = on !== undefined;
      matching.labels = this.groupingLabels();
      const left = this.accept("group_left");
      if (left ?? this.accept("group_right")) {
        matching.card = left ? "many-to-one" : "one-to-many";
        if (this.peek().kind === "(" || !this.startsExpression()) matching.include = this.groupingLabels();
      }
    }
    if (this.accept("fill")) {
      matching.fillLeft = matching.fillRight = this.fillValue();
    } else if (this.accept("fill_left")) {
      matching.fillLeft = this.fillValue();
      if (this.accept("fill_right")) matching.fillRight = this.fillValue();
    } else if (this.accept("fill_right")) {
      matching.fillRight = this.fillValue();
      if (this.accept("fill_left")) matching.fillLeft = this.fillValue();
    }
    return { returnBool, matching };
  }

  private fillValue(): number {
    this.expect("(");
    const minus = this.accept("-");
    if (!minus) this.accept("+");
    if (this.peek().kind !== "number" && this.peek().kind !== "duration") this.unexpected();
    const { value } = this.numberLiteral();
    this.expect(")");
    return minus ? -value : value;
  }

  private prefix(): Expr {
    const sign = this.accept("+") ?? this.accept("-");
    if (sign === undefined) return this.postfix(this.primary());
    const expr = this.nested(() => this.binary(POWER));
    if (expr.type === "number") {
      expr.pos.start = sign.start;
      if (sign.kind === "-") expr.value = -expr.value;
      return expr;
    }
    return { type: "unary", op: sign.kind as "+" | "-", expr, pos: { start: sign.start, end: expr.pos.end } };
  }

  private primary(): Expr {
    const token = this.peek();
    switch (token.kind) {
      case "number":
      case "duration":
        return this.numberLiteral();
      case "string":
        this.take();
        return { type: "string", value: unquote(token.text), pos: { start: token.start, end: token.end } };
      case "(": {
        this.take();
        const expr = this.nested(() => this.binary(0));
        const end = this.expect(")").end;
        return { type: "paren", expr, pos: { start: token.start, end } };
      }
      case "{":
        return this.vectorSelector();
      default:
        break;
    }
    if (!METRIC_NAMES.has(token.kind)) this.unexpected();
    this.take();
    const next = this.peek().kind;
    if (AGGREGATORS.has(token.kind) && (next === "(" || next === "by" || next === "without"))
      return this.aggregate(token);
    if (next === "(" && (token.kind === "identifier" || CONTEXT_FUNCTIONS.has(token.kind))) return this.call(token);
    return this.vectorSelector(token);
  }

  private aggregate(name: Token): AggregateExpr {
    const op = name.kind as AggregateOp;
    return this.within(AGGREGATION, () => {
      let modifier = this.groupingModifier();
      const args = this.callArguments();
      modifier ??= this.groupingModifier();
      const pos = { start: name.start, end: this.lastEnd };
      if (args.length === 0) this.fail("no arguments for aggregate expression provided", pos);
      if ((op === "limitk" || op === "limit_ratio") && !this.options.experimentalFunctions) {
        this.fail(
          `${op}() is experimental and must be enabled with --enable-feature=promql-experimental-functions`,
          pos,
        );
      }
      const wanted = takesParam(op) ? 2 : 1;
      const expr = args[wanted - 1];
      if (args.length !== wanted || expr === undefined) {
        this.fail(
          `wrong number of arguments for aggregate expression provided, expected ${wanted}, got ${args.length}`,
          pos,
        );
      }
      const { grouping, without } = modifier ?? { grouping: [], without: false };
      const param = wanted === 2 ? args[0] : undefined;
      return { type: "aggregate", op, expr, ...(param && { param }), grouping, without, pos };
    });
  }

  private groupingModifier(): { grouping: string[]; without: boolean } | undefined {
    const by = this.accept("by");
    if (by === undefined && this.accept("without") === undefined) return undefined;
    return { grouping: this.groupingLabels(), without: by === undefined };
  }

  private groupingLabels(): string[] {
    const wants = (expected: string) => ({ within: "grouping opts", expected });
    const labels: string[] = [];
    this.expect("(", wants('"("'));
    while (this.accept(")") === undefined) {
      labels.push(this.groupingLabel(wants("label")));
      if (this.accept(",")) continue;
      this.expect(")", wants('"," or ")"'));
      break;
    }
    return labels;
  }

  private groupingLabel(situation: Situation): string {
    const token = this.peek();
    if (token.kind !== "string" && !LABEL_NAMES.has(token.kind)) this.unexpected(situation);
    this.take();
    const name = token.kind === "string" ? unquote(token.text) : token.text;
    if (name === "") this.fail(`invalid label name for grouping: ${quoteString(name)}`, token);
    return name;
  }

  private call(name: Token): Expr {
    const args = this.callArguments();
    const signature = functionSignature(name.text);
    if (signature === undefined) this.fail(`unknown function with name ${quoteString(name.text)}`, name);
    if (signature.experimental && !this.options.experimentalFunctions)
      this.fail(`function ${quoteString(name.text)} is not enabled`, name);
    return { type: "call", func: name.text, args, pos: { start: name.start, end: this.lastEnd } };
  }

  private callArguments(): Expr[] {
    const args: Expr[] = [];
    this.expect("(");
    if (this.accept(")")) return args;
    for (;;) {
      args.push(this.nested(() => this.binary(0)));
      const comma = this.accept(",");
      if (comma === undefined) break;
      if (!this.startsExpression()) this.fail("trailing commas not allowed in function call args", comma);
    }
    this.expect(")");
    return args;
  }

  private startsExpression(): boolean {
    const { kind } = this.peek();
    return METRIC_NAMES.has(kind) || ["number", "duration", "string", "(", "{", "+", "-"].includes(kind);
  }

  private vectorSelector(name?: Token): VectorSelector {
    const first = name ?? (this.peek().kind === "{" ? undefined : this.take());
    const start = first?.start ?? this.peek().start;
    const matchers = this.peek().kind === "{" ? this.labelMatchers() : [];
    const text = first?.text ?? "";
    if (text !== "") matchers.push({ name: METRIC_NAME, type: "=", value: text });
    const pos = { start, end: this.lastEnd };
    return { type: "vectorSelector", name: text, matchers, offsetMs: 0, anchored: false, smoothed: false, pos };
  }

  private labelMatchers(): Matcher[] {
    const wants = (expected: string) => ({ within: "label matching", expected });
    const matchers: Matcher[] = [];
    this.take();
    while (this.accept("}") === undefined) {
      matchers.push(this.labelMatcher(wants));
      if (this.accept(",")) continue;
      this.expect("}", wants('"," or "}"'));
      break;
    }
    return matchers;
  }

  private labelMatcher(wants: (expected: string) => Situation): Matcher {
    const label = this.peek();
    if (label.kind !== "identifier" && label.kind !== "string") this.unexpected(wants('identifier or "}"'));
    this.take();
    const isQuoted = label.kind === "string";
    const name = isQuoted ? unquote(label.text) : label.text;
    if (!MATCH_OPERATORS.has(this.peek().kind)) {
      if (isQuoted) return { name: METRIC_NAME, type: "=", value: name };
      this.unexpected(wants("label matching operator"));
    }
    const type = this.take().kind as MatchType;
    if (this.peek().kind !== "string") this.unexpected(wants("string"));
    const value = this.take();
    const matcher = { name, type, value: unquote(value.text) };
    try {
      return (void new CompiledMatcher(matcher), matcher);
    } catch (error) {
      // The model compiles with a flag in front, which is not part of what the user wrote.
      return this.fail((error as Error).message.replace("`(?s)", "`"), { start: label.start, end: value.end });
    }
  }

  private postfix(primary: Expr): Expr {
    let expr = primary;
    for (let height = 0; ; height++) {
      if (height + this.depth > MAX_DEPTH) this.tooDeep();
      switch (this.peek().kind) {
        case "[":
          expr = this.range(expr);
          break;
        case "offset":
          this.take();
          this.offset(expr);
          break;
        case "@":
          this.take();
          this.at(expr);
          break;
        case "anchored":
        case "smoothed":
          this.extend(expr, this.take().kind as "anchored" | "smoothed");
          break;
        default:
          return expr;
      }
    }
  }

  private range(expr: Expr): Expr {
    const open = this.take();
    const range = this.within(RANGE, () => this.positiveDuration());
    if (this.accept(":")) return this.subquery(expr, range);
    const close = this.expect("]", { within: "subquery or range", expected: '":" or "]"' });
    const brackets = { start: open.start, end: close.end };
    if (expr.type !== "vectorSelector") return this.fail("ranges only allowed for vector selectors", brackets);
    if (hasOffset(expr)) this.fail("no offset modifiers allowed before range", brackets);
    if (hasAt(expr)) this.fail("no @ modifiers allowed before range", brackets);
    return {
      type: "matrixSelector",
      selector: expr,
      ...named("range", range),
      pos: { start: expr.pos.start, end: close.end },
    };
  }

  private subquery(expr: Expr, range: DurationOperand): Expr {
    let step: DurationOperand | undefined;
    const afterColon = { within: "subquery selector", expected: 'number, duration, step(), range(), or "]"' };
    if (this.peek().kind !== "]") step = this.within(afterColon, () => this.positiveDuration());
    const close = this.expect("]", { within: "subquery selector", expected: '"]"' });
    return {
      type: "subquery",
      expr,
      ...named("range", range),
      ...(step ? named("step", step) : { stepMs: 0 }),
      offsetMs: 0,
      pos: { start: expr.pos.start, end: close.end },
    };
  }

  /** The part of a selector or subquery that carries `offset` and `@`. */
  private timeModifiers(expr: Expr, otherwise: string): TimeModifiers {
    if (expr.type === "matrixSelector") return expr.selector;
    if (expr.type === "vectorSelector" || expr.type === "subquery") return expr;
    return this.fail(otherwise, expr.pos);
  }

  private offset(expr: Expr): void {
    const duration = this.within(OFFSET, () => this.offsetDuration());
    const target = this.timeModifiers(
      expr,
      "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
    if (hasOffset(target)) this.fail("offset may not be set multiple times", expr.pos);
    if (duration.type === "number") target.offsetMs = toMs(duration.value);
    else target.offsetExpr = duration;
    this.stretch(expr);
  }

  private at(expr: Expr): void {
    const situation = { within: "@", expected: "timestamp" };
    const token = this.peek();
    if (token.kind === "start" || token.kind === "end") {
      this.take();
      this.expect("(", situation);
      this.expect(")", situation);
      this.atTarget(expr).atEdge = token.kind;
    } else {
      const sign = this.accept("-") ?? this.accept("+");
      if (this.peek().kind !== "number" && this.peek().kind !== "duration") this.unexpected(situation);
      const { value } = this.numberLiteral();
      this.setAt(expr, sign?.kind === "-" ? -value : value);
    }
    this.stretch(expr);
  }

  private setAt(expr: Expr, seconds: number): void {
    if (!(Math.abs(seconds) < 2 ** 63)) {
      this.fail(`timestamp out of bounds for @ modifier: ${formatFixed(seconds, 6)}`, expr.pos);
    }
    const ms = seconds * 1000;
    this.atTarget(expr).atMs = Math.sign(ms) * Math.round(Math.abs(ms)) + 0;
  }

  private atTarget(expr: Expr): TimeModifiers {
    const target = this.timeModifiers(
      expr,
      "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    );
    if (hasAt(target)) this.fail("@ <timestamp> may not be set multiple times", expr.pos);
    return target;
  }

  private extend(expr: Expr, kind: "anchored" | "smoothed"): void {
    if (!this.options.extendedRangeSelectors) this.fail(`${kind} modifier is experimental and not enabled`, expr.pos);
    if (expr.type === "subquery") this.fail(`${kind} modifier is not supported for subqueries`, expr.pos);
    const selector = expr.type === "matrixSelector" ? expr.selector : expr;
    if (selector.type !== "vectorSelector") return this.fail(`${kind} modifier not implemented`, expr.pos);
    selector[kind] = true;
    if (selector.anchored && selector.smoothed)
      this.fail("anchored and smoothed modifiers cannot be used together", expr.pos);
  }

  private stretch(expr: Expr): void {
    expr.pos.end = this.lastEnd;
  }
}

interface BinaryModifiers {
  returnBool: boolean;
  matching: VectorMatching;
}

const hasOffset = (target: TimeModifiers): boolean => target.offsetMs !== 0 || target.offsetExpr !== undefined;
const hasAt = (target: TimeModifiers): boolean => target.atMs !== undefined || target.atEdge !== undefined;

/** Seconds as milliseconds, rounded to the nanosecond. */
function toMs(seconds: number): number {
  const ns = seconds * 1e9;
  return (Math.sign(ns) * Math.round(Math.abs(ns))) / 1e6 + 0;
}

function named<K extends "range" | "step">(key: K, duration: DurationOperand) {
  const ms = duration.type === "number" ? toMs(duration.value) : 0;
  const expr = duration.type === "duration" ? { [`${key}Expr`]: duration } : {};
  return { [`${key}Ms`]: ms, ...expr } as Record<`${K}Ms`, number> & Partial<Record<`${K}Expr`, DurationExpr>>;
}
