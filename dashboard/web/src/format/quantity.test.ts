import { expect, test } from "vitest";
import { formatBytes, formatMs, formatNumber, formatRate, formatRatio } from "./quantity.ts";

test.each([
  [0, "0 ms"],
  [0.0123, "12.3 µs"],
  [0.84, "840 µs"],
  [12.34, "12.3 ms"],
  [999.4, "999 ms"],
  [999.6, "1 s"],
  [1240, "1.24 s"],
  [59_949, "59.9 s"],
  [60_000, "1 m 00 s"],
  [125_000, "2 m 05 s"],
  [3_600_000, "1 h 00 m"],
  [11_400_000, "3 h 10 m"],
  [187_200_000, "2 d 04 h"],
  [null, "–"],
  [Number.NaN, "–"],
])("writes %s ms as %s", (ms, text) => expect(formatMs(ms)).toBe(text));

test.each([
  [0, "0"],
  [0.0031, "0.0031"],
  [0.00004, "4.0e-5"],
  [12.5, "12.5"],
  [9800, "9800"],
  [12_300, "12.3k"],
  [4_500_000, "4.5M"],
  [-1.5, "-1.5"],
  [Number.POSITIVE_INFINITY, "+∞"],
])("writes the number %s as %s", (value, text) => expect(formatNumber(value)).toBe(text));

test("writes rates per second, slow ones per minute", () => {
  expect(formatRate(21.44)).toBe("21.4/s");
  expect(formatRate(0.05)).toBe("3/min");
  expect(formatRate(0)).toBe("0/s");
});

test("writes ratios as per cent, and a trace of something never as nothing", () => {
  expect(formatRatio(0)).toBe("0 %");
  expect(formatRatio(0.0042)).toBe("0.42 %");
  expect(formatRatio(0.124)).toBe("12 %");
  expect(formatRatio(0.00001)).toBe("<0.01 %");
});

test("writes bytes in steps of a thousand", () => {
  expect(formatBytes(512)).toBe("512 B");
  expect(formatBytes(84_200_113)).toBe("84.2 MB");
});
