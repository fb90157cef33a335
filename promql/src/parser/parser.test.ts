import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { vectorSelectors } from "./ast.ts";
import { ParseError } from "./parse-error.ts";
import { type ParserOptions, parseExpr, parseSelector } from "./parser.ts";

const everything: ParserOptions = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

function errorOf(text: string, options: ParserOptions = everything): string {
  try {
    parseExpr(text, options);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
  return "no error";
}

/** The expression with every operation in brackets. */
function grouped(expr: Expr): string {
  if (expr.type === "binary") return `[${grouped(expr.lhs)} ${expr.op} ${grouped(expr.rhs)}]`;
  if (expr.type === "unary") return `[${expr.op}${grouped(expr.expr)}]`;
  if (expr.type === "number") return String(expr.value);
  return expr.type === "vectorSelector" ? expr.name : expr.type;
}

describe("precedence", () => {
  it.each([
    ["a + b * c", "[a + [b * c]]"],
    ["a - b - c", "[[a - b] - c]"],
    ["a ^ b ^ c", "[a ^ [b ^ c]]"],
    ["-a ^ b", "[-[a ^ b]]"],
    ["-a * b", "[[-a] * b]"],
    ["2 ^ -1 * 3", "[[2 ^ -1] * 3]"],
    ["a or b and c unless d", "[a or [[b and c] unless d]]"],
    ["a == b + c or d", "[[a == [b + c]] or d]"],
    ["a atan2 b % c", "[[a atan2 b] % c]"],
  ])("%s groups as %s", (text, expected) => {
    expect(grouped(parseExpr(text))).toBe(expected);
  });
});

describe("literals", () => {
  it.each([
    ["0x1F", 31],
    ["017", 15],
    ["019", 19],
    ["1_000.5", 1000.5],
    ["5m", 300],
    ["1h30m15s", 5415],
    ["1ms", 0.001],
    ["1e-7", 1e-7],
    ["-Inf", -Infinity],
    [".5", 0.5],
  ])("%s is %d", (text, expected) => {
    expect(parseExpr(text)).toMatchObject({ type: "number", value: expected });
  });

  it("takes escapes out of strings and leaves raw strings alone", () => {
    expect(parseExpr(String.raw`"a\n\x41\u00e9\101"`)).toMatchObject({ value: "a\nAéA" });
    expect(parseExpr("`a\\n`")).toMatchObject({ value: "a\\n" });
  });

  it("keeps bytes that are not UTF-8 apart from one another", () => {
    const [a, b] = [parseExpr(String.raw`"\xff"`), parseExpr(String.raw`"\xfe"`)];
    expect(a).not.toEqual(b);
  });
});

describe("selectors", () => {
  it("take the metric name from before, inside, or quoted inside the braces", () => {
    const name = { name: "__name__", type: "=", value: "up" };
    expect(parseExpr("up")).toMatchObject({ name: "up", matchers: [name] });
    expect(parseExpr('{"up", a="b"}')).toMatchObject({ name: "", matchers: [name, { name: "a" }] });
    expect(parseExpr('{__name__="up"}')).toMatchObject({ name: "", matchers: [name] });
  });

  it("allow any UTF-8 label name in quotes, and keywords as names", () => {
    expect(parseExpr('m{"label.with.dots"=~"x.*"}')).toMatchObject({
      matchers: [{ name: "label.with.dots", type: "=~", value: "x.*" }, { name: "__name__" }],
    });
    expect(parseExpr("sum by (by, on) (offset)")).toMatchObject({ grouping: ["by", "on"], expr: { name: "offset" } });
  });

  it("carry offset and @ in either order", () => {
    expect(parseExpr("up offset -5m @ 1234.5")).toMatchObject({ offsetMs: -300_000, atMs: 1_234_500 });
    expect(parseExpr("up[5m] @ end() offset 1h")).toMatchObject({
      rangeMs: 300_000,
      selector: { atEdge: "end", offsetMs: 3_600_000 },
    });
    expect(parseExpr("rate(up[1m])[1h:30s] @ start()")).toMatchObject({
      type: "subquery",
      rangeMs: 3_600_000,
      stepMs: 30_000,
      atEdge: "start",
    });
  });

  it("are all found in an expression, in order", () => {
    const names = vectorSelectors(parseExpr("sum(rate(a[5m])) / on (x) (b offset 1m) > c")).map(({ name }) => name);
    expect(names).toEqual(["a", "b", "c"]);
  });

  it("parse on their own for match[], where they may match everything", () => {
    expect(parseSelector('{job="x"}').matchers).toHaveLength(1);
    expect(() => parseSelector("sum(up)")).toThrow('unexpected "("');
  });
});

describe("positions", () => {
  it("span every expression in the text", () => {
    const text = "sum by (job) (rate(x_total[5m])) / 2";
    const expr = parseExpr(text);
    const spanOf = ({ pos }: Expr) => text.slice(pos.start, pos.end);
    expect(spanOf(expr)).toBe(text);
    if (expr.type !== "binary" || expr.lhs.type !== "aggregate") throw new Error("not as expected");
    expect(spanOf(expr.lhs)).toBe("sum by (job) (rate(x_total[5m]))");
    expect(spanOf(expr.lhs.expr)).toBe("rate(x_total[5m])");
  });

  it("count columns of errors in bytes and lines from one", () => {
    expect(errorOf('sum({a="é"}) +\n  }')).toBe("2:3: parse error: unexpected character: '}'");
    expect(errorOf('{a="é"} }')).toBe("1:10: parse error: unexpected character: '}'");
  });
});

describe("errors name what is wrong and where", () => {
  it.each([
    ["", "unknown position: parse error: no expression found in input"],
    ["sum(", "1:5: parse error: unclosed left parenthesis"],
    ["foo{a>1}", "1:6: parse error: unexpected character inside braces: '>'"],
    ["foo{a b}", '1:7: parse error: unexpected identifier "b" in label matching, expected label matching operator'],
    ["sum(1 + *)", "1:9: parse error: unexpected <op:*> in aggregation"],
    ["foo @ bar", '1:7: parse error: unexpected identifier "bar" in @, expected timestamp'],
    [
      "foo offset bar",
      '1:12: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()',
    ],
    ["rate(foo)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
    ["foo[5m", "1:7: parse error: unclosed left bracket"],
    ["foo offset nan", "1:12: parse error: duration out of range"],
    ["1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
    ['foo{a=~"("}', "1:5: parse error: error parsing regexp: missing closing ): `(`"],
    ["foo and on(a) group_left bar", '1:1: parse error: no grouping allowed for "and" operation'],
    ["topk(1)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"],
  ])("%s", (text, message) => {
    expect(errorOf(text)).toBe(message);
  });
});

describe("what is behind a flag", () => {
  it.each([
    [
      "limitk(1, up)",
      "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
    ],
    ["mad_over_time(up[5m])", '1:1: parse error: function "mad_over_time" is not enabled'],
    ["up[5m + 1m]", "1:4: parse error: experimental duration expression is not enabled"],
    ["up[5m] anchored", "1:1: parse error: anchored modifier is experimental and not enabled"],
    ["a + fill(0) b", "1:1: parse error: binop fill modifiers are experimental and not enabled"],
  ])("%s needs it", (text, message) => {
    expect(errorOf(text, {})).toBe(message);
    expect(errorOf(text)).toBe("no error");
  });
});

describe("depth", () => {
  it.each([
    ["parentheses", `${"(".repeat(20_000)}1${")".repeat(20_000)}`],
    ["signs", `${"-".repeat(20_000)}a`],
    ["operators", `a${" + a".repeat(20_000)}`],
    ["subqueries", `a${"[5m:1m]".repeat(20_000)}`],
    ["duration arithmetic", `a[${"(".repeat(20_000)}5m]`],
  ])("of %s is limited by an error", (_, text) => {
    expect(errorOf(text)).toMatch(/nested more than 600 levels deep/);
  });

  it("that people write is fine", () => {
    expect(errorOf(`${"(".repeat(200)}a${")".repeat(200)}${" + a".repeat(200)}`)).toBe("no error");
  });
});
