import { expect, test } from "vitest";
import type { MatrixResult } from "@tocsin/promql";
import { queryBody } from "./query-json.ts";

const matrix = (): MatrixResult => ({
  type: "matrix",
  series: ["a", "b"].map((instance) => ({
    labels: { instance },
    timestamps: Float64Array.of(1000, 2500),
    values: Float64Array.of(1, Infinity),
    histograms: [],
  })),
  warnings: [],
  infos: ["PromQL info: something (1:1)"],
});
const text = (body: Uint8Array) => Buffer.from(body).toString();

test("a matrix is written series by series", () => {
  expect(text(queryBody(matrix(), { limit: 0 }))).toBe(
    '{"status":"success","data":{"resultType":"matrix","result":[' +
      '{"metric":{"instance":"a"},"values":[[1,"1"],[2.5,"+Inf"]]},{"metric":{"instance":"b"},"values":[[1,"1"],[2.5,"+Inf"]]}' +
      ']},"infos":["PromQL info: something (1:1)"]}',
  );
});

test("an empty matrix is an empty list", () => {
  expect(text(queryBody({ ...matrix(), series: [], infos: [] }, { limit: 0 }))).toBe(
    '{"status":"success","data":{"resultType":"matrix","result":[]}}',
  );
});

test("an answer beyond the limit is an error, not a process without memory", () => {
  expect(() => queryBody(matrix(), { limit: 0, maxBytes: 200 })).toThrow("ask for fewer series or a larger step");
  expect(text(queryBody(matrix(), { limit: 1, maxBytes: 300 }))).toContain("results truncated due to limit");
});
