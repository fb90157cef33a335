import { expect, test } from "vitest";
import { histogramsEqual, parseHistogram, parseSeriesLabels, parseSeriesValues } from "./series-notation.ts";

test.each([
  ["1 2.5 -3 1e3", [1, 2.5, -3, 1000]],
  ["1+2x3", [1, 3, 5, 7]],
  ["1-2x3", [1, -1, -3, -5]],
  ["1x3", [1, 1, 1, 1]],
  ["0x6", [0, 0, 0, 0, 0, 0, 0]],
  ["0x2 _ _x2 5", [0, 0, 0, undefined, undefined, undefined, 5]],
  ["stale NaN Inf -Inf +inf", ["stale", Number.NaN, Infinity, -Infinity, Infinity]],
  ["", []],
])("reads %j", (text, values) => {
  expect(parseSeriesValues(text)).toEqual(values);
});

test("reads histograms and sequences of them", () => {
  const values = parseSeriesValues(
    "{{schema:1 count:3 sum:4 buckets:[1 2] offset:-1}}+{{schema:1 count:1 sum:2 buckets:[1] offset:1}}x1 7",
  );
  expect(values).toMatchObject([
    { schema: 1, count: 3, sum: 4, positiveOffset: -1, positiveBuckets: [1, 2] },
    { schema: 1, count: 4, sum: 6, positiveOffset: -1, positiveBuckets: [1, 2, 1] },
    7,
  ]);
});

test.each(["1+2", "abc", "1x", "{{schema:x}}", "{{nope:1}}", "{{count:1 count:2}}", "1x99999999"])(
  "refuses %j",
  (text) => {
    expect(() => parseSeriesValues(text)).toThrow();
  },
);

test("reads the labels of a series", () => {
  expect(parseSeriesLabels('up{job="a", instance="b:1"}')).toEqual({ __name__: "up", job: "a", instance: "b:1" });
  expect(parseSeriesLabels("{}")).toEqual({});
  expect(() => parseSeriesLabels('up{job=~"a"}')).toThrow("a series is named with = only");
});

test("empty buckets make no difference between histograms", () => {
  const same = (a: number, b: number) => a === b;
  const a = parseHistogram("count:3 buckets:[0 1 2 0] offset:1");
  expect(histogramsEqual(a, parseHistogram("count:3 buckets:[1 2] offset:2"), same)).toBe(true);
  expect(histogramsEqual(a, parseHistogram("count:3 buckets:[1 3] offset:2"), same)).toBe(false);
});
