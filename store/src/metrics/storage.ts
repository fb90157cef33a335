import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BlockSet, type StoreLog } from "./disk/block-set.ts";
import { CommitLog, type FsyncPolicy } from "./disk/commit-log.ts";
import { SeriesLog } from "./disk/series-log.ts";
import { StateFile } from "./disk/state-file.ts";
import { readWalRecord, type WalVisitor } from "./disk/wal-records.ts";
import { WriteAheadLog } from "./disk/wal.ts";
import { ExemplarRing } from "./exemplar-ring.ts";
import { Head, type HeadLimits } from "./head/head.ts";
import { MetadataTable } from "./metadata-table.ts";

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
  /** Bytes on their way to the disk before appends are refused. */
  maxPendingBytes: number;
  log: StoreLog;
}

/** What a sample store consists of, in memory and on disk. */
export interface Storage {
  options: SampleStoreOptions;
  head: Head;
  blocks: BlockSet;
  seriesLog: SeriesLog;
  wal: WriteAheadLog;
  commits: CommitLog;
  exemplars: ExemplarRing;
  metadata: MetadataTable;
  state: StateFile;
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

/** Opens the files in the folder or makes them, and repairs what a crash left torn. */
export async function openStorage(options: SampleStoreOptions): Promise<{ storage: Storage; report: OpenReport }> {
  const { dir } = options;
  await mkdir(dir, { recursive: true });
  const head = new Head(options);
  const exemplars = new ExemplarRing(options.maxExemplars);
  const metadata = new MetadataTable();
  const state = new StateFile(dir, exemplars, metadata);
  const blocks = await BlockSet.open(join(dir, "blocks"), options.log);
  for (const { meta } of blocks.all) head.index.reserveIds(meta.maxSeriesId);
  head.minValidMs = blocks.endMs;
  head.maxMs = blocks.endMs - 1;
  const { log: seriesLog, content } = await SeriesLog.open(join(dir, "series.log"), ({ id, labels }) => {
    if (!head.index.byId(id)) head.index.add(labels, id);
  });
  try {
    const seen = { samples: 0, orphans: 0 };
    const visitor = restoringVisitor({ head, exemplars, metadata }, seen);
    await state.read(visitor);
    const { wal, replay } = await WriteAheadLog.open(
      { dir: join(dir, "wal"), segmentBytes: options.walSegmentBytes, segmentSpanMs: options.flushMs / 3 },
      (payload) => readWalRecord(payload, visitor),
    );
    state.changed = replay.records > 0;
    await state.write();
    await wal.dropBefore(head.minValidMs);
    const commits = new CommitLog(seriesLog, wal, options.fsync);
    return {
      storage: { options, head, blocks, seriesLog, wal, commits, exemplars, metadata, state },
      report: {
        series: head.index.size,
        blocks: blocks.all.length,
        corruptBlocks: blocks.corrupt,
        walRecords: replay.records,
        walSamples: seen.samples,
        orphans: seen.orphans,
        damagedBytes: replay.damagedBytes + content.damagedBytes,
        tornSegments: replay.tornSegments,
        tornSeriesBytes: content.tornBytes,
      },
    };
  } catch (error) {
    await seriesLog.close();
    blocks.close();
    throw error;
  }
}

/** Puts what the logs tell back in its place. */
function restoringVisitor(
  { head, exemplars, metadata }: Pick<Storage, "head" | "exemplars" | "metadata">,
  seen: { samples: number; orphans: number },
): WalVisitor {
  return {
    samples(seriesId, sample) {
      seen.samples++;
      const series = head.index.byId(seriesId);
      if (series) return head.restore(series, sample);
      // Its labels are lost; nobody else may ever get its samples.
      head.index.reserveIds(seriesId);
      if (sample.timestampMs >= head.minValidMs) seen.orphans++;
    },
    exemplar: (seriesId, exemplar) => void exemplars.add({ seriesId, exemplar }),
    metadata: (entry) => void metadata.set(entry),
  };
}
