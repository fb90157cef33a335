import { expect, test } from "vitest";
import { alignSeries, needsCanvas, type Series, summarise, topSeries } from "./series.ts";
import { huesOf } from "./series-colours.ts";
import { brushedSpan, niceCeil, timeTicks } from "./time-scale.ts";

const series = (id: string, ...points: [number, number | null][]): Series => ({ id, label: id, points });

test("puts series with different points on one time axis, with holes where one has none", () => {
  expect(alignSeries([series("a", [1, 10], [3, 30]), series("b", [2, 20], [3, 31])])).toEqual({
    times: [1, 2, 3],
    values: [
      [10, null, 30],
      [null, 20, 31],
    ],
  });
});

test("keeps the series with the greatest values and counts the rest", () => {
  const all = [series("low", [1, 1]), series("high", [1, 9]), series("gap", [1, null]), series("mid", [1, 5])];
  const { shown, hidden } = topSeries(all, 2);
  expect([shown.map(({ id }) => id), hidden]).toEqual([["high", "mid"], 2]);
});

test("sums up a series by its values, not its holes", () => {
  expect(summarise(series("a", [1, null], [2, 4], [3, 9], [4, 2], [5, null]))).toEqual({
    min: 2,
    max: 9,
    last: 2,
    maxAt: 3,
  });
  expect(summarise(series("a", [1, null]))).toBeUndefined();
});

test("goes to the canvas above 20 series or 5,000 points", () => {
  const line = (points: number) => series("x", ...Array.from({ length: points }, (_, i): [number, number] => [i, i]));
  expect(needsCanvas([line(5000)])).toBe(false);
  expect(needsCanvas([line(5001)])).toBe(true);
  expect(needsCanvas(Array.from({ length: 21 }, () => line(1)))).toBe(true);
});

test("gives names the same colours in whatever order they come", () => {
  const names = ["sms", "api", "rate-limiter", "mailer"];
  const one = huesOf(names);
  const other = huesOf(names.toReversed());
  expect(Object.fromEntries(other)).toEqual(Object.fromEntries(one));
  expect(new Set(one.values()).size).toBe(4);
});

test("ticks at round times, no more than there is room for", () => {
  const from = Date.parse("2026-11-21T12:01:20Z");
  const ticks = timeTicks(from, from + 900_000, 6).map((at) => new Date(at).toISOString().slice(11, 19));
  expect(ticks).toEqual(["12:05:00", "12:10:00", "12:15:00"]);
});

test("a drag is a stretch of time in either direction, inside the axis; a click is none", () => {
  expect(brushedSpan(0.75, 0.25, 1000, 2000)).toEqual({ fromMs: 1250, toMs: 1750 });
  expect(brushedSpan(-1, 0.5, 1000, 2000)).toEqual({ fromMs: 1000, toMs: 1500 });
  expect(brushedSpan(0.5, 0.505, 1000, 2000)).toBeUndefined();
});

test.each([
  [0, 1],
  [7, 10],
  [13, 20],
  [0.21, 0.5],
  [1000, 1000],
])("rounds the top of a scale from %s to %s", (value, top) => expect(niceCeil(value)).toBe(top));
