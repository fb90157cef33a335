import { mkdir, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { UnixMs } from "@tocsin/model";
import { CorruptDataError } from "../codec/bytes.ts";
import { Block } from "./block.ts";
import { ignoreMissing } from "./log-file.ts";

const BLOCK_FILE = /^\d{8}T\d{6}-\d{8}\.blk$/;
/** Directories held in memory between queries. */
const DIRECTORY_BUDGET = 128 * 1024 * 1024;

/** Takes what the store has to tell; it may go to another thread. */
export type StoreLog = (level: "warn" | "error", fields: Record<string, unknown>, message: string) => void;

/** The blocks on disk, in order of time; no two of them overlap. */
export class BlockSet {
  readonly #dir: string;
  readonly #log: StoreLog;
  #blocks: Block[] = [];
  #nextSeq = 1;
  /** Changes whenever blocks come or go. */
  generation = 0;
  /** Files set aside because they could not be read. */
  corrupt = 0;

  private constructor(dir: string, log: StoreLog) {
    this.#dir = dir;
    this.#log = log;
  }

  static async open(dir: string, log: StoreLog): Promise<BlockSet> {
    await mkdir(dir, { recursive: true });
    const set = new BlockSet(dir, log);
    for (const name of (await readdir(dir)).sort()) {
      const path = join(dir, name);
      if (name.endsWith(".tmp")) await unlink(path);
      else if (BLOCK_FILE.test(name)) await set.#openOrSetAside(path);
    }
    await set.#dropMerged();
    return set;
  }

  get all(): readonly Block[] {
    return this.#blocks;
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Everything before this time is in blocks, or never was. */
  get endMs(): UnixMs {
    return Math.max(-Infinity, ...this.#blocks.map(({ meta }) => meta.toMs));
  }

  overlapping(fromMs: UnixMs, toMs: UnixMs): Block[] {
    return this.#blocks.filter((block) => block.overlaps(fromMs, toMs));
  }

  /** A name for a new block, in order of time for people who look at the folder. */
  reserve(fromMs: UnixMs): { path: string; seq: number } {
    const seq = this.#nextSeq++;
    const at = new Date(fromMs).toISOString().replaceAll(/[-:]|\.\d+Z/g, "");
    return { path: join(this.#dir, `${at}-${String(seq).padStart(8, "0")}.blk`), seq };
  }

  /** Takes in a finished block in the place of those it was made from, whose files go when nobody reads them. */
  add(path: string, replaced: readonly Block[] = []): void {
    const block = Block.open(path);
    this.#blocks = [...this.#blocks.filter((known) => !replaced.includes(known)), block].sort(byTime);
    this.generation++;
    replaced.forEach((old) => this.#delete(old));
    this.#trimDirectories(block);
  }

  remove(gone: readonly Block[]): void {
    this.#blocks = this.#blocks.filter((block) => !gone.includes(block));
    this.generation++;
    gone.forEach((block) => this.#delete(block));
  }

  /** Keeps the memory of directories within bounds, newest blocks first. */
  #trimDirectories(kept: Block): void {
    let bytes = 0;
    for (const block of this.#blocks.toReversed()) {
      bytes += block.directoryBytes;
      if (bytes > DIRECTORY_BUDGET && block !== kept) block.forgetDirectory();
    }
  }

  close(): void {
    for (const block of this.#blocks) block.retire(() => {});
    this.#blocks = [];
  }

  #delete(block: Block): void {
    block.retire(() => {
      unlink(block.path)
        .catch(ignoreMissing)
        .catch((err: unknown) =>
          this.#log("warn", { err, path: block.path }, "obsolete block not deleted; the next start tries again"),
        );
    });
  }

  async #openOrSetAside(path: string): Promise<void> {
    try {
      const block = Block.open(path);
      this.#blocks.push(block);
      this.#nextSeq = Math.max(this.#nextSeq, block.meta.seq + 1);
    } catch (err) {
      if (!(err instanceof CorruptDataError)) throw err;
      await rename(path, `${path}.corrupt`);
      this.corrupt++;
      this.#log("error", { err, path, code: "TOCSIN_STORE_CORRUPT" }, "block cannot be read; set aside");
    }
  }

  /** After a crash between a merge and the deletion of its sources both are there. */
  async #dropMerged(): Promise<void> {
    const inside = (a: Block, b: Block) =>
      a !== b && a.meta.level < b.meta.level && a.meta.fromMs >= b.meta.fromMs && a.meta.toMs <= b.meta.toMs;
    const merged = this.#blocks.filter((block) => this.#blocks.some((other) => inside(block, other)));
    this.#blocks = this.#blocks.filter((block) => !merged.includes(block)).sort(byTime);
    for (const block of merged) {
      await new Promise<void>((resolve) => block.retire(resolve));
      await unlink(block.path);
    }
  }
}

function byTime(a: Block, b: Block): number {
  return a.meta.fromMs - b.meta.fromMs;
}
