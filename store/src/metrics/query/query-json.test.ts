import { expect, test } from "vitest";
import type { MatrixResult } from "@tocsin/promql";
import { Pacer } from "../pacer.ts";
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
const pacer = new Pacer(1000);
const bodyText = async (result: MatrixResult, options: { limit: number; maxBytes?: number }) =>
  Buffer.from(await queryBody(result, { ...options, pacer })).toString();

test("a matrix is written series by series", async () => {
  expect(await bodyText(matrix(), { limit: 0 })).toBe(
    '{"status":"success","data":{"resultType":"matrix","result":[' +
      '{"metric":{"instance":"a"},"values":[[1,"1"],[2.5,"+Inf"]]},{"metric":{"instance":"b"},"values":[[1,"1"],[2.5,"+Inf"]]}' +
      ']},"infos":["PromQL info: something (1:1)"]}',
  );
});

test("an empty matrix is an empty list", async () => {
  expect(await bodyText({ ...matrix(), series: [], infos: [] }, { limit: 0 })).toBe(
    '{"status":"success","data":{"resultType":"matrix","result":[]}}',
  );
});

test("an answer beyond the limit is an error, not a process without memory", async () => {
  await expect(bodyText(matrix(), { limit: 0, maxBytes: 200 })).rejects.toThrow(
    "ask for fewer series or a larger step",
  );
  expect(await bodyText(matrix(), { limit: 1, maxBytes: 300 })).toContain("results truncated due to limit");
});
