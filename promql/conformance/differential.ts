import { type Engine, type MemorySource, type QueryResult, histogramToJson } from "@tocsin/promql";
import type { GeneratedSeries } from "./generate-data.ts";

/** Relative difference that rounding may cause. */
const TOLERANCE = 1e-12;

export interface QueryRequest {
  q: string;
  start: number;
  end: number;
  /** 0 for an instant query. */
  step: number;
}

type ApiHistogram = ReturnType<typeof histogramToJson>;
type Point = number | ApiHistogram;

/** An answer of either engine in the same plain form: each series' points by time. */
export type Answer = { error: string } | { series: Map<string, Map<number, Point>>; notes: string[] };

interface ReferenceAnswer {
  error?: string;
  data?: { type: string; result: unknown };
  warnings?: string[];
  infos?: string[];
}

interface ReferenceSeries {
  metric: Record<string, string>;
  value?: string;
  histogram?: ApiHistogram;
  values?: [number, string][];
  histograms?: [number, ApiHistogram][];
}

export function loadRequest(data: readonly GeneratedSeries[]): object {
  const number = (value: number) => (Number.isFinite(value) && !Object.is(value, -0) ? value : goNumber(value));
  return {
    op: "load",
    series: data.map(({ labels, samples }) => ({
      labels,
      samples: samples.map(({ timestampMs, value, stale, histogram }) => {
        if (histogram) return [timestampMs, null, histogram];
        return [timestampMs, stale ? "stale" : number(value)];
      }),
    })),
  };
}

function goNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value === 0 ? "-0" : value > 0 ? "+Inf" : "-Inf";
}

function parseNumber(text: string): number {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

const keyOf = (metric: Record<string, string>): string =>
  JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));

export function fromReference(answer: unknown, { start }: QueryRequest): Answer {
  const { error, data, warnings = [], infos = [] } = answer as ReferenceAnswer;
  if (error !== undefined || data === undefined) return { error: error ?? "no answer" };
  const series = new Map<string, Map<number, Point>>();
  const notes = [...warnings, ...infos];
  if (data.type === "scalar") {
    series.set("scalar", new Map([[start, parseNumber(data.result as string)]]));
    return { series, notes };
  }
  for (const { metric, value, histogram, values = [], histograms = [] } of data.result as ReferenceSeries[]) {
    const points = new Map<number, Point>();
    if (histogram) points.set(start, histogram);
    else if (value !== undefined) points.set(start, parseNumber(value));
    for (const [time, text] of values) points.set(time, parseNumber(text));
    for (const [time, h] of histograms) points.set(time, h);
    series.set(keyOf(metric), points);
  }
  return { series, notes };
}

export async function askOurs(engine: Engine, source: MemorySource, request: QueryRequest): Promise<Answer> {
  const { q, start, end, step } = request;
  let result: QueryResult;
  try {
    result = await (step === 0 ? engine.instant(source, q, start) : engine.range(source, q, start, end, step));
  } catch (error) {
    return { error: (error as Error).message };
  }
  const series = new Map<string, Map<number, Point>>();
  if (result.type === "scalar") {
    series.set("scalar", new Map([[start, result.value]]));
  } else if (result.type === "vector") {
    for (const { labels, value, histogram } of result.samples)
      series.set(keyOf(labels), new Map([[start, histogram ? histogramToJson(histogram) : value]]));
  } else if (result.type === "matrix") {
    for (const { labels, timestamps, values, histograms } of result.series) {
      const points = new Map<number, Point>();
      timestamps.forEach((time, i) => points.set(time, values[i] ?? 0));
      for (const { timestampMs, histogram } of histograms) points.set(timestampMs, histogramToJson(histogram));
      series.set(keyOf(labels), points);
    }
  }
  return { series, notes: [...result.warnings, ...result.infos] };
}

/** What is different, or undefined. */
export function difference(expected: Answer, actual: Answer): string | undefined {
  if ("error" in expected || "error" in actual) {
    const [want, got] = [expected, actual].map((answer) => ("error" in answer ? answer.error : undefined));
    return normalized(want) === normalized(got)
      ? undefined
      : `error: expected ${want ?? "none"}\n  got ${got ?? "none"}`;
  }
  for (const [key, points] of expected.series) {
    const others = actual.series.get(key);
    if (others === undefined) return `series ${key} is missing`;
    for (const [time, point] of points) {
      const other = others.get(time);
      if (other === undefined || !isSamePoint(point, other))
        return `${key} at ${time}: expected ${show(point)}, got ${show(other)}`;
    }
    if (others.size !== points.size) return `${key}: expected ${points.size} points, got ${others.size}`;
  }
  const extra = [...actual.series.keys()].find((key) => !expected.series.has(key));
  if (extra !== undefined) return `series ${extra} is not expected`;
  return sameNotes(expected.notes, actual.notes);
}

/** Which of several duplicates is named depends on the order of a hash map. */
const normalized = (error: string | undefined): string | undefined =>
  error?.replace(
    /(found duplicate series for the match group ).*?( on the \w+ hand-side of the operation: ).*/,
    "$1$2",
  );

function sameNotes(expected: readonly string[], actual: readonly string[]): string | undefined {
  const [want, got] = [expected, actual].map((notes) => notes.toSorted().join("\n  "));
  return want === got ? undefined : `notes: expected\n  ${want}\n got\n  ${got}`;
}

function isSamePoint(a: Point, b: Point): boolean {
  if (typeof a === "number" || typeof b === "number") return typeof a === typeof b && isClose(a as number, b as number);
  const [m, n] = [a, b].map((h) => [h.count, h.sum, ...(h.buckets ?? []).flat()].map((v) => parseNumber(String(v))));
  return m?.length === n?.length && (m ?? []).every((value, i) => isClose(value, n?.[i] ?? Number.NaN));
}

function isClose(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}

const show = (point: Point | undefined): string => (typeof point === "number" ? String(point) : JSON.stringify(point));
