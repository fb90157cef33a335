import { expect, test } from "vitest";
import {
  absoluteRange,
  checkRange,
  DEFAULT_RANGE,
  quickRangeOf,
  readRange,
  resolveRange,
  shiftRange,
  stepSeconds,
  zoomOut,
} from "./range.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const HOUR = 3_600_000;

test("a relative range stays relative in the address and moves with the clock", () => {
  const range = readRange("now-1h", "now", NOW);
  expect(range).toEqual({ from: "now-1h", to: "now" });
  expect(resolveRange(range, NOW)).toEqual({ fromMs: NOW - HOUR, toMs: NOW });
  expect(resolveRange(range, NOW + 5000)).toEqual({ fromMs: NOW - HOUR + 5000, toMs: NOW + 5000 });
});

test.each([
  ["yesterday", "now"],
  ["now", "now-1h"],
  ["2026-11-21T12:00:00Z", "2026-11-21T11:00:00Z"],
])("a range that cannot be meant (%s … %s) gives the default, so that the link still opens", (from, to) => {
  expect(readRange(from, to, NOW)).toEqual(DEFAULT_RANGE);
});

test("says which end of a range is at fault", () => {
  expect(checkRange({ from: "now-1x", to: "now" }, NOW)).toEqual({ status: "unreadable", field: "from" });
  expect(checkRange({ from: "now-1h", to: "soon" }, NOW)).toEqual({ status: "unreadable", field: "to" });
  expect(checkRange({ from: "now", to: "now-1m" }, NOW)).toEqual({ status: "reversed" });
  expect(checkRange({ from: "1795251600", to: "now" }, NOW)).toEqual({ status: "ok" });
});

test("knows a quick range from any other", () => {
  expect(quickRangeOf({ from: "now-15m", to: "now" })).toBe("15m");
  expect(quickRangeOf({ from: "now-15m", to: "now-5m" })).toBeUndefined();
  expect(quickRangeOf({ from: "2026-11-21T11:00:00Z", to: "now" })).toBeUndefined();
});

test("moves back by half its width, and never into the future", () => {
  const range = absoluteRange(NOW - 2 * HOUR, NOW - HOUR);
  expect(shiftRange(range, -1, NOW)).toEqual({ from: "2026-11-21T09:30:00.000Z", to: "2026-11-21T10:30:00.000Z" });
  expect(shiftRange(range, 1, NOW)).toEqual({ from: "2026-11-21T10:30:00.000Z", to: "2026-11-21T11:30:00.000Z" });
  expect(shiftRange({ from: "now-1h", to: "now" }, 1, NOW).to).toBe("2026-11-21T12:00:00.000Z");
});

test("zooms out to twice the width: relative when it was a quick range, else around the middle and up to now", () => {
  expect(zoomOut({ from: "now-15m", to: "now" }, NOW)).toEqual({ from: "now-1800s", to: "now" });
  expect(zoomOut(absoluteRange(NOW - 5 * HOUR, NOW - 3 * HOUR), NOW)).toEqual(
    absoluteRange(NOW - 6 * HOUR, NOW - 2 * HOUR),
  );
  expect(zoomOut(absoluteRange(NOW - 2 * HOUR, NOW), NOW)).toEqual(absoluteRange(NOW - 4 * HOUR, NOW));
});

test.each([
  { widthMs: 15 * 60_000, points: 300, step: 5 },
  { widthMs: HOUR, points: 300, step: 15 },
  { widthMs: 7 * 24 * HOUR, points: 300, step: 3600 },
  { widthMs: 10, points: 300, step: 1 },
  { widthMs: 365 * 24 * HOUR, points: 300, step: 172_800 },
])("asks for a point every $step s over $widthMs ms", ({ widthMs, points, step }) => {
  expect(stepSeconds({ fromMs: 0, toMs: widthMs }, points)).toBe(step);
});
