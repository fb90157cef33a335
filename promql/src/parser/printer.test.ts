import { describe, expect, it } from "vitest";
import { exprToJson } from "./json.ts";
import { parseExpr } from "./parser.ts";
import { formatExpr } from "./printer.ts";

const everything = { experimentalFunctions: true, durationExpressions: true, fillModifiers: true };
const printed = (text: string) => formatExpr(parseExpr(text, everything));

describe("printing", () => {
  it.each([
    ['SUM( up{b="2",a="1"} )  BY  (job)', 'sum by (job) (up{a="1",b="2"})'],
    ["a+on(x)group_left(y)b", "a + on (x) group_left (y) b"],
    ["a > bool 0x10", "a > bool 16"],
    ["up[3600]", "up[1h]"],
    ["up offset 90s @ 5", "up @ 5.000 offset 1m30s"],
    ["up[5m+step()]", "up[5m + step()]"],
    ["a / fill_left(1e6) b", "a / fill_left (1e+06) b"],
    ["sum without() (up)", "sum without () (up)"],
    ['{"my.metric", "a.b"="c"}', '{"a.b"="c",__name__="my.metric"}'],
    ["- - 5m", "5m"],
  ])("%s becomes %s", (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  it("prettily breaks what is longer than a hundred characters, operator on its own line", () => {
    const text = `sum by (job, instance) (rate(http_requests_total{job="api-server"}[5m])) / ignoring (code) group_left sum(rate(http_requests_total[5m]))`;
    expect(formatExpr(parseExpr(text), { pretty: true })).toBe(
      [
        `  sum by (job, instance) (rate(http_requests_total{job="api-server"}[5m]))`,
        `/ ignoring (code) group_left ()`,
        `  sum(rate(http_requests_total[5m]))`,
      ].join("\n"),
    );
  });
});

describe("the tree as JSON", () => {
  it("has the form of the parse_query endpoint", () => {
    expect(exprToJson(parseExpr("rate(up[5m] offset 1m) > 1"))).toEqual({
      type: "binaryExpr",
      op: ">",
      bool: false,
      matching: null,
      lhs: {
        type: "call",
        func: { name: "rate", argTypes: ["matrix"], variadic: 0, returnType: "vector" },
        args: [
          {
            type: "matrixSelector",
            name: "up",
            matchers: [{ name: "__name__", value: "up", type: "=" }],
            range: 300_000,
            rangeExpr: null,
            offset: 60_000,
            offsetExpr: null,
            timestamp: null,
            startOrEnd: null,
            anchored: false,
            smoothed: false,
          },
        ],
      },
      rhs: { type: "numberLiteral", val: "1" },
    });
  });
});
