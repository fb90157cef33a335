import type { UnixMs } from "@tocsin/model";
import type { Expr } from "../parser/ast.ts";
import { quoteString } from "../parser/go-format.ts";
import { type ParserOptions, parseExpr } from "../parser/parser.ts";
import { formatExpr } from "../parser/printer.ts";
import { describeType, typeOf } from "../parser/type-check.ts";
import type { SeriesSource } from "../series-source.ts";
import { type Grid, type Series, timesOf } from "./column.ts";
import { Evaluator } from "./evaluator.ts";
import type { Evaluating } from "./evaluation.ts";
import { matrixSeries } from "./matrix-series.ts";
import { cleanNames } from "./merge.ts";
import { type Plan, makePlan, planType } from "./plan.ts";
import { rawMatrix } from "./raw-matrix.ts";
import { type MatrixResult, type MatrixSeries, QueryError, type QueryResult, type VectorSample } from "./result.ts";

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
  /** For the timeout, and to let other work have its turn. */
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
  ): Promise<MatrixResult>;
}

const DEFAULTS = {
  lookbackMs: 5 * 60_000,
  maxSamples: 50_000_000,
  timeoutMs: 2 * 60_000,
  defaultSubqueryStepMs: 60_000,
};

/** Milliseconds a query works before it lets others have their turn. */
const TURN_MS = 10;

export function createEngine(options: EngineOptions): Engine {
  const { lookbackMs, maxSamples, timeoutMs, defaultSubqueryStepMs } = { ...DEFAULTS, ...options };
  const typeAndUnitLabels = options.typeAndUnitLabels ?? false;

  function prepare(query: string | Expr): { expr: Expr; text: string } {
    if (typeof query === "string") return { expr: parseExpr(query, options), text: query };
    return { expr: query, text: formatExpr(query) };
  }

  function evaluator(source: SeriesSource, query: QueryOptions): Evaluator {
    return new Evaluator({
      source,
      lookbackMs: query.lookbackMs || lookbackMs,
      maxSamples,
      delayedNameRemoval: options.delayedNameRemoval ?? false,
      typeAndUnitLabels,
      useStartTimestamps: options.useStartTimestamps ?? false,
      signal: query.signal ?? new AbortController().signal,
    });
  }

  /** Runs an evaluation to its end, with pauses, within the time it has. */
  async function run<T>(ev: Evaluator, text: string, evaluation: Evaluating<T>, query: QueryOptions): Promise<T> {
    const limit = query.timeoutMs ?? timeoutMs;
    const deadline = options.now() + limit;
    let turnEnds = options.now() + TURN_MS;
    try {
      for (;;) {
        if (query.signal?.aborted) throw new QueryError("canceled", "query was canceled in expression evaluation");
        const now = options.now();
        if (now > deadline) throw new QueryError("timeout", "query timed out in expression evaluation");
        const { value, done } = evaluation.next();
        if (done) return value;
        if (value) await settledOrAborted(value, query.signal);
        else if (now >= turnEnds) await nextTurn();
        else continue;
        turnEnds = options.now() + TURN_MS;
      }
    } catch (error) {
      const failure = asQueryError(error);
      Object.assign(failure, ev.notes.list(text));
      throw failure;
    } finally {
      evaluation.return(undefined as never);
    }
  }

  return {
    async instant(source, query, atMs, queryOptions = {}) {
      const { expr, text } = prepare(query);
      const plan = makePlan(expr, { startMs: atMs, endMs: atMs, stepMs: 0, defaultSubqueryStepMs, typeAndUnitLabels });
      const ev = evaluator(source, queryOptions);
      const grid = { startMs: atMs, stepMs: 1, count: 1, isRange: false };
      const value = await run(ev, text, instantValue(ev, plan, grid), queryOptions);
      return { ...value, ...ev.notes.list(text) };
    },

    async range(source, query, fromMs, toMs, stepMs, queryOptions = {}) {
      const { expr, text } = prepare(query);
      const type = typeOf(expr);
      if (type !== "vector" && type !== "scalar") {
        throw new QueryError(
          "bad_data",
          `invalid expression type ${quoteString(describeType(type))} for range query, must be Scalar or instant Vector`,
        );
      }
      if (!(stepMs > 0)) throw new QueryError("bad_data", "the step of a range query must be positive");
      const plan = makePlan(expr, { startMs: fromMs, endMs: toMs, stepMs, defaultSubqueryStepMs, typeAndUnitLabels });
      const ev = evaluator(source, queryOptions);
      const grid = {
        startMs: fromMs,
        stepMs,
        count: Math.max(0, Math.floor((toMs - fromMs) / stepMs) + 1),
        isRange: toMs > fromMs,
      };
      const series = await run(ev, text, rangeValue(ev, plan, grid), queryOptions);
      return { type: "matrix", series, ...ev.notes.list(text) };
    },
  };
}

type Value =
  | { type: "vector"; timestampMs: UnixMs; samples: VectorSample[] }
  | { type: "matrix"; series: MatrixSeries[] }
  | { type: "scalar"; timestampMs: UnixMs; value: number }
  | { type: "string"; timestampMs: UnixMs; value: string };

function* instantValue(ev: Evaluator, plan: Plan, grid: Grid): Evaluating<Value> {
  const timestampMs = grid.startMs;
  if (plan.kind === "string") return { type: "string", timestampMs, value: plan.value };
  const type = planType(plan);
  if (type === "scalar") {
    const values = yield* ev.scalar(plan, grid);
    return { type, timestampMs, value: values[0] as number };
  }
  if (type === "matrix") return { type, series: yield* rawMatrix(ev, plan, grid) };
  const all = yield* ev.vector(plan, grid);
  return { type: "vector", timestampMs, samples: cleanNames(ev, all).map(sampleOf) };
}

function sampleOf(series: Series): VectorSample {
  const histogram = series.histogramAt(0) ?? series.shadowAt(0);
  const labels = series.labels.toLabels();
  return histogram ? { labels, value: 0, histogram } : { labels, value: series.values[0] as number };
}

function* rangeValue(ev: Evaluator, plan: Plan, grid: Grid): Evaluating<MatrixSeries[]> {
  if (grid.count === 0) return [];
  if (planType(plan) === "scalar") {
    const values = yield* ev.scalar(plan, grid);
    return [{ labels: {}, timestamps: timesOf(grid), values, histograms: [] }];
  }
  const all = yield* ev.vector(plan, grid);
  const times = timesOf(grid);
  return cleanNames(ev, all)
    .sort((a, b) => a.labels.compare(b.labels))
    .map((series) => matrixSeries(series, times));
}

function asQueryError(error: unknown): QueryError {
  if (error instanceof QueryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new QueryError("execution", message, { cause: error });
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits for the source, or for the query to be given up. */
async function settledOrAborted(pending: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return pending;
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = () => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([pending, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
