import type { Matcher, UnixMs } from "@tocsin/model";
import {
  createEngine,
  type Engine,
  type Expr,
  ParseError,
  type PositionRange,
  QueryError,
  type QueryErrorKind,
  type QueryResult,
  type SeriesSource,
} from "@tocsin/promql";
import { TocsinError } from "@tocsin/platform/thread";
import { Pacer } from "../pacer.ts";
import type { SampleStore } from "../sample-store.ts";
import { queryBody, type QueryStats } from "./query-json.ts";
import { type Lane, QueryLanes } from "./query-lanes.ts";

const WRITE_SLICE_MS = 8;
const TOO_MANY_SAMPLES = "query processing would load too many samples into memory in query execution";

export interface QueryRunnerOptions {
  timeoutMs: number;
  maxSamples: number;
  maxConcurrency: number;
  maxQueued: number;
  lookbackMs: number;
  defaultSubqueryStepMs: number;
  now: () => UnixMs;
}

/** One query: at `fromMs` alone, or from there to `toMs` in steps. */
export interface Query {
  expr: string | Expr;
  fromMs: UnixMs;
  /** Left out for an instant query. */
  range?: { toMs: UnixMs; stepMs: number };
  lane: Lane;
  timeoutMs?: number;
  lookbackMs?: number;
}

export interface JsonOptions {
  /** Elements of the result, 0 for all. */
  limit: number;
  stats: boolean;
}

/** A failure as it crosses threads; see `toQueryFailure` and `fromQueryFailure`. */
export type QueryFailure =
  | { kind: "parse"; reason: string; range: PositionRange; text: string }
  | { kind: QueryErrorKind; message: string; warnings: string[]; infos: string[] };

export type QueryOutcome<T> = ({ ok: true } & T & { stats: QueryStats }) | { ok: false; failure: QueryFailure };

/** Evaluates PromQL over a SampleStore, within limits. */
export class QueryRunner {
  readonly #store: SampleStore;
  readonly #options: QueryRunnerOptions;
  readonly #engine: Engine;
  readonly lanes: QueryLanes;

  constructor(store: SampleStore, options: QueryRunnerOptions) {
    this.#store = store;
    this.#options = options;
    this.lanes = new QueryLanes(options);
    this.#engine = createEngine({
      lookbackMs: options.lookbackMs,
      maxSamples: options.maxSamples,
      timeoutMs: options.timeoutMs,
      defaultSubqueryStepMs: options.defaultSubqueryStepMs,
      now: options.now,
    });
  }

  /** The answer as it is. */
  run(query: Query, signal: AbortSignal): Promise<QueryOutcome<{ result: QueryResult }>> {
    return this.#admit(query, signal, (queueTime) => this.#evaluate(query, queueTime, signal));
  }

  /** The answer as the body of the HTTP API's response, success only. */
  runJson(
    query: Query,
    json: JsonOptions,
    signal: AbortSignal,
  ): Promise<QueryOutcome<{ body: Uint8Array<ArrayBuffer> }>> {
    return this.#admit(query, signal, async (queueTime) => {
      const { result, stats } = await this.#evaluate(query, queueTime, signal);
      const pacer = new Pacer(WRITE_SLICE_MS, () => this.lanes.turnOf(query.lane));
      const body = await queryBody(result, { limit: json.limit, ...(json.stats && { stats }), pacer });
      return { body, stats };
    });
  }

  async #admit<T extends { stats: QueryStats }>(
    query: Query,
    signal: AbortSignal,
    task: (queueTime: number) => Promise<T>,
  ): Promise<({ ok: true } & T) | { ok: false; failure: QueryFailure }> {
    try {
      return { ok: true, ...(await this.lanes.run(query.lane, signal, task)) };
    } catch (error) {
      return { ok: false, failure: toQueryFailure(error, query) };
    }
  }

  async #evaluate(
    query: Query,
    queueTime: number,
    signal: AbortSignal,
  ): Promise<{ result: QueryResult; stats: QueryStats }> {
    const startedMs = performance.now();
    const timeoutMs = Math.min(query.timeoutMs ?? Infinity, this.#options.timeoutMs) - queueTime * 1000;
    const counted = { samples: 0 };
    const source = this.#source(query.lane, counted, startedMs + timeoutMs);
    const options = { timeoutMs, signal, ...(query.lookbackMs !== undefined && { lookbackMs: query.lookbackMs }) };
    const result = query.range
      ? await this.#engine.range(source, query.expr, query.fromMs, query.range.toMs, query.range.stepMs, options)
      : await this.#engine.instant(source, query.expr, query.fromMs, options);
    const evalTime = (performance.now() - startedMs) / 1000;
    return { result, stats: { queueTime, evalTime, samples: counted.samples } };
  }

  /** The store as the engine sees it during one query. */
  #source(lane: Lane, counted: { samples: number }, deadline: number): SeriesSource {
    return {
      select: async (matchers: readonly Matcher[], fromMs, toMs, _hints, signal) => {
        const series = await this.#store.select(matchers, fromMs, toMs, {
          signal,
          maxSamples: this.#options.maxSamples - counted.samples,
          onTooMany: () => new QueryError("execution", TOO_MANY_SAMPLES),
          until: () => {
            if (performance.now() > deadline)
              throw new QueryError("timeout", "query timed out in expression evaluation");
            return this.lanes.turnOf(lane);
          },
        });
        for (const { timestamps } of series) counted.samples += timestamps.length;
        return series;
      },
    };
  }
}

function toQueryFailure(error: unknown, query: Query): QueryFailure {
  if (error instanceof ParseError) {
    return {
      kind: "parse",
      reason: error.reason,
      range: error.range,
      text: typeof query.expr === "string" ? query.expr : "",
    };
  }
  if (error instanceof QueryError) {
    return { kind: error.kind, message: error.message, warnings: error.warnings, infos: error.infos };
  }
  if (error instanceof DOMException && error.name === "AbortError") {
    return { kind: "canceled", message: "query was canceled in query execution", warnings: [], infos: [] };
  }
  if (error instanceof TocsinError && error.code === "TOCSIN_STORE_CORRUPT") {
    return { kind: "execution", message: error.message, warnings: [], infos: [] };
  }
  throw error;
}

/** The error a caller in another thread gets to see. */
export function fromQueryFailure(failure: QueryFailure): ParseError | QueryError {
  if (failure.kind === "parse") return new ParseError(failure.reason, failure.range, failure.text);
  const error = new QueryError(failure.kind, failure.message);
  error.warnings = failure.warnings;
  error.infos = failure.infos;
  return error;
}
