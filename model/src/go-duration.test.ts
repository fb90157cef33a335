import { expect, test } from "vitest";
import fc from "fast-check";
import { formatGoDuration, parseGoDuration } from "./go-duration.ts";

test.each([
  ["0", 0],
  ["500ms", 500],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
  ["-2s", -2000],
  ["+3s", 3000],
  ["1h1ns", 3_600_000.000001],
  [".5s", 500],
  ["250µs", 0.25],
  ["1s1s", 2000],
])("reads %s as %d ms", (text, ms) => {
  expect(parseGoDuration(text)).toBeCloseTo(ms, 6);
});

test.each(["", "5", "1d", "1w", "1 s", "s", "1m30", "--1s", "1.2.3s", "-"])("refuses %j", (text) => {
  expect(() => parseGoDuration(text)).toThrow("not a valid Go duration");
});

test.each([
  [0, "0s"],
  [250, "250ms"],
  [1500, "1.5s"],
  [90_000, "1m30s"],
  [3_630_000, "1h0m30s"],
  [-60_000, "-1m0s"],
  [0.25, "250µs"],
])("prints %d ms as %s", (ms, text) => {
  expect(formatGoDuration(ms)).toBe(text);
});

test("what is printed reads back", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
      expect(parseGoDuration(formatGoDuration(ms))).toBeCloseTo(ms, 3);
    }),
  );
});
