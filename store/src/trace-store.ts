import type { Query, Span, TraceSummary, UnixMs } from "@tocsin/model";
import type { Page, StoreCaps, TimeRange } from "./log-store.ts";

export interface TraceSearch extends TimeRange {
  /** A trace matches when one of its spans, begun within the range, satisfies the whole query. */
  query: Query;
  limit: number;
  cursor?: string;
}

/** Rate, errors and duration of the requests a service (or one operation of it) served. */
export interface RedStats {
  count: number;
  errors: number;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export interface RedRow extends RedStats {
  service: string;
  /** Empty where rows are by service. */
  operation: string;
  /** One entry for each step of the range, oldest first. */
  steps: RedStats[];
}

export interface RedRows {
  rows: RedRow[];
  /** What is older was not counted, because the search ran out of time. */
  searchedToMs?: UnixMs;
}

export interface RedQuery extends TimeRange {
  steps: number;
  by: "service" | "operation";
  service?: string;
}

/** Calls from one service to another, or to what it only names: a database, a queue, someone else's host. */
export interface EdgeRow {
  source: string;
  target: string;
  kind: "service" | "external" | "database" | "queue";
  count: number;
  errors: number;
  p95Ms: number | null;
}

export interface EdgeRows {
  edges: EdgeRow[];
  /** Calls before this were not counted, because the search ran out of time. */
  searchedToMs?: UnixMs;
}

/** When a service was heard of, in spans or logs. */
export interface ServiceRow {
  name: string;
  version: string;
  firstMs: UnixMs;
  lastMs: UnixMs;
}

/** Keeps spans and answers for traces, services and their calls; `traceStoreContract` says what that means. */
export interface TraceStore {
  readonly caps: StoreCaps;
  /** Resolves when the spans are kept for good. A span that came before is kept once. */
  append(spans: readonly Span[]): Promise<void>;
  /** Newest matching span first. */
  search(search: TraceSearch, signal?: AbortSignal): Promise<Page<TraceSummary>>;
  /** All spans of a trace, by start; empty when there is none. */
  trace(traceId: string, signal?: AbortSignal): Promise<Span[]>;
  /** Of server and consumer spans, by their start. */
  red(query: RedQuery, signal?: AbortSignal): Promise<RedRows>;
  edges(range: TimeRange, signal?: AbortSignal): Promise<EdgeRows>;
}
