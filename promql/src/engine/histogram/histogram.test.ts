import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { add, divide, multiply, subtract, toSchema } from "./arithmetic.ts";
import { classicFraction, classicQuantile, histogramFraction, histogramQuantile } from "./quantile.ts";
import { wasReset } from "./reset.ts";
import { type Histogram, allBuckets, compact, equalHistograms, exponentialBound, formatHistogram } from "./shape.ts";
import { sumHistograms } from "./summation.ts";
import { trimBuckets } from "./trim.ts";

const histogram = (changes: Partial<Histogram> = {}): Histogram => ({
  schema: 0,
  count: 10,
  sum: 20,
  zeroThreshold: 0,
  zeroCount: 0,
  positiveOffset: 1,
  positiveBuckets: [4, 6],
  negativeOffset: 0,
  negativeBuckets: [],
  customValues: [],
  counterReset: "unknown",
  ...changes,
});
const custom = (customValues: number[], positiveBuckets: number[]): Histogram =>
  histogram({
    schema: -53,
    customValues,
    positiveOffset: 0,
    positiveBuckets,
    count: positiveBuckets.reduce((a, b) => a + b, 0),
  });

describe("bucket bounds", () => {
  it.each([
    [0, 0, 1],
    [1, 0, 2],
    [1, 2, 1.189207115002721],
    [1, -2, 16],
    [1024, 0, Number.MAX_VALUE],
    [1025, 0, Infinity],
    [-1074, 0, 5e-324],
    [256, -2, Number.MAX_VALUE],
  ])("of bucket %d in schema %d end at %d", (index, schema, bound) => {
    expect(exponentialBound(index, schema)).toBe(bound);
  });
});

describe("arithmetic", () => {
  it("meets in the coarser schema", () => {
    const sum = add(histogram(), histogram({ schema: 1, positiveOffset: 1, positiveBuckets: [1, 2, 3, 4] }));
    expect(sum?.histogram).toMatchObject({ schema: 0, count: 20, positiveOffset: 1, positiveBuckets: [7, 13] });
  });

  it("widens the smaller zero bucket over buckets of the other", () => {
    const wide = histogram({ zeroThreshold: 1.5, zeroCount: 1, positiveOffset: 2, positiveBuckets: [3] });
    const sum = add(histogram(), wide)?.histogram;
    expect(sum && compact(sum)).toMatchObject({
      zeroThreshold: 2,
      zeroCount: 5,
      positiveOffset: 2,
      positiveBuckets: [9],
    });
  });

  it("keeps the custom bounds both have", () => {
    const sum = add(custom([1, 2, 5], [1, 2, 3, 4]), custom([1, 5, 10], [1, 1, 1, 1]));
    expect(sum).toMatchObject({ reconciled: true, histogram: { customValues: [1, 5], positiveBuckets: [2, 6, 6] } });
  });

  it("does not mix exponential and custom buckets", () => {
    expect(add(histogram(), custom([1], [1, 1]))).toBeUndefined();
  });

  it("tells contradicting counter resets", () => {
    const sum = add(histogram({ counterReset: "reset" }), histogram({ counterReset: "notReset" }));
    expect(sum).toMatchObject({ collision: true, histogram: { counterReset: "unknown" } });
    expect(subtract(histogram({ counterReset: "gauge" }), histogram({ counterReset: "reset" }))).toMatchObject({
      collision: false,
      histogram: { counterReset: "gauge" },
    });
  });

  it("leaves gaps empty when scaling, and nothing when dividing by zero", () => {
    expect(multiply(histogram({ positiveBuckets: [1, 0, 2] }), Infinity).positiveBuckets).toEqual([
      Infinity,
      0,
      Infinity,
    ]);
    expect(divide(histogram(), 0)).toMatchObject({ count: Infinity, positiveBuckets: [] });
    expect(multiply(histogram(), -1).counterReset).toBe("gauge");
  });

  const dense = fc.record({
    schema: fc.integer({ min: -2, max: 3 }),
    positiveOffset: fc.integer({ min: -5, max: 5 }),
    positiveBuckets: fc.array(fc.nat(20), { maxLength: 8 }),
    negativeOffset: fc.integer({ min: -5, max: 5 }),
    negativeBuckets: fc.array(fc.nat(20), { maxLength: 4 }),
  });

  it("adds commutatively, and takes away again what it added", () => {
    fc.assert(
      fc.property(dense, dense, (x, y) => {
        const [a, b] = [histogram(x), histogram(y)];
        const [ab, ba] = [add(a, b)?.histogram, add(b, a)?.histogram];
        if (!ab || !ba) throw new Error("no sum");
        expect(equalHistograms(ab, ba)).toBe(true);
        const back = subtract(ab, b)?.histogram;
        expect(back && equalHistograms(back, toSchema(a, ab.schema))).toBe(true);
      }),
    );
  });

  it("sums many as it sums two", () => {
    expect(sumHistograms([histogram(), histogram(), histogram()])).toMatchObject({
      histogram: { count: 30, sum: 60, positiveBuckets: [12, 18] },
      collision: false,
    });
  });
});

describe("counter resets", () => {
  it.each([
    ["a smaller count", histogram(), histogram({ count: 9 }), true],
    ["a smaller bucket", histogram(), histogram({ positiveBuckets: [3, 7] }), true],
    ["a bucket that is gone", histogram(), histogram({ positiveBuckets: [10] }), true],
    ["a finer schema", histogram(), histogram({ schema: 1 }), true],
    ["a coarser schema with the same counts", histogram(), histogram({ schema: -1, positiveBuckets: [10] }), false],
    ["more of everything", histogram(), histogram({ count: 12, positiveBuckets: [5, 7] }), false],
    ["the hint that there was one", histogram(), histogram({ counterReset: "reset" }), true],
    ["the hint that there was none", histogram(), histogram({ count: 1, counterReset: "notReset" }), false],
  ])("%s", (_, previous, current, expected) => {
    expect(wasReset(current, previous)).toBe(expected);
  });
});

describe("quantiles", () => {
  it("interpolate exponentially in exponential buckets and linearly in custom ones", () => {
    expect(histogramQuantile(0.2, histogram({ positiveBuckets: [4, 6] })).value).toBeCloseTo(Math.SQRT2, 12);
    expect(histogramQuantile(0.5, custom([1, 2], [0, 4, 0])).value).toBe(1.5);
  });

  it("know their limits", () => {
    expect(histogramQuantile(-1, histogram()).value).toBe(-Infinity);
    expect(histogramQuantile(2, histogram()).value).toBe(Infinity);
    expect(histogramQuantile(0.5, histogram({ count: 0 })).value).toBeNaN();
    expect(histogramQuantile(1, histogram({ count: 12, sum: Number.NaN }))).toEqual({
      value: Number.NaN,
      nan: "result",
    });
  });

  it("of classic histograms are linear, and raise counts that fall", () => {
    const buckets = [
      { upperBound: Infinity, count: 10 },
      { upperBound: 1, count: 5 },
      { upperBound: 2, count: 4 },
    ];
    expect(classicQuantile(0.25, buckets)).toEqual({ value: 0.5, forced: { minBucket: 2, maxBucket: 2, maxDiff: 1 } });
    expect(classicQuantile(0.5, buckets.slice(1)).value).toBeNaN();
  });

  it("and fractions are each other's inverse", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), (q) => {
        const h = histogram({ count: 12, positiveBuckets: [4, 2, 6] });
        expect(histogramFraction(-Infinity, histogramQuantile(q, h).value, h).value).toBeCloseTo(q, 9);
      }),
    );
    expect(
      classicFraction(0, 1.5, [
        { upperBound: 1, count: 2 },
        { upperBound: 2, count: 4 },
        { upperBound: Infinity, count: 4 },
      ]),
    ).toBe(0.75);
  });
});

describe("trimming", () => {
  it("keeps whole buckets and cuts the one at the edge", () => {
    expect(trimBuckets(histogram(), 2, true)).toMatchObject({ count: 4, positiveBuckets: [4] });
    expect(trimBuckets(custom([1, 3], [2, 4, 0]), 2, false)).toMatchObject({ count: 2, sum: 5 });
  });
});

describe("printing", () => {
  it("lists populated buckets", () => {
    expect(formatHistogram(histogram({ zeroThreshold: 0.5, zeroCount: 1, positiveOffset: 20 }))).toBe(
      "{count:10, sum:20, [-0.5,0.5]:1, (524288,1.048576e+06]:4, (1.048576e+06,2.097152e+06]:6}",
    );
    expect(allBuckets(histogram()).map(({ count }) => count)).toEqual([4, 6]);
  });
});
