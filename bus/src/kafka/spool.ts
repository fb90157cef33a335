import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { errorMessage, TocsinError, type Logger } from "@tocsin/platform";
import { z } from "zod";

/** Bytes that several spools share. */
export class SpoolBudget {
  readonly maxBytes: number;
  used = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
}

export interface SpoolOptions {
  /** Folder of this spool alone; made when it is missing. */
  dir: string;
  budget: SpoolBudget;
  segmentBytes: number;
  logger: Logger;
}

/** Entries in the order of their appends, and where the next ones begin. */
export interface SpoolChunk {
  entries: Uint8Array[];
  next: Cursor;
}

interface Cursor {
  segment: number;
  offset: number;
}

interface Segment {
  id: number;
  /** Bytes that are on the disk for good. */
  bytes: number;
}

interface Append {
  frame: Uint8Array;
  resolve: () => void;
  reject: (error: unknown) => void;
}

const FRAME_HEAD = 8;
const MAX_ENTRY_BYTES = 256 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
const SEGMENT = /^(\d{8})\.segment$/;
const CursorFile = z.object({ segment: z.int(), offset: z.int() });

/**
 * A queue on the disk: files of frames, each a length, a CRC-32 and the entry. An append resolves when it is on the disk
 * for good (fdatasync; appends that come meanwhile share the next one). What a crash has cut off was never acknowledged and is
 * passed over. The place up to which entries have been taken is kept beside, without fdatasync: after a crash some come again.
 */
export class Spool {
  readonly #options: SpoolOptions;
  #segments: Segment[] = [];
  #cursor: Cursor = { segment: 0, offset: 0 };
  #nextId = 1;
  #writer: { file: FileHandle; segment: Segment } | undefined;
  #appends: Append[] = [];
  #flushing: Promise<void> | undefined;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Finds what an earlier process has left. Throws TOCSIN_DATA_DIR_UNWRITABLE. */
  async open(): Promise<void> {
    const { dir, budget, logger } = this.#options;
    try {
      await mkdir(dir, { recursive: true });
      const ids = (await readdir(dir))
        .flatMap((name) => SEGMENT.exec(name)?.[1] ?? [])
        .map(Number)
        .toSorted((a, b) => a - b);
      this.#cursor = await this.#readCursor();
      for (const id of ids) {
        const segment = { id, bytes: (await stat(this.#path(id))).size };
        const taken = id < this.#cursor.segment || this.#startIn(segment) >= segment.bytes;
        if (taken) await rm(this.#path(id), { force: true });
        else this.#segments.push(segment);
      }
      this.#nextId = Math.max(this.#cursor.segment, ids.at(-1) ?? 0) + 1;
    } catch (cause) {
      throw new TocsinError("TOCSIN_DATA_DIR_UNWRITABLE", `cannot use ${dir}: ${errorMessage(cause)}`, { cause });
    }
    budget.used += this.bytes;
    if (!this.isEmpty) logger.info({ dir, bytes: this.bytes }, "spool has entries of an earlier process");
  }

  /** Nothing is kept and nothing is on its way. */
  get isEmpty(): boolean {
    return this.bytes === 0 && this.#appends.length === 0 && this.#flushing === undefined;
  }

  /** Bytes on the disk that have not been taken. */
  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes - this.#startIn(segment), 0);
  }

  /**
   * Resolves true when the entry is on the disk for good, false at once when there is no room for it. Rejects when the disk
   * fails; then the entry is not kept.
   */
  async append(entry: Uint8Array): Promise<boolean> {
    const { budget } = this.#options;
    const frame = frameOf(entry);
    if (budget.used + frame.length > budget.maxBytes) return false;
    budget.used += frame.length;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#appends.push({ frame, resolve, reject });
    this.#flushing ??= this.#flush();
    try {
      await promise;
    } catch (error) {
      budget.used -= frame.length;
      throw error;
    }
    return true;
  }

  /** The oldest entries, about `maxBytes` of them, at least one; undefined when there are none on the disk. */
  async read(maxBytes: number, maxEntries = Number.POSITIVE_INFINITY): Promise<SpoolChunk | undefined> {
    for (;;) {
      const segment = this.#segments[0];
      if (!segment) {
        await this.#flushing;
        if (this.#segments.length === 0) return undefined;
        continue;
      }
      const start = this.#startIn(segment);
      const chunk = await this.#readSegment(segment, start, maxBytes, maxEntries);
      if (chunk) return chunk;
      if (start < segment.bytes) {
        const { dir, logger } = this.#options;
        logger.warn({ dir, segment: segment.id, bytes: segment.bytes - start }, "end of a spool file is not whole");
      } else if (segment === this.#writer?.segment) {
        await this.#flushing;
        if (start === segment.bytes) return undefined;
        continue;
      }
      await this.#remove(segment);
    }
  }

  /** Lets go of everything before `next`. */
  async advance(next: Cursor): Promise<void> {
    const { dir, budget } = this.#options;
    for (const segment of this.#segments.filter(({ id }) => id < next.segment)) await this.#remove(segment);
    const segment = this.#segments.find(({ id }) => id === next.segment);
    if (segment) budget.used -= next.offset - this.#startIn(segment);
    this.#cursor = next;
    await writeFile(join(dir, "cursor.tmp"), JSON.stringify(next));
    await rename(join(dir, "cursor.tmp"), join(dir, "cursor"));
    // A file that has been read to its end goes, unless more is being written to it.
    if (segment && segment.bytes === next.offset && this.#appends.length === 0 && this.#flushing === undefined) {
      await this.#remove(segment);
    }
  }

  /** Waits for the appends that are on their way. */
  async close(): Promise<void> {
    while (this.#flushing) await this.#flushing;
    await this.#writer?.file.close();
    this.#writer = undefined;
  }

  async #flush(): Promise<void> {
    while (this.#appends.length > 0) {
      const batch = this.#appends.splice(0);
      try {
        await this.#write(batch.map(({ frame }) => frame));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  async #write(frames: readonly Uint8Array[]): Promise<void> {
    const { file, segment } = await this.#writableSegment();
    const bytes = Buffer.concat(frames);
    try {
      await file.write(bytes, 0, bytes.length, segment.bytes);
      await file.datasync();
    } catch (error) {
      // What was written of it must not be read; the next append goes to a file of its own.
      this.#writer = undefined;
      await file.truncate(segment.bytes).catch(() => {});
      await file.close().catch(() => {});
      throw error;
    }
    segment.bytes += bytes.length;
  }

  async #writableSegment(): Promise<{ file: FileHandle; segment: Segment }> {
    if (this.#writer && this.#writer.segment.bytes < this.#options.segmentBytes) return this.#writer;
    await this.#writer?.file.close();
    this.#writer = undefined;
    const segment = { id: this.#nextId++, bytes: 0 };
    const file = await open(this.#path(segment.id), "wx");
    await syncFolder(this.#options.dir);
    this.#segments.push(segment);
    this.#writer = { file, segment };
    return this.#writer;
  }

  async #readSegment(
    segment: Segment,
    start: number,
    maxBytes: number,
    maxEntries: number,
  ): Promise<SpoolChunk | undefined> {
    const file = await open(this.#path(segment.id), "r");
    try {
      const rest = segment.bytes - start;
      let bytes = await readAt(file, start, Math.min(rest, Math.max(maxBytes, READ_BYTES)));
      const first = frameLength(bytes);
      if (first !== undefined && first > bytes.length && first <= rest) bytes = await readAt(file, start, first);
      const entries: Uint8Array[] = [];
      let at = 0;
      while (at === 0 || (at < maxBytes && entries.length < maxEntries)) {
        const entry = entryAt(bytes, at);
        if (!entry) break;
        entries.push(entry);
        at += FRAME_HEAD + entry.length;
      }
      return at === 0 ? undefined : { entries, next: { segment: segment.id, offset: start + at } };
    } finally {
      await file.close();
    }
  }

  async #remove(segment: Segment): Promise<void> {
    this.#options.budget.used -= segment.bytes - this.#startIn(segment);
    this.#segments = this.#segments.filter((other) => other !== segment);
    if (segment === this.#writer?.segment) {
      const { file } = this.#writer;
      this.#writer = undefined;
      await file.close();
    }
    await rm(this.#path(segment.id), { force: true });
  }

  #startIn({ id }: Segment): number {
    return id === this.#cursor.segment ? this.#cursor.offset : 0;
  }

  #path(id: number): string {
    return join(this.#options.dir, `${String(id).padStart(8, "0")}.segment`);
  }

  async #readCursor(): Promise<Cursor> {
    const start = { segment: 0, offset: 0 };
    let text: string;
    try {
      text = await readFile(join(this.#options.dir, "cursor"), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return start;
      throw error;
    }
    // Not fsynced, so it may be empty after a power failure; then everything that is left is sent again.
    try {
      return CursorFile.parse(JSON.parse(text));
    } catch {
      this.#options.logger.warn(
        { dir: this.#options.dir },
        "spool cursor cannot be read, starting at the oldest entry",
      );
      return start;
    }
  }
}

function frameOf(entry: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + entry.length);
  frame.writeUInt32LE(entry.length, 0);
  frame.writeUInt32LE(crc32(entry), 4);
  frame.set(entry, FRAME_HEAD);
  return frame;
}

/** Of the frame at the start, if its length makes sense. An empty entry would look like a hole in the file. */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < FRAME_HEAD) return undefined;
  const length = bytes.readUInt32LE(0);
  return length === 0 || length > MAX_ENTRY_BYTES ? undefined : FRAME_HEAD + length;
}

/** The whole, undamaged entry at an offset. */
function entryAt(bytes: Buffer, at: number): Uint8Array | undefined {
  const rest = bytes.subarray(at);
  const length = frameLength(rest);
  if (length === undefined || length > rest.length) return undefined;
  const entry = rest.subarray(FRAME_HEAD, length);
  return crc32(entry) === rest.readUInt32LE(4) ? entry : undefined;
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}

/** Makes a new file's name last. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
