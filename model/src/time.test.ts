import { expect, test } from "vitest";
import { msToNano, nanoToMs, parseTime } from "./time.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

test.each([
  ["2026-01-31T12:00:00Z", NOW],
  ["2026-01-31T13:00:00.250+01:00", NOW + 250],
  ["2026-01-31T12:00:00", NOW],
  ["1769860800", NOW],
  ["1769860800.5", NOW + 500],
  ["now", NOW],
  ["now-15m", NOW - 900_000],
  ["now+1h", NOW + 3_600_000],
])("%s is read", (text, expected) => {
  expect(parseTime(text, NOW)).toBe(expected);
});

test.each(["yesterday", "2026-13-01T00:00:00Z", "now-", ""])("%j is refused with the accepted forms", (text) => {
  expect(() => parseTime(text, NOW)).toThrow(/now-15m|duration/);
});

test("nanoseconds keep their digits on the way to milliseconds and back", () => {
  expect(nanoToMs(1_769_860_800_123_456_789n)).toBe(1_769_860_800_123);
  expect(msToNano(1_769_860_800_123)).toBe(1_769_860_800_123_000_000n);
});
