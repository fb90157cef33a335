import { expect, test } from "vitest";
import { formatFloatPlain, formatOpenMetricsFloat } from "./float-text.ts";

test.each([
  [1, "1", "1.0"],
  [0, "0", "0.0"],
  [-0, "-0", "-0.0"],
  [100, "100", "100.0"],
  [0.005, "0.005", "0.005"],
  [12.5, "12.5", "12.5"],
  [123_456, "123456", "123456.0"],
  [1e6, "1000000", "1e+06"],
  [1_234_567.5, "1234567.5", "1.2345675e+06"],
  [1e21, "1000000000000000000000", "1e+21"],
  [0.0001, "0.0001", "0.0001"],
  [0.000012, "0.000012", "1.2e-05"],
  [-2.5e-7, "-0.00000025", "-2.5e-07"],
  [Infinity, "+Inf", "+Inf"],
  [-Infinity, "-Inf", "-Inf"],
  [Number.NaN, "NaN", "NaN"],
])("%d is %s in plain decimals and %s in OpenMetrics", (value, plain, openMetrics) => {
  expect(formatFloatPlain(value)).toBe(plain);
  expect(formatOpenMetricsFloat(value)).toBe(openMetrics);
});
