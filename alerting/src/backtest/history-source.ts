import type { Matcher, UnixMs } from "@tocsin/model";
import type { MatrixResult, QueryResult, SeriesData } from "@tocsin/promql";

export interface HistoryQueryOptions {
  readonly signal?: AbortSignal;
}

/** Stored samples to replay rules over; a MetricStore is one. */
export interface HistorySource {
  instant(expr: string, atMs: UnixMs, options?: HistoryQueryOptions): Promise<QueryResult>;
  /** At `fromMs`, `fromMs + stepMs`, … up to `toMs`. */
  range(
    expr: string,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    options?: HistoryQueryOptions,
  ): Promise<MatrixResult>;
  /** The samples in `from < t <= to` of all series that match. */
  select(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs): Promise<readonly SeriesData[]>;
}
