import { type Labels, METRIC_NAME, type NativeHistogram, type Sample, type UnixMs } from "@tocsin/model";
import type { Columns } from "../codec/columns.ts";
import { type ColumnPool, PAGE } from "./column-pool.ts";

/** One series: what it is called, and its newest samples, which are in no block yet. */
export class Series {
  readonly id: number;
  readonly labels: Labels;
  /** The same for equal label sets. */
  readonly key: string;
  readonly #pool: ColumnPool;
  #pages: number[] = [];
  /** Where in the first page the first sample is. */
  #start = 0;
  #stale: Set<UnixMs> | undefined;
  #histograms: Map<UnixMs, NativeHistogram> | undefined;
  count = 0;
  firstMs: UnixMs = Infinity;
  /** Of the newest sample ever taken since the start, also when it has left for a block. */
  lastMs: UnixMs = -Infinity;
  lastValue = 0;

  constructor(id: number, labels: Labels, key: string, pool: ColumnPool) {
    this.id = id;
    this.labels = labels;
    this.key = key;
    this.#pool = pool;
  }

  get metric(): string {
    return this.labels[METRIC_NAME] ?? "";
  }

  /** Adds a sample newer than all others. */
  push(sample: Sample): void {
    const position = this.#start + this.count;
    if (position % PAGE === 0) this.#pages.push(this.#pool.take());
    const page = this.#pages[this.#pages.length - 1] as number;
    const slab = this.#pool.slab(page);
    const at = this.#pool.offset(page) + (position % PAGE);
    slab.timestamps[at] = sample.timestampMs;
    slab.values[at] = sample.value;
    if (this.count === 0) this.firstMs = sample.timestampMs;
    this.count++;
    this.lastMs = sample.timestampMs;
    this.lastValue = sample.value;
    if (sample.stale || sample.histogram) this.#note(sample);
  }

  /** Adds a sample that is older than the newest one; false when there is one with its timestamp. */
  insert(sample: Sample): boolean {
    const index = this.#firstAtOrAfter(sample.timestampMs);
    if (this.#timestampAt(index) === sample.timestampMs) return false;
    const { lastMs, lastValue } = this;
    this.push({ timestampMs: this.#timestampAt(this.count - 1), value: this.#valueAt(this.count - 1) });
    for (let i = this.count - 2; i > index; i--) this.#put(i, this.#timestampAt(i - 1), this.#valueAt(i - 1));
    this.#put(index, sample.timestampMs, sample.value);
    this.firstMs = this.#timestampAt(0);
    this.lastMs = lastMs;
    this.lastValue = lastValue;
    if (sample.stale || sample.histogram) this.#note(sample);
    return true;
  }

  /** Whether the sample at this timestamp, if any, is the same: then a second delivery is no news. */
  has(sample: Sample): boolean {
    const { timestampMs } = sample;
    const index = this.#firstAtOrAfter(timestampMs);
    if (index >= this.count || this.#timestampAt(index) !== timestampMs) return false;
    const stale = this.#stale?.has(timestampMs) ?? false;
    if (stale || sample.stale) return stale === (sample.stale ?? false);
    const histogram = this.#histograms?.get(timestampMs);
    if (histogram || sample.histogram) return sameHistogram(histogram, sample.histogram);
    return Object.is(this.#valueAt(index), sample.value);
  }

  /** Appends the samples in `from < t <= to` to the columns. */
  copyTo(columns: Columns, fromMs: UnixMs, toMs: UnixMs): void {
    const from = this.#firstAtOrAfter(fromMs + 1);
    const to = this.#firstAtOrAfter(toMs + 1);
    if (from >= to) return;
    columns.reserve(to - from);
    const base = columns.count - from;
    for (let i = from; i < to;) {
      const position = this.#start + i;
      const page = this.#pages[Math.floor(position / PAGE)] as number;
      const length = Math.min(PAGE - (position % PAGE), to - i);
      const at = this.#pool.offset(page) + (position % PAGE);
      const slab = this.#pool.slab(page);
      columns.timestamps.set(slab.timestamps.subarray(at, at + length), base + i);
      columns.values.set(slab.values.subarray(at, at + length), base + i);
      i += length;
    }
    columns.count += to - from;
    if (this.#stale || this.#histograms) this.#copyNotes(columns, base, from, to);
  }

  /** Forgets the samples with `t < ms`; they are in a block now. */
  dropBefore(ms: UnixMs): void {
    const gone = this.#firstAtOrAfter(ms);
    if (gone === 0) return;
    this.count -= gone;
    const start = this.#start + gone;
    const pages = this.count === 0 ? this.#pages.length : Math.floor(start / PAGE);
    for (const page of this.#pages.splice(0, pages)) this.#pool.give(page);
    this.#start = this.count === 0 ? 0 : start % PAGE;
    this.firstMs = this.count === 0 ? Infinity : this.#timestampAt(0);
    if (this.#stale) this.#stale = dropOld(this.#stale, ms);
    if (this.#histograms) this.#histograms = dropOld(this.#histograms, ms);
  }

  #copyNotes(columns: Columns, base: number, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const timestampMs = this.#timestampAt(i);
      if (this.#stale?.has(timestampMs)) columns.stale.push(base + i);
      const histogram = this.#histograms?.get(timestampMs);
      if (histogram) columns.histograms.push({ index: base + i, histogram });
    }
  }

  #note(sample: Sample): void {
    if (sample.stale) (this.#stale ??= new Set()).add(sample.timestampMs);
    else if (sample.histogram) (this.#histograms ??= new Map()).set(sample.timestampMs, sample.histogram);
  }

  #firstAtOrAfter(ms: UnixMs): number {
    if (ms > this.lastMs) return this.count;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestampAt(middle) >= ms) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #timestampAt(index: number): number {
    const position = this.#start + index;
    const page = this.#pages[Math.floor(position / PAGE)];
    if (page === undefined) return NaN;
    return this.#pool.slab(page).timestamps[this.#pool.offset(page) + (position % PAGE)] as number;
  }

  #valueAt(index: number): number {
    const position = this.#start + index;
    const page = this.#pages[Math.floor(position / PAGE)] as number;
    return this.#pool.slab(page).values[this.#pool.offset(page) + (position % PAGE)] as number;
  }

  #put(index: number, timestampMs: UnixMs, value: number): void {
    const position = this.#start + index;
    const page = this.#pages[Math.floor(position / PAGE)] as number;
    const slab = this.#pool.slab(page);
    const at = this.#pool.offset(page) + (position % PAGE);
    slab.timestamps[at] = timestampMs;
    slab.values[at] = value;
  }
}

function dropOld<T extends Set<UnixMs> | Map<UnixMs, unknown>>(marks: T, ms: UnixMs): T | undefined {
  for (const at of marks.keys()) if (at < ms) marks.delete(at);
  return marks.size === 0 ? undefined : marks;
}

function sameHistogram(a: NativeHistogram | undefined, b: NativeHistogram | undefined): boolean {
  return a !== undefined && b !== undefined && a.schema === b.schema && a.count === b.count && Object.is(a.sum, b.sum);
}
