import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Exemplar, Labels, Matcher, MetricMetadata, Sample, UnixMs, WriteRequest } from "@tocsin/model";
import { TocsinError } from "@tocsin/platform";
import type { SeriesData } from "@tocsin/promql";
import { CorruptDataError } from "./codec/bytes.ts";
import { Columns } from "./codec/columns.ts";
import { type Block, type BlockCursor, BlockWriter } from "./disk/block.ts";
import { BlockSet, type StoreLog } from "./disk/block-set.ts";
import { CommitLog, type FsyncPolicy } from "./disk/commit-log.ts";
import { mergeBlocks, planMerges, WINDOW_MS } from "./disk/compaction.ts";
import { readLogFile, replaceLogFile } from "./disk/log-file.ts";
import { sealRecord } from "./disk/record.ts";
import { type SeriesEntry, SeriesLog } from "./disk/series-log.ts";
import { exemplarsRecord, metadataRecord, readWalRecord, SamplesRecord, type WalVisitor } from "./disk/wal-records.ts";
import { WriteAheadLog } from "./disk/wal.ts";
import { ExemplarRing, type StoredExemplar } from "./exemplar-ring.ts";
import { Head, type HeadLimits, REFUSALS, type Refusal } from "./head/head.ts";
import type { Series } from "./head/series.ts";
import { MetadataTable } from "./metadata-table.ts";
import { Pacer } from "./pacer.ts";

const STATE_MAGIC = "TOCSTAT1";
const MIN_FLUSH_MS = 60_000;
const BACKGROUND_SLICE_MS = 5;
const QUERY_SLICE_MS = 8;

export interface SampleStoreOptions extends HeadLimits {
  dir: string;
  fsync: FsyncPolicy;
  /** How much time gathers in memory, beyond the out-of-order window, before it becomes a block. */
  flushMs: number;
  retentionMs: number;
  /** 0 = no limit. */
  retentionBytes: number;
  maxExemplars: number;
  walSegmentBytes: number;
  log: StoreLog;
}

/** Any of several lists of matchers, each to be fulfilled as a whole. None at all means every series. */
export type MatcherSets = readonly (readonly Matcher[])[];

/** What became of one append. */
export interface AppendResult {
  /** Samples taken, those that were there already included. */
  taken: number;
  refused: Partial<Record<Refusal, number>>;
}

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

export interface SelectOptions {
  signal?: AbortSignal;
  /** Throws what `onTooMany` makes when more samples than this are found. */
  maxSamples?: number;
  onTooMany?: () => Error;
  /** What to wait for in the pauses; may throw. */
  until?: () => Promise<void> | undefined;
}

/** What a start found. */
export interface OpenReport {
  series: number;
  blocks: number;
  corruptBlocks: number;
  walRecords: number;
  walSamples: number;
  /** Samples in the log whose series is unknown: the series log was damaged. */
  orphans: number;
  /** Bytes in logs that were no records, followed by good ones; what they held is lost. */
  damagedBytes: number;
  /** Logs whose end was cut off, as a crash leaves them; what they held was not acknowledged. */
  tornSegments: number;
  tornSeriesBytes: number;
}

/**
 * Samples on this machine's disk: the newest in memory and in a write-ahead log, the rest in compressed blocks. See
 * README.md for the files. One instance per folder; all of it runs in one thread.
 */
export class SampleStore {
  readonly #options: SampleStoreOptions;
  readonly #head: Head;
  readonly #blocks: BlockSet;
  readonly #seriesLog: SeriesLog;
  readonly #wal: WriteAheadLog;
  readonly #commits: CommitLog;
  readonly #exemplars: ExemplarRing;
  readonly #metadata: MetadataTable;
  readonly #record = new SamplesRecord();
  readonly #refused = Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>;
  #appended = 0;
  #outOfOrder = 0;
  #flushes = 0;
  #merges = 0;
  #lastAppendMs: UnixMs = -Infinity;
  #busy: Promise<unknown> = Promise.resolve();
  #stateChanged = false;

  private constructor(
    options: SampleStoreOptions,
    head: Head,
    blocks: BlockSet,
    seriesLog: SeriesLog,
    wal: WriteAheadLog,
    exemplars: ExemplarRing,
    metadata: MetadataTable,
  ) {
    this.#options = options;
    this.#head = head;
    this.#blocks = blocks;
    this.#seriesLog = seriesLog;
    this.#wal = wal;
    this.#exemplars = exemplars;
    this.#metadata = metadata;
    this.#commits = new CommitLog(seriesLog, wal, options.fsync);
  }

  /** Opens or makes the store in the folder; repairs what a crash left torn. */
  static async open(options: SampleStoreOptions): Promise<{ store: SampleStore; report: OpenReport }> {
    const { dir, log: tell } = options;
    await mkdir(dir, { recursive: true });
    const head = new Head(options);
    const exemplars = new ExemplarRing(options.maxExemplars);
    const metadata = new MetadataTable();
    const blocks = await BlockSet.open(join(dir, "blocks"), tell);
    for (const { meta } of blocks.all) head.index.reserveIds(meta.maxSeriesId);
    head.minValidMs = blocks.endMs;
    head.maxMs = blocks.endMs - 1;
    const { log, content } = await SeriesLog.open(join(dir, "series.log"), ({ id, labels }) => {
      if (!head.index.byId(id)) head.index.add(labels, id);
    });
    let walSamples = 0;
    let orphans = 0;
    const visitor: WalVisitor = {
      samples(seriesId, sample) {
        walSamples++;
        const series = head.index.byId(seriesId);
        if (series) head.restore(series, sample);
        else {
          // Its labels are lost; nobody else may ever get its samples.
          head.index.reserveIds(seriesId);
          if (sample.timestampMs >= head.minValidMs) orphans++;
        }
      },
      exemplar: (seriesId, exemplar) => void exemplars.add({ seriesId, exemplar }),
      metadata: (entry) => void metadata.set(entry),
    };
    await readLogFile(join(dir, "state.bin"), STATE_MAGIC, (payload) => void readWalRecord(payload, visitor));
    const { wal, replay } = await WriteAheadLog.open(
      { dir: join(dir, "wal"), segmentBytes: options.walSegmentBytes, segmentSpanMs: options.flushMs / 3 },
      (payload) => readWalRecord(payload, visitor),
    );
    const store = new SampleStore(options, head, blocks, log, wal, exemplars, metadata);
    store.#stateChanged = replay.records > 0;
    await store.#writeState();
    await wal.dropBefore(head.minValidMs);
    return {
      store,
      report: {
        series: head.index.size,
        blocks: blocks.all.length,
        corruptBlocks: blocks.corrupt,
        walRecords: replay.records,
        walSamples,
        orphans,
        damagedBytes: replay.damagedBytes + content.damagedBytes,
        tornSegments: replay.tornSegments,
        tornSeriesBytes: content.tornBytes,
      },
    };
  }

  /**
   * Takes what may be taken; resolves when it is durable. Queries see it at once. Rejects when it could not be
   * written: then it has to come again, and nothing else is taken before the disk works.
   */
  async append(request: WriteRequest, nowMs: UnixMs): Promise<AppendResult> {
    if (this.#commits.isBehind) await this.#commits.add({ series: [], records: [], minMs: Infinity, maxMs: -Infinity });
    this.#lastAppendMs = nowMs;
    const result: AppendResult = { taken: 0, refused: {} };
    const created: SeriesEntry[] = [];
    const exemplars: StoredExemplar[] = [];
    const record = this.#record;
    record.begin();
    for (const entry of request.series) {
      const nextId = this.#head.index.nextId;
      const series = this.#appendSeries(entry.labels, entry.samples, nowMs, result);
      if (series && series.id >= nextId) created.push(series);
      for (const exemplar of entry.exemplars ?? []) {
        const known = series ?? this.#head.index.find(entry.labels);
        if (known && this.#exemplars.add({ seriesId: known.id, exemplar }))
          exemplars.push({ seriesId: known.id, exemplar });
      }
    }
    const records = record.empty ? [] : [sealRecord(record.payload())];
    const { minMs, maxMs } = record;
    if (exemplars.length > 0) records.push(sealRecord(exemplarsRecord(exemplars)));
    const metadata = (request.metadata ?? []).filter((item) => this.#metadata.set(item));
    if (metadata.length > 0) records.push(sealRecord(metadataRecord(metadata)));
    if (exemplars.length > 0 || metadata.length > 0) this.#stateChanged = true;
    await this.#commits.add({ series: created, records, minMs, maxMs });
    return result;
  }

  #appendSeries(labels: Labels, samples: readonly Sample[], nowMs: UnixMs, result: AppendResult): Series | undefined {
    const timely = samples.filter((sample) => {
      const refusal = this.#head.refuseTime(sample.timestampMs, nowMs);
      if (refusal) this.#refuse(result, refusal, 1);
      return refusal === undefined;
    });
    if (timely.length === 0) return undefined;
    const series = this.#head.admit(labels);
    if (typeof series === "string") {
      this.#refuse(result, series, timely.length);
      return undefined;
    }
    const taken = timely.filter((sample) => this.#take(series, sample, result));
    if (taken.length > 0) this.#record.add(series.id, taken);
    return series;
  }

  /** Whether the sample has to be written. */
  #take(series: Series, sample: Sample, result: AppendResult): boolean {
    const late = sample.timestampMs <= series.lastMs;
    const verdict = this.#head.append(series, sample);
    if (verdict === "taken" || verdict === "repeated") result.taken++;
    else this.#refuse(result, verdict, 1);
    if (verdict !== "taken") return false;
    this.#appended++;
    if (late) this.#outOfOrder++;
    return true;
  }

  #refuse(result: AppendResult, reason: Refusal, samples: number): void {
    result.refused[reason] = (result.refused[reason] ?? 0) + samples;
    this.#refused[reason] += samples;
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
    const series = this.#head.index.select(matchers);
    const ids = series.map(({ id }) => id);
    const pacer = new Pacer(QUERY_SLICE_MS, options.until);
    const columns = new Columns();
    const found: SeriesData[] = [];
    let samples = 0;
    let view = this.#openView(ids, fromMs + 1, toMs);
    try {
      for (const one of series) {
        columns.clear();
        this.#readBlocks(view.cursors, one.id, columns, fromMs, toMs);
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
        if (view.generation === this.#blocks.generation) continue;
        view.close();
        view = this.#openView(ids, fromMs + 1, toMs);
      }
      return found;
    } finally {
      view.close();
    }
  }

  #openView(ids: readonly number[], fromMs: UnixMs, toMs: UnixMs) {
    const cursors: { block: Block; cursor: BlockCursor }[] = [];
    const close = () => cursors.forEach(({ cursor }) => cursor[Symbol.dispose]());
    for (const block of this.#blocks.overlapping(fromMs, toMs)) {
      cursors.push({ block, cursor: this.#guarded(block, () => block.cursor(ids)) });
    }
    return { generation: this.#blocks.generation, cursors, close };
  }

  #readBlocks(
    cursors: readonly { block: Block; cursor: BlockCursor }[],
    id: number,
    columns: Columns,
    fromMs: UnixMs,
    toMs: UnixMs,
  ): void {
    for (const { block, cursor } of cursors) this.#guarded(block, () => cursor.readInto(id, columns, fromMs, toMs));
  }

  #guarded<T>(block: Block, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof CorruptDataError)) throw cause;
      throw new TocsinError("TOCSIN_STORE_CORRUPT", `${block.path} is damaged: ${cause.message}`, { cause });
    }
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

  #matching(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): Series[] {
    const present = this.#presence(fromMs, toMs);
    const sets = matcherSets.length === 0 ? [[]] : matcherSets;
    if (sets.length === 1) return this.#head.index.select(sets[0] ?? []).filter(present);
    return [...new Set(sets.flatMap((matchers) => this.#head.index.select(matchers)))].filter(present);
  }

  /** Whether a series has samples in the head that lie in the range, or is in a block that overlaps it. */
  #presence(fromMs: UnixMs, toMs: UnixMs): (series: Series) => boolean {
    const inHead = (series: Series) => series.count > 0 && series.firstMs <= toMs && series.lastMs >= fromMs;
    if (fromMs === -Infinity && toMs === Infinity) return () => true;
    const overlapping = this.#blocks.overlapping(fromMs, toMs);
    const ids = new Set<number>();
    for (const block of overlapping) for (const id of this.#guarded(block, () => block.directory()).ids) ids.add(id);
    return (series) => inHead(series) || ids.has(series.id);
  }

  metadata(metric?: string): MetricMetadata[][] {
    const metrics = metric === undefined ? this.#metadata.metrics() : [metric];
    return metrics.map((name) => [...this.#metadata.get(name)]).filter((variants) => variants.length > 0);
  }

  exemplars(matcherSets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): { labels: Labels; exemplars: Exemplar[] }[] {
    const series = this.#matching(matcherSets, -Infinity, Infinity);
    const found = this.#exemplars.ofSeries(new Set(series.map(({ id }) => id)), fromMs, toMs);
    return series.flatMap(({ id, labels }) => {
      const exemplars = found.get(id);
      return exemplars ? [{ labels, exemplars }] : [];
    });
  }

  /** What is due by now: blocks from the head, merges, retention, the fsync of policy `interval`. One run at a time. */
  maintain(nowMs: UnixMs): Promise<void> {
    return this.#alone(async () => {
      if (this.#lastAppendMs === -Infinity) this.#lastAppendMs = nowMs;
      await this.#flush(this.#dueBoundary(nowMs));
      await this.#merge();
      await this.#expire(nowMs - this.#options.retentionMs);
      if (this.#options.fsync === "interval") await this.#commits.sync();
    });
  }

  /** Drops the blocks that end before this time. */
  expire(beforeMs: UnixMs): Promise<void> {
    return this.#alone(() => this.#expire(beforeMs));
  }

  /** Writes what is older than the out-of-order window into blocks, so that the next start has little to replay. */
  async close(): Promise<void> {
    await this.#alone(async () => {
      const boundary = this.#head.maxMs - this.#options.outOfOrderMs;
      const oldest = this.#head.oldestMs();
      if (boundary - oldest >= MIN_FLUSH_MS) await this.#flush(boundary);
      await this.#commits.exclusive(async () => {
        await this.#writeState();
        await this.#wal.sync();
        await this.#wal.closeSegment();
        await this.#seriesLog.sync();
        await this.#seriesLog.close();
      });
    });
    this.#blocks.close();
  }

  /** Lets go of the files without writing anything more; the next start recovers as after a crash. */
  async abandon(): Promise<void> {
    await this.#commits.exclusive(async () => {
      await this.#wal.closeSegment();
      await this.#seriesLog.close();
    });
    this.#blocks.close();
  }

  stats(): StoreStats {
    const head = this.#head;
    const oldestMs = Math.min(head.oldestMs(), ...this.#blocks.all.map(({ meta }) => meta.fromMs));
    return {
      appended: this.#appended,
      outOfOrder: this.#outOfOrder,
      refused: { ...this.#refused },
      fullMetrics: head.fullMetrics(),
      activeSeries: head.active,
      series: head.index.size,
      headSamples: head.samples,
      headBytes: head.pool.bytes,
      exemplars: this.#exemplars.size,
      blocks: this.#blocks.all.length,
      blockBytes: this.#blocks.bytes,
      walBytes: this.#wal.bytes,
      walSegments: this.#wal.segments,
      seriesLogBytes: this.#seriesLog.bytes,
      corruptBlocks: this.#blocks.corrupt,
      flushes: this.#flushes,
      merges: this.#merges,
      oldestMs: Number.isFinite(oldestMs) ? oldestMs : null,
      newestMs: Number.isFinite(head.maxMs) ? head.maxMs : null,
    };
  }

  /** Top lists for `status/tsdb`. */
  cardinality(limit: number): Cardinality {
    const { index } = this.#head;
    const top = (list: { name: string; value: number }[]) => list.sort((a, b) => b.value - a.value).slice(0, limit);
    const names = index.labelNames();
    const counts = names.map((name) => ({ name, counts: index.valueCounts(name) }));
    return {
      seriesCountByMetricName: top(
        index.valueCounts("__name__").map(({ value, count }) => ({ name: value, value: count })),
      ),
      labelValueCountByLabelName: top(counts.map(({ name, counts }) => ({ name, value: counts.length }))),
      memoryInBytesByLabelName: top(
        counts.map(({ name, counts }) => ({ name, value: counts.reduce((sum, { value }) => sum + value.length, 0) })),
      ),
      seriesCountByLabelValuePair: top(
        counts.flatMap(({ name, counts }) =>
          counts.map(({ value, count }) => ({ name: `${name}=${value}`, value: count })),
        ),
      ),
      labelPairs: counts.reduce((sum, { counts }) => sum + counts.length, 0),
    };
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#busy.then(task);
    this.#busy = result.catch(() => {});
    return result;
  }

  /** Up to where the head is due to become blocks: enough has gathered, or nothing has come for a while. */
  #dueBoundary(nowMs: UnixMs): UnixMs {
    const { outOfOrderMs, flushMs } = this.#options;
    const idle = nowMs - this.#lastAppendMs > outOfOrderMs + flushMs;
    const newest = Math.min(this.#head.maxMs, nowMs);
    const boundary = idle ? Math.min(this.#head.maxMs + 1, nowMs - outOfOrderMs) : newest - outOfOrderMs;
    return boundary - this.#head.oldestMs() >= (idle ? 1 : flushMs) ? boundary : -Infinity;
  }

  async #flush(boundary: UnixMs): Promise<void> {
    const head = this.#head;
    if (head.oldestMs() >= boundary) return;
    head.minValidMs = Math.max(head.minValidMs, boundary);
    await this.#commits.sync();
    for (let oldest = head.oldestMs(); oldest < boundary; oldest = head.oldestMs()) {
      const windowEnd = (Math.floor(oldest / WINDOW_MS) + 1) * WINDOW_MS;
      await this.#writeBlock(oldest, Math.min(windowEnd, boundary));
    }
    this.#flushes++;
    await this.#commits.exclusive(async () => {
      await this.#writeState();
      await this.#wal.dropBefore(boundary);
    });
  }

  async #writeBlock(fromMs: UnixMs, toMs: UnixMs): Promise<void> {
    const { path, seq } = this.#blocks.reserve(fromMs);
    const pacer = new Pacer(BACKGROUND_SLICE_MS);
    const writer = await BlockWriter.create(path);
    const columns = new Columns();
    const due = [...this.#head.index.all()].filter((series) => series.firstMs < toMs).sort((a, b) => a.id - b.id);
    try {
      for (const series of due) {
        columns.clear();
        series.copyTo(columns, -Infinity, toMs - 1);
        await writer.addColumns(series.id, columns);
        await pacer.breathe();
      }
      await writer.finish({ seq, level: 0, fromMs, toMs });
    } catch (error) {
      await writer.abandon();
      throw error;
    }
    this.#blocks.add(path);
    this.#head.dropBefore(toMs);
  }

  async #merge(): Promise<void> {
    const metas = () => this.#blocks.all.map(({ meta }) => meta);
    for (
      let plan = planMerges(metas(), this.#head.minValidMs);
      plan.length > 0;
      plan = planMerges(metas(), this.#head.minValidMs)
    ) {
      for (const merge of plan) {
        const sources = this.#blocks.all.filter(({ meta }) => merge.blocks.includes(meta));
        const target = this.#blocks.reserve((sources[0] as Block).meta.fromMs);
        await mergeBlocks(sources, { ...target, level: merge.level }, new Pacer(BACKGROUND_SLICE_MS));
        this.#blocks.add(target.path, sources);
        this.#merges++;
      }
    }
  }

  /** Drops whole blocks: too old, then the oldest ones over the byte budget. Then series that are in none any more. */
  async #expire(beforeMs: UnixMs): Promise<void> {
    const blocks = [...this.#blocks.all];
    const gone = blocks.filter(({ meta }) => meta.toMs <= beforeMs);
    const { retentionBytes } = this.#options;
    let bytes =
      this.#wal.bytes + this.#seriesLog.bytes + this.#blocks.bytes - gone.reduce((sum, block) => sum + block.bytes, 0);
    for (const block of blocks) {
      if (retentionBytes === 0 || bytes <= retentionBytes) break;
      if (gone.includes(block)) continue;
      gone.push(block);
      bytes -= block.bytes;
    }
    if (gone.length === 0) return;
    this.#blocks.remove(gone);
    await this.#forgetSeries();
  }

  async #forgetSeries(): Promise<void> {
    const { index } = this.#head;
    const live = new Set<number>();
    for (const block of this.#blocks.all) for (const id of block.directory().ids) live.add(id);
    const before = index.size;
    await this.#commits.exclusive(async () => {
      index.retain((series) => series.count > 0 || live.has(series.id));
      this.#exemplars.retain((id) => index.byId(id) !== undefined);
      if (index.size < before) await this.#seriesLog.rewrite([...index.all()]);
    });
  }

  /** Exemplars and metadata as they are, since the log records that told them go away. */
  async #writeState(): Promise<void> {
    if (!this.#stateChanged) return;
    this.#stateChanged = false;
    const records = [
      sealRecord(metadataRecord(this.#metadata.all())),
      sealRecord(exemplarsRecord(this.#exemplars.all())),
    ];
    await replaceLogFile(join(this.#options.dir, "state.bin"), STATE_MAGIC, records);
  }
}

export interface Cardinality {
  seriesCountByMetricName: { name: string; value: number }[];
  labelValueCountByLabelName: { name: string; value: number }[];
  memoryInBytesByLabelName: { name: string; value: number }[];
  seriesCountByLabelValuePair: { name: string; value: number }[];
  labelPairs: number;
}
