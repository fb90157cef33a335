import type { Exemplar, Labels, Matcher, MetricMetadata, UnixMs, WriteRequest } from "@tocsin/model";
import type { SeriesData } from "@tocsin/promql";
import { type Cardinality, cardinalityOf } from "./cardinality.ts";
import type { Refusal } from "./head/head.ts";
import { Maintenance } from "./maintenance.ts";
import { type MatcherSets, SampleReader, type SelectOptions } from "./sample-reader.ts";
import { type AppendResult, SampleWriter } from "./sample-writer.ts";
import { type OpenReport, openStorage, type SampleStoreOptions, type Storage } from "./storage.ts";

export interface StoreStats {
  appended: number;
  outOfOrder: number;
  refused: Record<Refusal, number>;
  fullMetrics: string[];
  activeSeries: number;
  series: number;
  headSamples: number;
  headBytes: number;
  exemplars: number;
  blocks: number;
  blockBytes: number;
  walBytes: number;
  walSegments: number;
  seriesLogBytes: number;
  corruptBlocks: number;
  flushes: number;
  merges: number;
  oldestMs: UnixMs | null;
  newestMs: UnixMs | null;
}

/**
 * Samples on this machine's disk: the newest in memory and in a write-ahead log, the rest in compressed blocks. See
 * README.md for the files. One instance per folder; all of it runs in one thread.
 */
export class SampleStore {
  readonly #storage: Storage;
  readonly #writer: SampleWriter;
  readonly #reader: SampleReader;
  readonly #maintenance: Maintenance;

  private constructor(storage: Storage) {
    this.#storage = storage;
    this.#writer = new SampleWriter(storage);
    this.#reader = new SampleReader(storage);
    this.#maintenance = new Maintenance(storage);
  }

  /** Opens or makes the store in the folder; repairs what a crash left torn. */
  static async open(options: SampleStoreOptions): Promise<{ store: SampleStore; report: OpenReport }> {
    const { storage, report } = await openStorage(options);
    return { store: new SampleStore(storage), report };
  }

  /** See SampleWriter. */
  append(request: WriteRequest, nowMs: UnixMs): Promise<AppendResult> {
    return this.#writer.append(request, nowMs);
  }

  /** See SampleReader, as for the other questions. */
  select(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs, options?: SelectOptions): Promise<SeriesData[]> {
    return this.#reader.select(matchers, fromMs, toMs, options);
  }

  series(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): Labels[] {
    return this.#reader.series(matcherSets, fromMs, toMs);
  }

  labelNames(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): string[] {
    return this.#reader.labelNames(matcherSets, fromMs, toMs);
  }

  labelValues(name: string, matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): string[] {
    return this.#reader.labelValues(name, matcherSets, fromMs, toMs);
  }

  metadata(metric?: string): MetricMetadata[][] {
    return this.#reader.metadata(metric);
  }

  exemplars(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): { labels: Labels; exemplars: Exemplar[] }[] {
    return this.#reader.exemplars(matcherSets, fromMs, toMs);
  }

  /** What is due by now: retention, blocks from the head, merges, the fsync of policy `interval`. */
  maintain(nowMs: UnixMs): Promise<void> {
    const writer = this.#writer;
    if (writer.lastAppendMs === -Infinity) writer.lastAppendMs = nowMs;
    return this.#maintenance.run(nowMs, writer.lastAppendMs);
  }

  /** Drops the blocks that end before this time. */
  expire(beforeMs: UnixMs): Promise<void> {
    return this.#maintenance.expire(beforeMs);
  }

  /** Stops so that the next start is quick. The files are closed also when that fails. */
  async close(): Promise<void> {
    try {
      await this.#maintenance.finish();
    } finally {
      await this.abandon();
    }
  }

  /** Lets go of the files without writing anything more; the next start recovers as after a crash. */
  async abandon(): Promise<void> {
    const { commits, wal, seriesLog, blocks } = this.#storage;
    await commits.exclusive(async () => {
      await wal.closeSegment();
      await seriesLog.close();
    });
    blocks.close();
  }

  stats(): StoreStats {
    const { head, blocks, wal, seriesLog, exemplars } = this.#storage;
    const oldestMs = Math.min(head.oldestMs(), ...blocks.all.map(({ meta }) => meta.fromMs));
    return {
      appended: this.#writer.appended,
      outOfOrder: this.#writer.outOfOrder,
      refused: { ...this.#writer.refused },
      fullMetrics: head.fullMetrics(),
      activeSeries: head.active,
      series: head.index.size,
      headSamples: head.samples,
      headBytes: head.pool.bytes,
      exemplars: exemplars.size,
      blocks: blocks.all.length,
      blockBytes: blocks.bytes,
      walBytes: wal.bytes,
      walSegments: wal.segments,
      seriesLogBytes: seriesLog.bytes,
      corruptBlocks: blocks.corrupt,
      flushes: this.#maintenance.flushes,
      merges: this.#maintenance.merges,
      oldestMs: Number.isFinite(oldestMs) ? oldestMs : null,
      newestMs: Number.isFinite(head.maxMs) ? head.maxMs : null,
    };
  }

  /** Top lists for `status/tsdb`. */
  cardinality(limit: number): Cardinality {
    return cardinalityOf(this.#storage.head.index, limit);
  }
}
