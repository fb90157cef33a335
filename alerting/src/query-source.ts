import type { Labels, NativeHistogram, PostableAlert, UnixMs, WriteRequest } from "@tocsin/model";
import { type Engine, type Expr, parseExpr, type QueryResult, type SeriesSource } from "@tocsin/promql";

/** One element of an instant vector; a native histogram when `histogram` is set, and then `value` has no meaning. */
export interface QuerySample {
  labels: Labels;
  value: number;
  histogram?: NativeHistogram;
  timestampMs: UnixMs;
}

export interface QuerySeries {
  labels: Labels;
  samples: { timestampMs: UnixMs; value: number }[];
}

export type QueryAnswer =
  | { type: "vector"; samples: QuerySample[] }
  | { type: "scalar"; value: number; timestampMs: UnixMs }
  | { type: "matrix"; series: QuerySeries[] }
  | { type: "string"; value: string; timestampMs: UnixMs };

/** Where rules ask: the embedded store, or any Prometheus HTTP API. */
export interface QuerySource {
  /** Evaluates an expression at one point in time. Rejects with an Error whose message is the query's own error. */
  instant(expr: string, atMs: UnixMs, signal: AbortSignal): Promise<QueryAnswer>;
}

/** Where recording rules and the ALERTS series go. Resolves when a query can see what was written. */
export interface RuleOutput {
  append(request: WriteRequest): Promise<void>;
}

/** Where firing and resolved alerts go: a router in this process, or an Alertmanager. Rejects when none took them. */
export interface AlertSink {
  send(alerts: PostableAlert[]): Promise<void>;
}

/** Asks an engine in this process. */
export function createEngineQuerySource(engine: Engine, source: SeriesSource): QuerySource {
  const parsed = new Map<string, Expr>();
  const parse = (text: string): Expr => {
    const known = parsed.get(text);
    if (known !== undefined) return known;
    // Templates make new queries without end.
    if (parsed.size >= 1000) parsed.clear();
    const expr = parseExpr(text);
    parsed.set(text, expr);
    return expr;
  };
  return {
    async instant(text, atMs, signal) {
      return toQueryAnswer(await engine.instant(source, parse(text), atMs, { signal }));
    },
  };
}

/** An engine's result as rules take it. */
export function toQueryAnswer(result: QueryResult): QueryAnswer {
  switch (result.type) {
    case "vector":
      return {
        type: "vector",
        samples: result.samples.map((sample) => ({ ...sample, timestampMs: result.timestampMs })),
      };
    case "matrix":
      return {
        type: "matrix",
        series: result.series.map(({ labels, timestamps, values }) => ({
          labels,
          samples: Array.from(timestamps, (timestampMs, i) => ({ timestampMs, value: values[i] ?? Number.NaN })),
        })),
      };
    case "scalar":
      return { type: "scalar", value: result.value, timestampMs: result.timestampMs };
    case "string":
      return { type: "string", value: result.value, timestampMs: result.timestampMs };
  }
}
