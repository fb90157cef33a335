import type { UnixMs } from "@tocsin/model";
import { CorruptDataError } from "./codec/bytes.ts";
import { Columns } from "./codec/columns.ts";
import { type Block, BlockWriter } from "./disk/block.ts";
import { type Merge, mergeBlocks, planMerges, WINDOW_MS } from "./disk/compaction.ts";
import { Pacer } from "./pacer.ts";
import type { Storage } from "./storage.ts";

/** Blocks of less time than this are not worth writing when the store stops. */
const MIN_FLUSH_MS = 60_000;
const SLICE_MS = 5;

/** Moves samples from memory into blocks, merges blocks, and drops old ones. One thing at a time. */
export class Maintenance {
  readonly #storage: Storage;
  #busy: Promise<unknown> = Promise.resolve();
  /** Blocks that cannot be read whole; they stay as they are, for the queries that don't touch the damage. */
  readonly #damaged = new Set<number>();
  flushes = 0;
  merges = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Does what is due by now; `lastAppendMs` is when something came last. */
  run(nowMs: UnixMs, lastAppendMs: UnixMs): Promise<void> {
    const { options, commits } = this.#storage;
    return this.#alone(async () => {
      // First, as a full disk may keep the rest from working.
      await this.#expire(nowMs - options.retentionMs);
      await this.#flush(this.#dueBoundary(nowMs, lastAppendMs));
      await this.#merge();
      if (options.fsync === "interval") await commits.sync();
    });
  }

  /** Drops the blocks that end before this time. */
  expire(beforeMs: UnixMs): Promise<void> {
    return this.#alone(() => this.#expire(beforeMs));
  }

  /** Writes what is older than the out-of-order window into blocks, so that the next start has little to replay. */
  async finish(): Promise<void> {
    const { head, options, commits, state, wal, seriesLog } = this.#storage;
    await this.#alone(async () => {
      const boundary = head.maxMs - options.outOfOrderMs;
      if (boundary - head.oldestMs() >= MIN_FLUSH_MS) await this.#flush(boundary);
      await commits.exclusive(async () => {
        await state.write();
        await wal.sync();
        await wal.closeSegment();
        await seriesLog.sync();
      });
    });
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#busy.then(task);
    this.#busy = result.catch(() => {});
    return result;
  }

  /** Up to where the head is due to become blocks: enough has gathered, or nothing has come for a while. */
  #dueBoundary(nowMs: UnixMs, lastAppendMs: UnixMs): UnixMs {
    const { head, options } = this.#storage;
    const { outOfOrderMs, flushMs } = options;
    const idle = nowMs - lastAppendMs > outOfOrderMs + flushMs;
    const newest = Math.min(head.maxMs, nowMs);
    const boundary = idle ? Math.min(head.maxMs + 1, nowMs - outOfOrderMs) : newest - outOfOrderMs;
    return boundary - head.oldestMs() >= (idle ? 1 : flushMs) ? boundary : -Infinity;
  }

  async #flush(boundary: UnixMs): Promise<void> {
    const { head, commits, state, wal } = this.#storage;
    if (head.oldestMs() >= boundary) return;
    // A block must not name a series that is in no log.
    if (commits.isBehind) await commits.catchUp();
    head.minValidMs = Math.max(head.minValidMs, boundary);
    await commits.sync();
    for (let oldest = head.oldestMs(); oldest < boundary; oldest = head.oldestMs()) {
      const windowEnd = (Math.floor(oldest / WINDOW_MS) + 1) * WINDOW_MS;
      await this.#writeBlock(oldest, Math.min(windowEnd, boundary));
    }
    this.flushes++;
    await commits.exclusive(async () => {
      await state.write();
      await wal.dropBefore(boundary);
    });
  }

  async #writeBlock(fromMs: UnixMs, toMs: UnixMs): Promise<void> {
    const { head, blocks } = this.#storage;
    const { path, seq } = blocks.reserve(fromMs);
    const pacer = new Pacer(SLICE_MS);
    const writer = await BlockWriter.create(path);
    const columns = new Columns();
    const due = [...head.index.all()].filter((series) => series.firstMs < toMs).sort((a, b) => a.id - b.id);
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
    // In one go, so that a query sees the samples in one place or the other.
    blocks.add(path);
    head.dropBefore(toMs);
  }

  async #merge(): Promise<void> {
    for (let plan = this.#plan(); plan.length > 0; plan = this.#plan()) {
      for (const merge of plan) await this.#mergeOne(merge);
    }
  }

  /** Leaves groups alone that have a damaged block: merged ones would seem to hold what it holds. */
  #plan(): Merge[] {
    const metas = this.#storage.blocks.all.map(({ meta }) => meta);
    const merges = planMerges(metas, this.#storage.head.minValidMs);
    return merges.filter(({ blocks }) => !blocks.some(({ seq }) => this.#damaged.has(seq)));
  }

  async #mergeOne(merge: Merge): Promise<void> {
    const { blocks, options } = this.#storage;
    const sources = blocks.all.filter(({ meta }) => merge.blocks.includes(meta));
    const target = blocks.reserve((sources[0] as Block).meta.fromMs);
    try {
      await mergeBlocks(sources, { ...target, level: merge.level }, new Pacer(SLICE_MS));
    } catch (err) {
      if (!(err instanceof CorruptDataError)) throw err;
      for (const { meta } of sources) this.#damaged.add(meta.seq);
      const paths = sources.map(({ path }) => path);
      options.log("error", { err, paths, code: "TOCSIN_STORE_CORRUPT" }, "damaged blocks are not merged");
      return;
    }
    blocks.add(target.path, sources);
    this.merges++;
  }

  /** Drops whole blocks: too old, then the oldest ones over the byte budget. Then series that are in none any more. */
  async #expire(beforeMs: UnixMs): Promise<void> {
    const { blocks, wal, seriesLog, options } = this.#storage;
    const gone = blocks.all.filter(({ meta }) => meta.toMs <= beforeMs);
    const { retentionBytes } = options;
    let bytes = wal.bytes + seriesLog.bytes + blocks.bytes - gone.reduce((sum, block) => sum + block.bytes, 0);
    for (const block of blocks.all) {
      if (retentionBytes === 0 || bytes <= retentionBytes) break;
      if (gone.includes(block)) continue;
      gone.push(block);
      bytes -= block.bytes;
    }
    if (gone.length === 0) return;
    blocks.remove(gone);
    await this.#forgetSeries();
  }

  async #forgetSeries(): Promise<void> {
    const { head, commits, exemplars, seriesLog } = this.#storage;
    const live = this.#seriesInBlocks();
    if (!live) return;
    const before = head.index.size;
    await commits.exclusive(async () => {
      head.index.retain((series) => series.count > 0 || live.has(series.id));
      exemplars.retain((id) => head.index.byId(id) !== undefined);
      if (head.index.size < before) await seriesLog.rewrite([...head.index.all()]);
    });
  }

  /** Undefined when a directory cannot be read: then it is unknown which series are still needed. */
  #seriesInBlocks(): Set<number> | undefined {
    const { blocks, options } = this.#storage;
    const ids = new Set<number>();
    for (const block of blocks.all) {
      try {
        for (const id of block.directory().ids) ids.add(id);
      } catch (err) {
        if (!(err instanceof CorruptDataError)) throw err;
        options.log("error", { err, path: block.path, code: "TOCSIN_STORE_CORRUPT" }, "block directory is damaged");
        return undefined;
      }
    }
    return ids;
  }
}
