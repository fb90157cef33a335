import { expect, test } from "vitest";
import { markPlace, placeInError, readExpressions, startingExpression, writeExpressions } from "./expressions.ts";

test("keeps every expression in the address, in order, and nothing when there is none", () => {
  const params = writeExpressions(new URLSearchParams("from=now-1h&e=old"), ["up", "rate(x[1m])"]);
  expect(params.toString()).toBe("from=now-1h&e=up&e=rate%28x%5B1m%5D%29");
  expect(readExpressions(params)).toEqual(["up", "rate(x[1m])"]);
  expect(readExpressions(new URLSearchParams())).toEqual([""]);
  expect(writeExpressions(params, [""]).toString()).toBe("from=now-1h");
});

test("asks of a metric what suits its type", () => {
  expect(startingExpression("x_total", "counter")).toBe("rate(x_total[1m])");
  expect(startingExpression("d", "histogram")).toBe("histogram_quantile(0.95, sum by (le) (rate(d_bucket[1m])))");
  expect(startingExpression("up", "gauge")).toBe("up");
});

test("marks the place a server's message names, on the right line", () => {
  const message = 'invalid parameter "query": 2:3: parse error: unexpected identifier "oops"';
  const place = placeInError(message);
  expect(place).toEqual({ line: 2, column: 3 });
  expect(markPlace("sum(x)\n+ oops y", place ?? { line: 0, column: 0 })).toEqual({
    before: "sum(x)\n+ ",
    marked: "oops",
    after: " y",
  });
  expect(placeInError("query timed out")).toBeUndefined();
});
