import type { UnixMs } from "@tocsin/model";
import type { Expr } from "../parser/ast.ts";
import type { ParserOptions } from "../parser/parser.ts";
import type { SeriesSource } from "../series-source.ts";
import { QueryError, type QueryResult } from "./result.ts";

export interface EngineOptions extends ParserOptions {
  /** How old a sample may be that an instant selector still takes; default 5 minutes. */
  lookbackMs?: number;
  /** Samples a query may hold at once; default 50,000,000. */
  maxSamples?: number;
  /** Default 2 minutes. */
  timeoutMs?: number;
  /** Step of a subquery that names none; default 1 minute. */
  defaultSubqueryStepMs?: number;
  /** Removes metric names at the end of a query instead of in every function on the way; default false. */
  delayedNameRemoval?: boolean;
  /** Lets functions read the `__type__` and `__unit__` labels; default false. */
  typeAndUnitLabels?: boolean;
  /** Lets rate, increase, irate and resets use the samples' start timestamps; default false. */
  useStartTimestamps?: boolean;
  /** For the timeout only. */
  now: () => UnixMs;
}

export interface QueryOptions {
  lookbackMs?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface Engine {
  /** Evaluates at one point in time. Throws `ParseError` for bad text and `QueryError` for everything else. */
  instant(source: SeriesSource, query: string | Expr, atMs: UnixMs, options?: QueryOptions): Promise<QueryResult>;
  /** Evaluates at `fromMs`, `fromMs + stepMs`, … up to `toMs`; the answer is always a matrix, sorted by labels. */
  range(
    source: SeriesSource,
    query: string | Expr,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    options?: QueryOptions,
  ): Promise<QueryResult & { type: "matrix" }>;
}

export function createEngine(_options: EngineOptions): Engine {
  const missing = () => Promise.reject(new QueryError("execution", "the engine is being built"));
  return { instant: missing, range: missing };
}
