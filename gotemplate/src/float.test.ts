import { expect, test } from "vitest";
import fc from "fast-check";
import { formatFloat } from "./float.ts";

test.each([
  [0, "0", "0.000000e+00", "0.00", "0"],
  [1e6, "1e+06", "1.000000e+06", "1000000.00", "1e+06"],
  [123456, "123456", "1.234560e+05", "123456.00", "1.235e+05"],
  [1e21, "1e+21", "1.000000e+21", "1000000000000000000000.00", "1e+21"],
  [1.5e-5, "1.5e-05", "1.500000e-05", "0.00", "1.5e-05"],
  [0.125, "0.125", "1.250000e-01", "0.12", "0.125"],
  [-2.675, "-2.675", "-2.675000e+00", "-2.67", "-2.675"],
  [123456789.125, "1.23456789125e+08", "1.234568e+08", "123456789.12", "1.235e+08"],
  [Infinity, "+Inf", "+Inf", "+Inf", "+Inf"],
  [Number.NaN, "NaN", "NaN", "NaN", "NaN"],
])("prints %d as %%v, %%e, %%.2f and %%.4g of Go do", (x, v, e, f2, g4) => {
  expect([formatFloat(x, "g", -1), formatFloat(x, "e", 6), formatFloat(x, "f", 2), formatFloat(x, "g", 4)]).toEqual([
    v,
    e,
    f2,
    g4,
  ]);
});

test("the shortest form reads back as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      for (const verb of ["e", "f", "g"]) expect(Object.is(Number(formatFloat(x, verb, -1)), x)).toBe(true);
    }),
  );
});
