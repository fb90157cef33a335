import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expr } from "./ast.ts";
import { exprToJson } from "./json.ts";
import { ParseError } from "./parse-error.ts";
import { parseExpr } from "./parser.ts";
import { formatExpr } from "./printer.ts";

const everything = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
};

// Without Inf: the reference prints it as +Inf, which before ^ parses as a sign, and so do we.
const tokens =
  'sum by without ( ) { } [ ] , : = =~ != + - * / % ^ == < > and or unless bool on ignoring group_left offset @ 5m 1h30m 1 0x1f 1e3 .5 nan foo bar:baz rate increase topk quantile histogram_quantile label_replace vector time() start() end() step() range() "a" \'b\' `c` a="b" anchored smoothed fill(1) #x\n é 😀 \\ \0'.split(
    " ",
  );

function parseOrError(text: string): Expr | undefined {
  try {
    return parseExpr(text, everything);
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
    return undefined;
  }
}

/** The tree without positions, which printing changes. */
function withoutPositions(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value: unknown) => {
      if (key === "pos") return undefined;
      return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
    }),
  );
}

describe("any text", () => {
  it("parses or gives a parse error", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        parseOrError(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("made of tokens parses or gives a parse error, and prints to what parses the same", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 25 }), (parts) => {
        const expr = parseOrError(parts.join(" "));
        if (expr) expectRoundTrip(expr);
      }),
      { numRuns: 3000 },
    );
  });
});

const name = fc.constantFrom("up", "http_requests_total", "a:b", "sum", "offset");
const label = fc.constantFrom("job", "instance", "le", "with.dot", "by");
const duration = fc.constantFrom("5m", "1h30m", "90s", "300", "1w");
const matcher = fc
  .tuple(label, fc.constantFrom("=", "!=", "=~", "!~"), fc.constantFrom("", "x", "a|b", '"', "\\\\n", "é"))
  .map(([key, op, value]) => `${JSON.stringify(key)}${op}${JSON.stringify(value)}`);
const selector = fc
  .tuple(name, fc.array(matcher, { maxLength: 2 }))
  .map(([metric, matchers]) => `{${[JSON.stringify(metric), ...matchers].join(",")}}`);
const time = fc.constantFrom("", " offset 5m", " offset -1h", " @ 12.5", " @ start()", " @ end() offset 1m");
const grouping = fc
  .tuple(fc.constantFrom("by", "without"), fc.array(label, { maxLength: 3 }))
  .map(([kind, labels]) => ` ${kind} (${labels.map((l) => JSON.stringify(l)).join(", ")}) `);

/** Well-typed instant vectors. */
const { vector } = fc.letrec<{ vector: string; range: string; scalar: string }>((tie) => ({
  scalar: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("1", "-2.5", "5m", "NaN", "time()", "1e9") },
    tie("vector").map((v) => `scalar(${v})`),
  ),
  range: fc.oneof(
    { weight: 2, arbitrary: fc.tuple(selector, duration, time).map(([s, d, t]) => `${s}[${d}]${t}`) },
    fc.tuple(tie("vector"), duration, fc.constantFrom("", "1m"), time).map(([v, d, s, t]) => `(${v})[${d}:${s}]${t}`),
  ),
  vector: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(selector, time).map((parts) => parts.join("")),
    tie("range").map((r) => `rate(${r})`),
    tie("vector").map((v) => `-${v}`),
    tie("vector").map((v) => `(${v})`),
    fc.tuple(fc.option(grouping, { nil: "" }), tie("vector")).map(([g, v]) => `sum${g}(${v})`),
    fc.tuple(tie("scalar"), tie("vector")).map(([s, v]) => `topk(${s}, ${v})`),
    fc
      .tuple(
        tie("vector"),
        fc.constantFrom("+", "^", "> bool", "and", "or on(job)", "/ on(job) group_left (le)", "- ignoring(le) fill(0)"),
        tie("vector"),
      )
      .map(([a, op, b]) => `${a} ${op} ${b}`),
    fc.tuple(tie("vector"), fc.constantFrom("*", "%", "=="), tie("scalar")).map(([a, op, b]) => `${a} ${op} ${b}`),
  ),
}));

describe("any well-typed expression", () => {
  it("prints, plainly and prettily, to what parses the same, and turns into JSON", () => {
    fc.assert(
      fc.property(vector, (text) => {
        const expr = parseOrError(text);
        if (expr) expectRoundTrip(expr);
      }),
      { numRuns: 1500 },
    );
  });
});

function expectRoundTrip(expr: Expr): void {
  const printed = formatExpr(expr);
  const again = parseExpr(printed, everything);
  expect(formatExpr(again)).toBe(printed);
  // A name that was written inside the braces may move in front of them, and matchers are sorted.
  expect(withoutPositions(parseExpr(formatExpr(again, { pretty: true }), everything))).toEqual(withoutPositions(again));
  expect(JSON.parse(JSON.stringify(exprToJson(expr)))).toBeTypeOf("object");
}
