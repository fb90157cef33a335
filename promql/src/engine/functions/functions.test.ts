import { describe, expect, it } from "vitest";
import { xxhash64 } from "../aggregate/xxhash64.ts";
import { DATE_FUNCTIONS } from "./dates.ts";
import { logarithm10, logarithm2, power, powerOfTwo, splitExponent } from "./elementary.ts";
import { maximum, minimum, roundTo } from "./floats.ts";
import { atan2, cos, sin, tan } from "./trigonometry.ts";

const date = (name: string, seconds: number) => DATE_FUNCTIONS.get(name)?.(seconds);

describe("dates", () => {
  it.each([
    ["year", 0, 1970],
    ["month", 951_782_400, 2],
    ["day_of_month", 951_782_400, 29],
    ["days_in_month", 951_782_400, 29],
    ["days_in_month", 4_105_123_200, 28],
    ["day_of_year", 978_307_199, 366],
    ["day_of_week", 0, 4],
    ["day_of_week", -86_401, 2],
    ["hour", -1, 23],
    ["minute", 3599.9, 59],
    ["year", -62_135_596_800, 1],
    ["year", Number.NaN, 292_277_026_596],
  ])("%s of %d is %d", (name, seconds, expected) => {
    expect(date(name, seconds)).toBe(expected);
  });
});

describe("elementary functions round as Go's do", () => {
  it.each([
    ["31^31", power(31, 31), 1.7069174130723234e46],
    ["2^-1074", power(2, -1074), 5e-324],
    ["(-8)^(1/3)", power(-8, 1 / 3), Number.NaN],
    ["(-1)^Inf", power(-1, Infinity), 1],
    ["0^-1", power(-0, -1), -Infinity],
    ["log2 8", logarithm2(8), 3],
    ["log10 1000", logarithm10(1000), 3],
    ["2^0.3", powerOfTwo(0.3), 1.2311444133449163],
    ["sin 1e300", sin(1e300), -0.8178819121159087],
    ["cos -0", cos(-0), 1],
    ["tan -0", tan(-0), -0],
    ["atan2(-0, -1)", atan2(-0, -1), -Math.PI],
  ])("%s", (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it("split numbers into fraction and exponent", () => {
    expect(splitExponent(8)).toEqual({ fraction: 0.5, exponent: 4 });
    expect(splitExponent(5e-324)).toEqual({ fraction: 0.5, exponent: -1073 });
  });
});

describe("small functions", () => {
  it("round half-way up", () => {
    expect(roundTo(-2.5, 1)).toBe(-2);
    expect(roundTo(7, 5)).toBe(5);
  });

  it("let infinity win over NaN", () => {
    expect(maximum(Infinity, Number.NaN)).toBe(Infinity);
    expect(minimum(Number.NaN, -Infinity)).toBe(-Infinity);
    expect(minimum(Number.NaN, 1)).toBeNaN();
  });

  it.each([
    ["", 0xef46db3751d8e999n],
    ["a", 0xd24ec4f1a98c6e5bn],
    ["Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1n],
  ])("hash %j with xxHash64", (text, hash) => {
    expect(xxhash64(new TextEncoder().encode(text))).toBe(hash);
  });
});
