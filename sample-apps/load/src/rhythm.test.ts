import { expect, test } from "vitest";
import { nextGapMs, rateAt } from "./rhythm.ts";

const RHYTHM = { baseRps: 8, swing: 0.5, peakHour: 15 };

test.each([
  [15, 12],
  [3, 4],
  [9, 8],
  [21, 8],
])("swings around the base rate: at %i h it is %f/s", (hour, rps) => {
  expect(rateAt(hour, RHYTHM)).toBeCloseTo(rps, 9);
});

test("draws gaps whose mean is the reverse of the rate", () => {
  const draws = Array.from({ length: 10_000 }, (_, i) => nextGapMs(8, (i + 0.5) / 10_000));
  expect(draws.reduce((sum, gap) => sum + gap, 0) / draws.length).toBeCloseTo(125, 0);
});

test("looks at the clock again within a minute even when the rate is next to nothing", () => {
  expect(nextGapMs(0, 0.5)).toBe(60_000);
});
