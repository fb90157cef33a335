import { backoffMs, sleep, TocsinError, type BackoffOptions, type Clock } from "@tocsin/platform";
import type { TimeRange } from "../log-store.ts";
import type { Place } from "../search/cursor.ts";
import { ServerRefused, type Connection, type Json } from "./connection.ts";

export interface Hit<D> {
  _id: string;
  _source: D;
  sort?: [number, number, number];
}

export interface SearchAnswer<D, A = undefined> {
  timed_out: boolean;
  hits: { hits: Hit<D>[] };
  aggregations: A;
}

/** The last millisecond that an unsigned number of nanoseconds can name. */
const LAST_MS = 18_446_744_073_709;
const PAGE = 1000;
const TOO_MANY = 429;
const UNAVAILABLE = 503;

/** For the moment in which a new day's index is made, or a node goes: its shards cannot be searched yet. */
const RETRY: BackoffOptions = { initialMs: 50, maxMs: 500, factor: 2, jitter: 0.2 };
const MAX_ATTEMPTS = 6;

export const rangeFilter = ({ fromMs, toMs }: TimeRange): Json => ({
  range: { "@timestamp": { gte: bound(fromMs), lt: bound(toMs), format: "epoch_millis" } },
});

const bound = (ms: number): number => Math.ceil(Math.min(Math.max(ms, 0), LAST_MS + 1));

/** By time, and where that is the same, by an order that stays. */
export const byTime = (direction: "asc" | "desc"): Json[] =>
  ["@timestamp", "nanos", "order"].map((field) => ({ [field]: direction }));

/** Where a hit stands among all; the store has no files, and `order` stands for the row. */
export function placeOf({ sort }: Hit<unknown>): Place {
  const [ms, nanos, row] = sort ?? [0, 0, 0];
  return { ms, nanos, file: "", row };
}

export const searchAfter = ({ ms, nanos, row }: Place): number[] => [ms, nanos, row];

/** What stands before this place when the newest come first. */
export const newerThan = ({ ms, nanos, row }: Place): Json => ({
  bool: {
    minimum_should_match: 1,
    should: [
      { range: { "@timestamp": { gt: ms, format: "epoch_millis" } } },
      at(ms, { range: { nanos: { gt: nanos } } }),
      at(ms, { term: { nanos } }, { range: { order: { gte: row } } }),
    ],
  },
});

const at = (ms: number, ...filters: Json[]): Json => ({
  bool: { filter: [{ range: { "@timestamp": { gte: ms, lte: ms, format: "epoch_millis" } } }, ...filters] },
});

export interface SearcherOptions {
  connection: Pick<Connection, "request">;
  /** Resolves when the server can be asked. */
  ready: () => Promise<unknown>;
  clock: Clock;
  /** A name or pattern. */
  indices: string;
  timeoutMs: number;
}

/** Asks one signal's indices, all of them or none: an answer that lacks some shards would pass for "there is nothing". */
export class Searcher {
  readonly #options: SearcherOptions;

  constructor(options: SearcherOptions) {
    this.#options = options;
  }

  /** Rejects with TOCSIN_OVERLOADED when the server is too busy or too slow for this search. */
  async search<D, A = undefined>(body: Json, signal?: AbortSignal): Promise<SearchAnswer<D, A>> {
    signal?.throwIfAborted();
    await this.#options.ready();
    const answer = await this.#ask<SearchAnswer<D, A>>(body, signal);
    if (answer.timed_out) throw tooSlow();
    return answer;
  }

  /** Counts and statistics without hits. */
  async aggregate<A>(filters: readonly Json[], aggs: Json, signal?: AbortSignal): Promise<A> {
    const body = { size: 0, query: { bool: { filter: filters } }, aggs };
    return (await this.search<never, A>(body, signal)).aggregations;
  }

  /** Goes through all that matches, a page at a time. */
  async *pages<D>(
    filters: readonly Json[],
    options: { direction: "asc" | "desc"; after?: Place | undefined; size?: number; source?: readonly string[] },
    signal?: AbortSignal,
  ): AsyncGenerator<Hit<D>[]> {
    const { direction, size = PAGE, source } = options;
    let { after } = options;
    for (;;) {
      const body = {
        size,
        query: { bool: { filter: filters } },
        sort: byTime(direction),
        ...(source && { _source: source }),
        ...(after && { search_after: searchAfter(after) }),
      };
      const { hits } = (await this.search<D>(body, signal)).hits;
      if (hits.length > 0) yield hits;
      const last = hits.at(-1);
      if (!last || hits.length < size) return;
      after = placeOf(last);
    }
  }

  async #ask<T>(body: Json, signal: AbortSignal | undefined): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#request<T>(body, signal);
      } catch (error) {
        if (!(error instanceof ServerRefused)) throw error;
        if (error.status !== UNAVAILABLE || attempt === MAX_ATTEMPTS) throw refused(error);
        await sleep(this.#options.clock, backoffMs(RETRY, attempt, Math.random), signal);
      }
    }
  }

  #request<T>(body: Json, signal: AbortSignal | undefined): Promise<T> {
    const { connection, indices, timeoutMs } = this.#options;
    return connection.request<T>({
      method: "POST",
      path: `/${encodeURIComponent(indices)}/_search`,
      query: { ignore_unavailable: true, allow_no_indices: true, allow_partial_search_results: false },
      body: { track_total_hits: false, timeout: `${timeoutMs}ms`, ...body },
      timeoutMs: timeoutMs + 1000,
      signal,
    });
  }
}

function refused(cause: ServerRefused): TocsinError {
  const code = cause.status === TOO_MANY ? "TOCSIN_OVERLOADED" : "TOCSIN_UNAVAILABLE";
  return new TocsinError(code, `search refused: ${cause.message}`, { cause });
}

const tooSlow = (): TocsinError =>
  new TocsinError("TOCSIN_OVERLOADED", "the search took too long; ask for a shorter time or fewer words");
