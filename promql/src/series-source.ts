import type { Exemplar, Labels, Matcher, NativeHistogram, UnixMs } from "@tocsin/model";

/** One series' samples in a time range, as columns. Index i of every column is one sample. */
export interface SeriesData {
  readonly labels: Labels;
  /** Milliseconds, strictly ascending. */
  readonly timestamps: Float64Array;
  /** The float value; meaningless where `histograms[i]` is set or `stale[i]` is 1. */
  readonly values: Float64Array;
  /** 1 where the sample is a staleness marker; left out when there is none. */
  readonly stale?: Uint8Array;
  /** Native histogram samples; left out when the series has none. */
  readonly histograms?: readonly (NativeHistogram | undefined)[];
  /** Start timestamps (created timestamps) in ms, 0 where unknown; left out when there are none. */
  readonly startTimestamps?: Float64Array;
}

export interface SelectHints {
  /** Milliseconds between evaluations; 0 for an instant query. */
  stepMs: number;
  /** Length of the range selector in ms; 0 for an instant selector. */
  rangeMs: number;
  /** The function directly around the selector, e.g. `rate`; empty when none. */
  func: string;
}

/** Where the engine gets its samples. */
export interface SeriesSource {
  /**
   * All series that match, with their samples in `from < t <= to` (more is allowed, less is not), in any order.
   * A series with no sample in the range may be left out.
   */
  select(
    matchers: readonly Matcher[],
    fromMs: UnixMs,
    toMs: UnixMs,
    hints: SelectHints,
    signal: AbortSignal,
  ): readonly SeriesData[] | Promise<readonly SeriesData[]>;
  /** Exemplars of the series that match, for `query_exemplars`; optional. */
  selectExemplars?(
    matchers: readonly Matcher[],
    fromMs: UnixMs,
    toMs: UnixMs,
  ): Promise<{ labels: Labels; exemplars: Exemplar[] }[]>;
}
