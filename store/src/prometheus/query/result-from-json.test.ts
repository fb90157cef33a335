import { expect, test } from "vitest";
import type { NativeHistogram } from "@tocsin/model";
import { histogramToJson, type QueryResult, resultToJson } from "@tocsin/promql";
import { type HistogramJson, histogramFromJson } from "./histogram-from-json.ts";
import { type QueryAnswerJson, resultFromJson } from "./result-from-json.ts";

const base: NativeHistogram = {
  schema: 3,
  count: 20,
  sum: 12.5,
  zeroThreshold: 0.01,
  zeroCount: 2,
  positiveOffset: -3,
  positiveBuckets: [1, 0, 4],
  negativeOffset: 2,
  negativeBuckets: [5, 6],
  customValues: [],
  counterReset: "gauge",
};

test.each<[string, NativeHistogram]>([
  ["exponential buckets on both sides", base],
  ["the coarsest schema", { ...base, schema: -4, positiveOffset: 1 }],
  ["the finest", { ...base, schema: 8, positiveOffset: 2000 }],
  [
    "nothing but zeros",
    { ...base, schema: 0, positiveOffset: 0, positiveBuckets: [], negativeOffset: 0, negativeBuckets: [] },
  ],
  [
    "custom buckets",
    {
      ...base,
      schema: -53,
      zeroThreshold: 0,
      zeroCount: 0,
      positiveOffset: 0,
      positiveBuckets: [3, 4, 5],
      negativeOffset: 0,
      negativeBuckets: [],
      customValues: [1, 5],
    },
  ],
])("a histogram with %s comes back from its JSON", (_, histogram) => {
  // prettier-ignore
  expect(histogramFromJson(histogramToJson(histogram) as HistogramJson)).toEqual(histogram);
});

test.each<[QueryResult["type"], QueryResult]>([
  [
    "vector",
    {
      type: "vector",
      timestampMs: 1500,
      samples: [{ labels: { a: "b" }, value: Infinity }],
      warnings: ["w"],
      infos: [],
    },
  ],
  [
    "matrix",
    {
      type: "matrix",
      series: [
        {
          labels: {},
          timestamps: Float64Array.of(1, 2001),
          values: Float64Array.of(-Infinity, 1e-7),
          histograms: [{ timestampMs: 3000, histogram: base }],
        },
      ],
      warnings: [],
      infos: ["i"],
    },
  ],
  ["scalar", { type: "scalar", timestampMs: 1001, value: 0.1, warnings: [], infos: [] }],
  ["string", { type: "string", timestampMs: 1001, value: "x", warnings: [], infos: [] }],
])("a %s comes back from its JSON", (_, result) => {
  // prettier-ignore
  const { warnings, infos } = result;
  const answer = JSON.parse(JSON.stringify({ data: resultToJson(result), warnings, infos })) as QueryAnswerJson;
  expect(resultFromJson(answer, 1500)).toEqual(result);
});
