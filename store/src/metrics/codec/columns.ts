import type { Labels, NativeHistogram, UnixMs } from "@tocsin/model";
import type { SeriesData } from "@tocsin/promql";

/** A reusable buffer of one series' samples in time order; what is rare (stale marks, histograms) is kept by index. */
export class Columns {
  timestamps: Float64Array;
  values: Float64Array;
  count = 0;
  /** Ascending indices of staleness markers. */
  readonly stale: number[] = [];
  /** Ascending by index. */
  readonly histograms: { index: number; histogram: NativeHistogram }[] = [];

  constructor(capacity = 1024) {
    this.timestamps = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
  }

  reserve(more: number): void {
    const needed = this.count + more;
    if (needed <= this.timestamps.length) return;
    const capacity = Math.max(needed, this.timestamps.length * 2);
    const timestamps = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    timestamps.set(this.timestamps.subarray(0, this.count));
    values.set(this.values.subarray(0, this.count));
    this.timestamps = timestamps;
    this.values = values;
  }

  clear(): void {
    this.count = 0;
    this.stale.length = 0;
    this.histograms.length = 0;
  }

  /** Index of the first sample with `timestamp > ms`. */
  firstAfter(ms: UnixMs): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.timestamps[middle] as number) > ms) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A copy of the samples in `from < t <= to`; undefined when there is none. */
  toSeriesData(labels: Labels, fromMs: UnixMs, toMs: UnixMs): SeriesData | undefined {
    const start = this.firstAfter(fromMs);
    const end = this.firstAfter(toMs);
    if (start === end) return undefined;
    const data = { labels, timestamps: this.timestamps.slice(start, end), values: this.values.slice(start, end) };
    if (this.stale.length === 0 && this.histograms.length === 0) return data;
    return { ...data, ...this.#staleOf(start, end), ...this.#histogramsOf(start, end) };
  }

  #staleOf(start: number, end: number): { stale?: Uint8Array } {
    const stale = new Uint8Array(end - start);
    let any = false;
    for (const index of this.stale) {
      if (index < start || index >= end) continue;
      stale[index - start] = 1;
      any = true;
    }
    return any ? { stale } : {};
  }

  #histogramsOf(start: number, end: number): { histograms?: (NativeHistogram | undefined)[] } {
    const inside = this.histograms.filter(({ index }) => index >= start && index < end);
    if (inside.length === 0) return {};
    const histograms = Array.from<NativeHistogram | undefined>({ length: end - start });
    for (const { index, histogram } of inside) histograms[index - start] = histogram;
    return { histograms };
  }
}
