import type { Labels } from "@tocsin/model";
import type { MatrixSeries, QueryResult, VectorSample } from "@tocsin/promql";
import { type HistogramJson, histogramFromJson } from "./histogram-from-json.ts";
import { parseValue } from "./value.ts";

type Point<T> = [seconds: number, value: T];

interface SeriesJson {
  metric: Labels;
  value?: Point<string>;
  values?: Point<string>[];
  histogram?: Point<HistogramJson>;
  histograms?: Point<HistogramJson>[];
}

/** The body of a successful answer to a query, as a Prometheus promises it. */
export type QueryAnswerJson = {
  data:
    | { resultType: "vector" | "matrix"; result: SeriesJson[] }
    | { resultType: "scalar" | "string"; result: Point<string> };
  warnings?: string[];
  infos?: string[];
};

/** The structured result of a query's JSON; the opposite of `resultToJson` in @tocsin/promql. */
export function resultFromJson({ data, warnings = [], infos = [] }: QueryAnswerJson, atMs: number): QueryResult {
  switch (data.resultType) {
    case "vector":
      return { type: "vector", timestampMs: atMs, samples: data.result.map(toVectorSample), warnings, infos };
    case "matrix":
      return { type: "matrix", series: data.result.map(toMatrixSeries), warnings, infos };
    case "scalar":
      return { type: "scalar", ...pointOf(data.result, parseValue), warnings, infos };
    case "string":
      return { type: "string", ...pointOf(data.result, String), warnings, infos };
  }
}

function pointOf<T>([seconds, text]: Point<string>, read: (text: string) => T): { timestampMs: number; value: T } {
  return { timestampMs: toMs(seconds), value: read(text) };
}

function toVectorSample({ metric, value, histogram }: SeriesJson): VectorSample {
  return histogram
    ? { labels: metric, value: 0, histogram: histogramFromJson(histogram[1]) }
    : { labels: metric, value: parseValue(value?.[1] ?? "NaN") };
}

function toMatrixSeries({ metric, values = [], histograms = [] }: SeriesJson): MatrixSeries {
  return {
    labels: metric,
    timestamps: Float64Array.from(values, ([seconds]) => toMs(seconds)),
    values: Float64Array.from(values, ([, text]) => parseValue(text)),
    histograms: histograms.map(([seconds, json]) => ({
      timestampMs: toMs(seconds),
      histogram: histogramFromJson(json),
    })),
  };
}

const toMs = (seconds: number) => Math.round(seconds * 1000);
