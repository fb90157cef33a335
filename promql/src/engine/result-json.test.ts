import { describe, expect, it } from "vitest";
import { formatValue, histogramToJson, resultToJson } from "./result-json.ts";

describe("values", () => {
  it.each([
    [0.1, "0.1"],
    [1e-6, "0.000001"],
    [9.9e-7, "9.9e-07"],
    [1e20, "100000000000000000000"],
    [1e21, "1e+21"],
    [-1.5e-10, "-1.5e-10"],
    [5e-324, "5e-324"],
    [Number.NaN, "NaN"],
    [-Infinity, "-Inf"],
    [-0, "-0"],
  ])("%d prints as %s", (value, text) => expect(formatValue(value)).toBe(text));

  it("of scalars have no exponent", () => {
    const notes = { warnings: [], infos: [] };
    expect(resultToJson({ type: "scalar", timestampMs: 1500, value: 1e-7, ...notes })).toEqual({
      resultType: "scalar",
      result: [1.5, "0.0000001"],
    });
  });
});

describe("histograms", () => {
  const histogram = {
    schema: 0,
    count: 7,
    sum: 12,
    zeroThreshold: 0.25,
    zeroCount: 1,
    positiveOffset: 0,
    positiveBuckets: [2, 0, 3],
    negativeOffset: 1,
    negativeBuckets: [1],
    customValues: [],
    counterReset: "unknown" as const,
  };

  it("show populated buckets in rising order with the rule of their bounds", () => {
    expect(histogramToJson(histogram)).toEqual({
      count: "7",
      sum: "12",
      buckets: [
        [1, "-2", "-1", "1"],
        [3, "-0.25", "0.25", "1"],
        [0, "0.5", "1", "2"],
        [0, "2", "4", "3"],
      ],
    });
  });

  it("without buckets have no list of them", () => {
    expect(histogramToJson({ ...histogram, zeroCount: 0, positiveBuckets: [], negativeBuckets: [] })).toEqual({
      count: "7",
      sum: "12",
    });
  });
});
