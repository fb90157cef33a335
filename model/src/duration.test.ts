import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

test.each([
  ["0", 0],
  ["1h30m", 5_400_000],
  ["250ms", 250],
  ["1y2w3d4h5m6s7ms", 365 * 86_400_000 + 14 * 86_400_000 + 3 * 86_400_000 + 4 * 3_600_000 + 5 * 60_000 + 6007],
])("%s is %d ms", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(["", "1", "5", "1m1h", "1h1h", "-1s", "1.5h", " 1s", "1000y"])("%j is refused", (text) => {
  expect(() => parseDuration(text)).toThrow(/duration/);
});

test.each([
  [0, "0s"],
  [5_400_000, "1h30m"],
  [90 * 86_400_000, "90d"],
  [14 * 86_400_000, "2w"],
  [365 * 86_400_000, "1y"],
  [86_400_000 + 1, "1d1ms"],
])("%d ms prints as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test("what is printed reads back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200 * 365 * 86_400_000 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
