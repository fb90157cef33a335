import { describe, expect, it } from "vitest";
import {
  formatFixed,
  formatPlain,
  formatPrecision,
  formatShortest,
  parseGoFloat,
  quoteRune,
  quoteString,
} from "./go-format.ts";

describe("numbers", () => {
  it.each([
    [1e21, "1000000000000000000000"],
    [1.5e-7, "0.00000015"],
    [-0, "-0"],
    [Infinity, "+Inf"],
    [123456.789, "123456.789"],
  ])("plainly: %d is %s", (value, text) => expect(formatPlain(value)).toBe(text));

  it.each([
    [100000, "100000"],
    [1e6, "1e+06"],
    [1048576, "1.048576e+06"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [Number.NaN, "NaN"],
  ])("shortest: %d is %s", (value, text) => expect(formatShortest(value)).toBe(text));

  it.each([
    [1234.5, 4, "1234"],
    [12345, 4, "1.234e+04"],
    [0.96, 2, "0.96"],
    [100, 2, "1e+02"],
    [9.7, 2, "9.7"],
  ])("%d with %d digits is %s", (value, digits, text) => expect(formatPrecision(value, digits)).toBe(text));

  it("with fixed digits, even when large", () => {
    expect(formatFixed(1.5, 6)).toBe("1.500000");
    expect(formatFixed(1e22, 2)).toBe("10000000000000000000000.00");
  });

  it.each([
    ["+Inf", Infinity],
    ["1e3", 1000],
    [".5", 0.5],
    ["", undefined],
    ["0x10", undefined],
    ["1 ", undefined],
  ])("reads %j as %s", (text, value) => expect(parseGoFloat(text)).toBe(value));
});

describe("quoting", () => {
  it("escapes what does not print", () => {
    expect(quoteString('a"\n\u0001\u200b é')).toBe(String.raw`"a\"\n\x01\u200b é"`);
    expect(quoteRune("'")).toBe(String.raw`'\''`);
  });
});
