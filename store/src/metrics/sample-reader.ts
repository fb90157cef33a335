import type { Exemplar, Labels, Matcher, MetricMetadata, UnixMs } from "@tocsin/model";
import { TocsinError } from "@tocsin/platform/thread";
import type { SeriesData } from "@tocsin/promql";
import { CorruptDataError } from "./codec/bytes.ts";
import { Columns } from "./codec/columns.ts";
import type { Block, BlockCursor } from "./disk/block.ts";
import type { Series } from "./head/series.ts";
import { Pacer } from "./pacer.ts";
import type { Storage } from "./storage.ts";

const SLICE_MS = 8;

/** Any of several lists of matchers, each to be fulfilled as a whole. None at all means every series. */
export type MatcherSets = readonly (readonly Matcher[])[];

export interface SelectOptions {
  signal?: AbortSignal;
  /** Throws what `onTooMany` makes when more samples than this are found. */
  maxSamples?: number;
  onTooMany?: () => Error;
  /** What to wait for in the pauses; may throw. */
  until?: () => Promise<void> | undefined;
}

/** Finds series and their samples, in memory and in blocks. */
export class SampleReader {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * The series that match with their samples in `from < t <= to`, in order of id. Pauses every few milliseconds so
   * that others get a turn. Throws TOCSIN_STORE_CORRUPT rather than leave out what it cannot read.
   */
  async select(
    matchers: readonly Matcher[],
    fromMs: UnixMs,
    toMs: UnixMs,
    options: SelectOptions = {},
  ): Promise<SeriesData[]> {
    const series = this.#storage.head.index.select(matchers);
    const pacer = new Pacer(SLICE_MS, options.until);
    const columns = new Columns();
    const found: SeriesData[] = [];
    let samples = 0;
    using view = new BlockView(this.#storage, series, fromMs, toMs);
    for (const one of series) {
      columns.clear();
      view.read(one.id, columns);
      one.copyTo(columns, fromMs, toMs);
      const data = columns.toSeriesData(one.labels, fromMs, toMs);
      if (data) {
        found.push(data);
        samples += data.timestamps.length;
        if (samples > (options.maxSamples ?? Infinity)) throw options.onTooMany?.() ?? new Error("too many samples");
      }
      const pause = pacer.breathe();
      if (!pause) continue;
      await pause;
      options.signal?.throwIfAborted();
      view.refresh();
    }
    return found;
  }

  /** The label sets that match and may have samples in the range; blocks count whole, as in Prometheus. */
  series(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): Labels[] {
    return this.#matching(matcherSets, fromMs, toMs).map(({ labels }) => labels);
  }

  labelNames(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): string[] {
    const names = new Set<string>();
    for (const series of this.#matching(matcherSets, fromMs, toMs)) {
      for (const name in series.labels) names.add(name);
    }
    return [...names];
  }

  labelValues(name: string, matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): string[] {
    const values = new Set<string>();
    for (const series of this.#matching(matcherSets, fromMs, toMs)) {
      const value = series.labels[name];
      if (value !== undefined) values.add(value);
    }
    return [...values];
  }

  metadata(metric?: string): MetricMetadata[][] {
    const { metadata } = this.#storage;
    const metrics = metric === undefined ? metadata.metrics() : [metric];
    return metrics.map((name) => [...metadata.get(name)]).filter((variants) => variants.length > 0);
  }

  exemplars(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): { labels: Labels; exemplars: Exemplar[] }[] {
    const series = this.#matching(matcherSets, -Infinity, Infinity);
    const found = this.#storage.exemplars.ofSeries(new Set(series.map(({ id }) => id)), fromMs, toMs);
    return series.flatMap(({ id, labels }) => {
      const exemplars = found.get(id);
      return exemplars ? [{ labels, exemplars }] : [];
    });
  }

  #matching(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): Series[] {
    const { index } = this.#storage.head;
    const present = this.#presence(fromMs, toMs);
    const sets = matcherSets.length === 0 ? [[]] : matcherSets;
    if (sets.length === 1) return index.select(sets[0] ?? []).filter(present);
    return [...new Set(sets.flatMap((matchers) => index.select(matchers)))].filter(present);
  }

  /** Whether a series has samples in the head that lie in the range, or is in a block that overlaps it. */
  #presence(fromMs: UnixMs, toMs: UnixMs): (series: Series) => boolean {
    if (fromMs === -Infinity && toMs === Infinity) return () => true;
    const ids = new Set<number>();
    for (const block of this.#storage.blocks.overlapping(fromMs, toMs)) {
      for (const id of guarded(block, () => block.directory()).ids) ids.add(id);
    }
    const inHead = (series: Series) => series.count > 0 && series.firstMs <= toMs && series.lastMs >= fromMs;
    return (series) => inHead(series) || ids.has(series.id);
  }
}

/** The blocks of a time range, held open while series are read from them in order of id. */
class BlockView implements Disposable {
  readonly #storage: Storage;
  readonly #ids: readonly number[];
  readonly #fromMs: UnixMs;
  readonly #toMs: UnixMs;
  #cursors: { block: Block; cursor: BlockCursor }[] = [];
  #generation = -1;

  constructor(storage: Storage, series: readonly Series[], fromMs: UnixMs, toMs: UnixMs) {
    this.#storage = storage;
    this.#ids = series.map(({ id }) => id);
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    this.refresh();
  }

  /** Takes the present blocks when they are others by now: what was in memory may have moved into one. */
  refresh(): void {
    const { blocks } = this.#storage;
    if (this.#generation === blocks.generation) return;
    this[Symbol.dispose]();
    this.#generation = blocks.generation;
    try {
      for (const block of blocks.overlapping(this.#fromMs + 1, this.#toMs)) {
        this.#cursors.push({ block, cursor: guarded(block, () => block.cursor(this.#ids)) });
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  read(id: number, columns: Columns): void {
    for (const { block, cursor } of this.#cursors) {
      guarded(block, () => cursor.readInto(id, columns, this.#fromMs, this.#toMs));
    }
  }

  [Symbol.dispose](): void {
    for (const { cursor } of this.#cursors) cursor[Symbol.dispose]();
    this.#cursors = [];
  }
}

function guarded<T>(block: Block, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof CorruptDataError)) throw cause;
    throw new TocsinError("TOCSIN_STORE_CORRUPT", `${block.path} is damaged: ${cause.message}`, { cause });
  }
}
