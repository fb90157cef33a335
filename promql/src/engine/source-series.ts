import type { SeriesData } from "../series-source.ts";
import { wasReset } from "./histogram/reset.ts";
import type { Histogram } from "./histogram/shape.ts";
import { LabelSet } from "./label-set.ts";

/** Samples of one type in time order: what range functions look at. */
export interface FloatSamples {
  timestamps: Float64Array;
  values: Float64Array;
  startTimestamps: Float64Array | undefined;
}

export interface HistogramSamples {
  timestamps: Float64Array;
  histograms: readonly Histogram[];
  startTimestamps: Float64Array | undefined;
}

const NO_HISTOGRAMS: HistogramSamples = {
  timestamps: new Float64Array(),
  histograms: [],
  startTimestamps: undefined,
};

/** One series as the source gave it. */
export class SourceSeries {
  readonly data: SeriesData;
  readonly labels: LabelSet;
  private floatSamples: FloatSamples | undefined;
  private histogramSamples: HistogramSamples | undefined;

  constructor(data: SeriesData) {
    this.data = data;
    this.labels = LabelSet.from(data.labels);
  }

  /** The float samples without staleness markers. */
  get floats(): FloatSamples {
    this.floatSamples ??= selectFloats(this.data);
    return this.floatSamples;
  }

  get histograms(): HistogramSamples {
    this.histogramSamples ??= selectHistograms(this.data);
    return this.histogramSamples;
  }
}

function selectFloats({ timestamps, values, stale, histograms, startTimestamps }: SeriesData): FloatSamples {
  if (stale === undefined && histograms === undefined) return { timestamps, values, startTimestamps };
  return compactFloats(timestamps, values, startTimestamps, (i) => stale?.[i] !== 1 && histograms?.[i] === undefined);
}

function compactFloats(
  timestamps: Float64Array,
  values: Float64Array,
  startTimestamps: Float64Array | undefined,
  keep: (i: number) => boolean,
): FloatSamples {
  const kept = { t: new Float64Array(timestamps.length), v: new Float64Array(timestamps.length) };
  const starts = startTimestamps && new Float64Array(timestamps.length);
  let n = 0;
  for (let i = 0; i < timestamps.length; i++) {
    if (!keep(i)) continue;
    kept.t[n] = timestamps[i] ?? 0;
    kept.v[n] = values[i] ?? 0;
    if (starts) starts[n] = startTimestamps?.[i] ?? 0;
    n++;
  }
  return {
    timestamps: kept.t.subarray(0, n),
    values: kept.v.subarray(0, n),
    startTimestamps: starts?.subarray(0, n),
  };
}

function selectHistograms({ timestamps, stale, histograms, startTimestamps }: SeriesData): HistogramSamples {
  if (histograms === undefined) return NO_HISTOGRAMS;
  const times: number[] = [];
  const starts: number[] = [];
  const kept: Histogram[] = [];
  for (const [i, histogram] of histograms.entries()) {
    if (histogram === undefined || stale?.[i] === 1) continue;
    times.push(timestamps[i] ?? 0);
    starts.push(startTimestamps?.[i] ?? 0);
    kept.push(histogram);
  }
  return {
    timestamps: Float64Array.from(times),
    histograms: kept,
    startTimestamps: startTimestamps && Float64Array.from(starts),
  };
}

/**
 * The series with count and sum only in its histograms. Buckets are gone, so whether a counter was reset is settled
 * here, sample by sample, while they can still tell.
 */
export function statsOnly(data: SeriesData): SeriesData {
  const { histograms } = data;
  if (histograms === undefined) return data;
  let last: Histogram | undefined;
  const stats = histograms.map((h, i) => {
    if (h === undefined || data.stale?.[i] === 1) return h;
    let { counterReset } = h;
    if (counterReset === "unknown" && last) counterReset = wasReset(h, last) ? "reset" : "notReset";
    last = h;
    return {
      ...h,
      counterReset,
      zeroThreshold: 0,
      zeroCount: 0,
      positiveOffset: 0,
      positiveBuckets: [],
      negativeOffset: 0,
      negativeBuckets: [],
      customValues: [],
    };
  });
  return { ...data, histograms: stats };
}
