import { type Labels, METRIC_NAME } from "@tocsin/model";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { z } from "zod";
import type { Series } from "../charts/series.ts";
import { type Range, resolveRange, type Span, stepSeconds } from "../url/range.ts";
import { getPrometheus } from "./client.ts";
import { usePolled } from "./use-polled.ts";

const SampleValue = z.tuple([z.number(), z.string()]);
const LabelSet = z.record(z.string(), z.string());

const MatrixResult = z.object({
  resultType: z.literal("matrix"),
  result: z.array(z.object({ metric: LabelSet, values: z.array(SampleValue).default([]) })),
});

const InstantResult = z.discriminatedUnion("resultType", [
  z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: LabelSet, value: SampleValue.optional() })),
  }),
  MatrixResult,
  z.object({ resultType: z.literal("scalar"), result: SampleValue }),
  z.object({ resultType: z.literal("string"), result: SampleValue }),
]);

export interface RangeAnswer extends Span {
  series: Series[];
}

/** Points per series: about one for every three pixels of a wide chart. */
const POINTS = 300;

/** An expression over the range, at a step fit for a chart; the answer says which span it is for. */
export function useRangeQuery(query: string, range: Range, enabled = true): UseQueryResult<RangeAnswer> {
  return usePolled({
    queryKey: ["prometheus", "range", query, range.from, range.to],
    enabled: enabled && query.trim() !== "",
    queryFn: async ({ signal }) => {
      const span = resolveRange(range, Date.now());
      const step = stepSeconds(span, POINTS);
      // On multiples of the step, so that a moving range asks for the same points again.
      const start = Math.ceil(span.fromMs / 1000 / step) * step;
      const params = { query, start, end: span.toMs / 1000, step };
      const { result } = await getPrometheus("query_range", MatrixResult, { params, signal });
      return { ...span, series: result.map(({ metric, values }) => seriesOf(metric, values, step * 1000)) };
    },
  });
}

export interface InstantRow {
  metric: Labels;
  value: string;
}

/** An expression at the range's end. */
export function useInstantQuery(query: string, range: Range, enabled = true): UseQueryResult<InstantRow[]> {
  return usePolled({
    queryKey: ["prometheus", "instant", query, range.to],
    enabled: enabled && query.trim() !== "",
    queryFn: async ({ signal }) => {
      const params = { query, time: resolveRange(range, Date.now()).toMs / 1000 };
      const answer = await getPrometheus("query", InstantResult, { params, signal });
      switch (answer.resultType) {
        case "vector":
          return answer.result.map(({ metric, value }) => ({ metric, value: value?.[1] ?? "histogram" }));
        case "matrix":
          return answer.result.map(({ metric, values }) => ({ metric, value: values.map(([, v]) => v).join(" ") }));
        case "scalar":
        case "string":
          return [{ metric: {}, value: answer.result[1] }];
      }
    },
  });
}

const Metadata = z.record(z.string(), z.array(z.object({ type: z.string(), unit: z.string(), help: z.string() })));
export type Metadata = z.infer<typeof Metadata>;

/** Every metric that has metadata, with its type and help. */
export function useMetadata(): UseQueryResult<Metadata> {
  return useQuery({
    queryKey: ["prometheus", "metadata"],
    queryFn: ({ signal }) => getPrometheus("metadata", Metadata, { signal }),
    staleTime: 60_000,
  });
}

/** `up{job="api"}`, as Prometheus prints a series. */
export function seriesName(metric: Labels): string {
  const { [METRIC_NAME]: name = "", ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== "" ? name : `${name}{${pairs.join(", ")}}`;
}

/** A series with a hole wherever more than one step lies between two points. */
function seriesOf(metric: Labels, values: readonly (readonly [number, string])[], stepMs: number): Series {
  const points: [number, number | null][] = [];
  let before: number | undefined;
  for (const [seconds, text] of values) {
    const at = Math.round(seconds * 1000);
    if (before !== undefined && at - before > stepMs * 1.5) points.push([before + stepMs, null]);
    const value = Number(text.replace("Inf", "Infinity"));
    points.push([at, Number.isFinite(value) ? value : null]);
    before = at;
  }
  const name = seriesName(metric);
  return { id: name, label: name, points };
}
