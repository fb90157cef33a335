import { type Labels, type Sample, compileMatchers, labelsKey, matchesAll } from "@tocsin/model";
import type { SeriesData, SeriesSource } from "./series-source.ts";

/** A source that keeps its samples in memory: for tests, rule tests and small tools. */
export interface MemorySource extends SeriesSource {
  /** Samples of a series may come in any order; one at a time that is taken already replaces it. */
  append(labels: Labels, sample: Sample): void;
  clear(): void;
}

interface MemorySeries {
  labels: Labels;
  samples: Map<number, Sample>;
  /** The samples as columns, until something is added. */
  data: SeriesData | undefined;
}

export function createMemorySource(): MemorySource {
  const all = new Map<string, MemorySeries>();
  return {
    append(labels, sample) {
      const known = Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
      const key = labelsKey(known);
      let series = all.get(key);
      if (series === undefined) {
        series = { labels: known, samples: new Map(), data: undefined };
        all.set(key, series);
      }
      series.samples.set(sample.timestampMs, sample);
      series.data = undefined;
    },
    clear() {
      all.clear();
    },
    select(matchers, fromMs, toMs) {
      const compiled = compileMatchers(matchers);
      const found: SeriesData[] = [];
      for (const series of all.values()) {
        if (!matchesAll(compiled, series.labels)) continue;
        series.data ??= toColumns(series);
        const { timestamps } = series.data;
        const first = timestamps[0];
        const last = timestamps.at(-1);
        if (first === undefined || last === undefined || first > toMs || last <= fromMs) continue;
        found.push(series.data);
      }
      return found;
    },
  };
}

function toColumns({ labels, samples }: MemorySeries): SeriesData {
  const sorted = [...samples.values()].sort((a, b) => a.timestampMs - b.timestampMs);
  return {
    labels,
    timestamps: Float64Array.from(sorted, (sample) => sample.timestampMs),
    values: Float64Array.from(sorted, (sample) => sample.value),
    ...(sorted.some(({ stale }) => stale) && { stale: Uint8Array.from(sorted, ({ stale }) => Number(stale === true)) }),
    ...(sorted.some(({ histogram }) => histogram) && { histograms: sorted.map(({ histogram }) => histogram) }),
    ...(sorted.some(({ startTimestampMs }) => startTimestampMs) && {
      startTimestamps: Float64Array.from(sorted, ({ startTimestampMs }) => startTimestampMs ?? 0),
    }),
  };
}
