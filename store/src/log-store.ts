import type { LogItem, LogRecord, Query, SeverityLevel, UnixMs } from "@tocsin/model";

/** From `fromMs` on, up to but not including `toMs`. */
export interface TimeRange {
  fromMs: UnixMs;
  toMs: UnixMs;
}

export interface Page<T> {
  items: T[];
  /** Where the next page begins; absent on the last one. */
  cursor?: string;
  /** The search ran out of time: what is newer than this was searched, the cursor goes on from here. */
  searchedToMs?: UnixMs;
}

export interface LogSearch extends TimeRange {
  query: Query;
  limit: number;
  cursor?: string;
  /** Newest first unless said otherwise. By relevance the newest 2,000 are ranked at least: docs/guides/search.md. */
  order?: "newest" | "oldest" | "relevance";
}

export interface HistogramBucket {
  startMs: UnixMs;
  total: number;
  levels: Partial<Record<SeverityLevel, number>>;
}

export interface Histogram {
  /** Multiples of `stepMs` since the epoch that enclose the range asked for. */
  fromMs: UnixMs;
  toMs: UnixMs;
  stepMs: number;
  buckets: HistogramBucket[];
  /** Counts before this time are missing, because the search ran out of time. */
  searchedToMs?: UnixMs;
}

export interface Facet {
  field: string;
  /** Most frequent first. */
  values: { value: string; count: number }[];
}

export interface Facets {
  facets: Facet[];
  /** What is older was not counted, because the search ran out of time. */
  searchedToMs?: UnixMs;
}

/** What one live subscriber gets: records, and how many it missed because it was too slow. */
export interface TailEvent {
  items: LogItem[];
  dropped: number;
}

/** What a backend does differently, for the UI to say. */
export interface StoreCaps {
  /** Facet counts are estimates. */
  approximateFacets: boolean;
  /** Percentiles are read from raw durations and not from buckets. */
  exactPercentiles: boolean;
  /** New records are pushed to `tail` at their commit, or looked for now and then. */
  tail: "push" | "poll";
}

/**
 * Keeps log records and finds them by time, words and fields. Embedded files stand behind it, and other stores can:
 * `logStoreContract` says what they have to do. A call that is aborted rejects with the signal's reason.
 */
export interface LogStore {
  readonly caps: StoreCaps;
  /** Resolves when the records are kept for good. */
  append(records: readonly LogRecord[]): Promise<void>;
  search(search: LogSearch, signal?: AbortSignal): Promise<Page<LogItem>>;
  /** Counts by level in about `buckets` equal steps. */
  histogram(search: TimeRange & { query: Query; buckets: number }, signal?: AbortSignal): Promise<Histogram>;
  /** The most frequent values of fields, named as in a search. */
  facets(
    search: TimeRange & { query: Query; fields: readonly string[]; top: number },
    signal?: AbortSignal,
  ): Promise<Facets>;
  /** Records that match, from now on, until the signal aborts. */
  tail(query: Query, signal: AbortSignal): AsyncIterable<TailEvent>;
}
