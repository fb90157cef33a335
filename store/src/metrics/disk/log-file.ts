import { open, type FileHandle, readFile, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { TocsinError } from "@tocsin/platform/thread";
import { readRecords } from "./record.ts";

const MAGIC_LENGTH = 8;

/** What was found in a log file: whole records, bytes between them that are none, and bytes behind the last one. */
export interface LogContent {
  records: number;
  damagedBytes: number;
  tornBytes: number;
}

/**
 * An append-only file of records behind an eight-byte name and version. A write that fails part-way is cut off again
 * before the next one, so that a torn record can only be the last thing in the file.
 */
export class LogFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #bytes: number;
  #torn = false;

  private constructor(path: string, handle: FileHandle, bytes: number) {
    this.path = path;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  static async create(path: string, magic: string): Promise<LogFile> {
    const handle = await open(path, "wx+");
    await handle.write(Buffer.from(magic, "latin1"), 0, MAGIC_LENGTH, 0);
    await handle.datasync();
    await syncDirectory(dirname(path));
    return new LogFile(path, handle, MAGIC_LENGTH);
  }

  /** Opens a file to append to it, cutting off a torn end; makes it when it is missing or has no whole head. */
  static async openRepaired(
    path: string,
    magic: string,
    onRecord: (payload: Uint8Array) => void,
  ): Promise<{ file: LogFile; content: LogContent }> {
    const content = await readLogFile(path, magic, onRecord);
    if (!content) {
      await unlink(path).catch(ignoreMissing);
      return { file: await LogFile.create(path, magic), content: { records: 0, damagedBytes: 0, tornBytes: 0 } };
    }
    const handle = await open(path, "r+");
    const { size } = await handle.stat();
    if (content.damagedBytes > 0) await handle.write(Buffer.from(magic, "latin1"), 0, MAGIC_LENGTH, 0);
    if (content.tornBytes > 0) await handle.truncate(size - content.tornBytes);
    return { file: new LogFile(path, handle, size - content.tornBytes), content };
  }

  async write(records: readonly Uint8Array[]): Promise<void> {
    if (this.#torn) await this.#cutTorn();
    const bytes = records.length === 1 ? (records[0] as Uint8Array) : Buffer.concat(records);
    this.#torn = true;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#bytes + done);
      done += bytesWritten;
    }
    this.#bytes += bytes.length;
    this.#torn = false;
  }

  async #cutTorn(): Promise<void> {
    await this.#handle.truncate(this.#bytes);
    this.#torn = false;
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * Reads a log file's whole records, also behind a damaged head; undefined when it is missing or was never begun. Throws
 * TOCSIN_STORE_CORRUPT when another version of the format wrote it, since going on would destroy it.
 */
export async function readLogFile(
  path: string,
  magic: string,
  onRecord: (payload: Uint8Array) => void,
): Promise<LogContent | undefined> {
  const bytes = await readFile(path).catch(ignoreMissing);
  if (!bytes || bytes.length < MAGIC_LENGTH) return undefined;
  const head = bytes.toString("latin1", 0, MAGIC_LENGTH);
  if (head.slice(0, -1) === magic.slice(0, -1) && head !== magic && /\d$/.test(head)) {
    throw new TocsinError(
      "TOCSIN_STORE_CORRUPT",
      `${path} has format ${head}, this version of Tocsin reads ${magic}; start the version that wrote it or move the file away`,
    );
  }
  const { records, end, damagedBytes } = readRecords(bytes, MAGIC_LENGTH, onRecord);
  return {
    records,
    damagedBytes: damagedBytes + (head === magic ? 0 : MAGIC_LENGTH),
    tornBytes: bytes.length - end,
  };
}

/** Puts a whole new content in the place of a log file, or leaves the old one. */
export async function replaceLogFile(path: string, magic: string, records: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.tmp`;
  await unlink(temporary).catch(ignoreMissing);
  const file = await LogFile.create(temporary, magic);
  try {
    if (records.length > 0) await file.write(records);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes renames and new files in the directory survive a power loss; Windows has no such call and no such need. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
