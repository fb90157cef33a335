import type { UnixMs } from "@tocsin/model";
import { ByteReader } from "../codec/bytes.ts";
import { readChunkHead } from "../codec/chunk.ts";
import { Columns } from "../codec/columns.ts";
import type { Pacer } from "../pacer.ts";
import { type Block, type BlockCursor, type BlockMeta, BlockWriter } from "./block.ts";

export const WINDOW_MS = 2 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** Which blocks become one, and of which level: 1 is two hours with chunks made anew, 2 a day with chunks as they are. */
export interface Merge {
  level: 1 | 2;
  blocks: BlockMeta[];
}

/**
 * What to merge: the level-0 blocks of each two-hour window that can get no more, then the blocks of each such UTC
 * day. Nothing is written before `minValidMs` any more.
 */
export function planMerges(blocks: readonly BlockMeta[], minValidMs: UnixMs): Merge[] {
  const merges: Merge[] = [];
  const settled = (endMs: UnixMs) => endMs <= minValidMs;
  for (const [start, group] of groupBy(blocks, WINDOW_MS)) {
    if (settled(start + WINDOW_MS) && group.length > 1 && group.every(({ level }) => level < 2)) {
      merges.push({ level: 1, blocks: group });
    }
  }
  if (merges.length > 0) return merges;
  for (const [start, group] of groupBy(blocks, DAY_MS)) {
    if (settled(start + DAY_MS) && group.length > 1) merges.push({ level: 2, blocks: group });
  }
  return merges;
}

/** Writes one block from several that follow each other in time. */
export async function mergeBlocks(
  blocks: readonly Block[],
  target: { path: string; seq: number; level: 1 | 2 },
  pacer: Pacer,
): Promise<void> {
  const sources = blocks.toSorted((a, b) => a.meta.fromMs - b.meta.fromMs);
  const cursors = sources.map((block) => block.cursor());
  const writer = await BlockWriter.create(target.path);
  try {
    const add = target.level === 1 ? reencode(writer) : joinChunks(writer);
    for (const id of unionOfIds(sources)) {
      await add(id, cursors);
      await pacer.breathe();
    }
    const [first, last] = [sources[0] as Block, sources.at(-1) as Block];
    await writer.finish({ seq: target.seq, level: target.level, fromMs: first.meta.fromMs, toMs: last.meta.toMs });
  } catch (error) {
    await writer.abandon();
    throw error;
  } finally {
    for (const cursor of cursors) cursor[Symbol.dispose]();
  }
}

type AddSeries = (id: number, cursors: readonly BlockCursor[]) => Promise<void> | undefined;

function reencode(writer: BlockWriter): AddSeries {
  const columns = new Columns();
  return (id, cursors) => {
    columns.clear();
    for (const cursor of cursors) cursor.readInto(id, columns, -Infinity, Infinity);
    return writer.addColumns(id, columns);
  };
}

function joinChunks(writer: BlockWriter): AddSeries {
  return (id, cursors) => {
    const parts = cursors.map((cursor) => cursor.payload(id)).filter((part) => part !== undefined);
    return writer.addPayload(
      id,
      parts,
      parts.reduce((sum, part) => sum + countSamples(part), 0),
    );
  };
}

function countSamples(payload: Uint8Array): number {
  const reader = new ByteReader(payload);
  let samples = 0;
  while (!reader.atEnd) {
    const head = readChunkHead(reader);
    samples += head.count;
    reader.offset = head.end;
  }
  return samples;
}

function unionOfIds(blocks: readonly Block[]): number[] {
  const ids = new Set<number>();
  for (const block of blocks) for (const id of block.directory().ids) ids.add(id);
  return [...ids].sort((a, b) => a - b);
}

function groupBy(blocks: readonly BlockMeta[], spanMs: number): Map<UnixMs, BlockMeta[]> {
  return Map.groupBy(blocks, ({ fromMs }) => Math.floor(fromMs / spanMs) * spanMs);
}
