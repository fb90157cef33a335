import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { open, rename, unlink, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { z } from "zod";
import { errorMessage } from "@tocsin/platform/thread";
import type { UnixMs } from "@tocsin/model";
import { ByteReader, ByteWriter, CorruptDataError } from "../codec/bytes.ts";
import { CHUNK_SAMPLES, readChunkBody, readChunkHead, writeChunk } from "../codec/chunk.ts";
import type { Columns } from "../codec/columns.ts";
import { ignoreMissing, syncDirectory } from "./log-file.ts";
import { openRecord, sealRecord } from "./record.ts";

const HEAD = "TOCSBLK1";
const TAIL = "TOCSEND1";
const TAIL_LENGTH = 12;
const WRITE_BUFFER = 1024 * 1024;
const READ_AHEAD = 256 * 1024;
/** Unwanted bytes read over rather than starting another read. */
const READ_GAP = 8 * 1024;

const BlockMeta = z.object({
  version: z.literal(1),
  seq: z.number().int().positive(),
  level: z.number().int().nonnegative(),
  /** The block is all there is of `fromMs <= t < toMs`. */
  fromMs: z.number(),
  toMs: z.number(),
  series: z.number().int().nonnegative(),
  samples: z.number().int().nonnegative(),
  maxSeriesId: z.number().int().nonnegative(),
  directory: z.object({ offset: z.number(), length: z.number() }),
});
export type BlockMeta = z.infer<typeof BlockMeta>;

interface Directory {
  ids: Uint32Array;
  /** One more than series: where each payload begins, and where the last one ends. */
  offsets: Float64Array;
  checksums: Uint32Array;
}

/** Writes a block: payloads in order of series id, then the directory, then what the block is. Whole, or not at all. */
export class BlockWriter {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #buffer = new ByteWriter(WRITE_BUFFER + 64 * 1024);
  readonly #payload = new ByteWriter(16 * 1024);
  readonly #ids: number[] = [];
  readonly #lengths: number[] = [];
  readonly #checksums: number[] = [];
  #written = 0;
  #samples = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async create(path: string): Promise<BlockWriter> {
    const writer = new BlockWriter(path, await open(`${path}.tmp`, "w"));
    writer.#buffer.bytes(Buffer.from(HEAD, "latin1"));
    return writer;
  }

  get series(): number {
    return this.#ids.length;
  }

  /** Adds a series' samples as chunks. Ids ascend. Writes to disk when enough has gathered; await what it returns. */
  addColumns(id: number, columns: Columns): Promise<void> | undefined {
    this.#payload.clear();
    for (let from = 0; from < columns.count; from += CHUNK_SAMPLES) {
      writeChunk(this.#payload, columns, from, Math.min(columns.count, from + CHUNK_SAMPLES));
    }
    return this.addPayload(id, [this.#payload.view()], columns.count);
  }

  /** Adds chunks that are encoded already. */
  addPayload(id: number, parts: readonly Uint8Array[], samples: number): Promise<void> | undefined {
    let length = 0;
    let checksum = 0;
    for (const part of parts) {
      this.#buffer.bytes(part);
      length += part.length;
      checksum = crc32(part, checksum);
    }
    this.#ids.push(id);
    this.#lengths.push(length);
    this.#checksums.push(checksum);
    this.#samples += samples;
    return this.#buffer.length >= WRITE_BUFFER ? this.#flush() : undefined;
  }

  /** Makes the block durable under its name. */
  async finish(what: Pick<BlockMeta, "seq" | "level" | "fromMs" | "toMs">): Promise<void> {
    await this.#flush();
    const directory = sealRecord(this.#encodeDirectory());
    const meta: BlockMeta = {
      version: 1,
      ...what,
      series: this.#ids.length,
      samples: this.#samples,
      maxSeriesId: this.#ids.at(-1) ?? 0,
      directory: { offset: this.#written, length: directory.length },
    };
    const sealed = sealRecord(Buffer.from(JSON.stringify(meta)));
    this.#buffer.bytes(directory);
    this.#buffer.bytes(sealed);
    this.#buffer.u32(sealed.length);
    this.#buffer.bytes(Buffer.from(TAIL, "latin1"));
    await this.#flush();
    await this.#handle.sync();
    await this.#handle.close();
    await rename(`${this.#path}.tmp`, this.#path);
    await syncDirectory(dirname(this.#path));
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.#handle.close();
    await unlink(`${this.#path}.tmp`).catch(ignoreMissing);
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.copy();
    this.#buffer.clear();
    for (let done = 0; done < bytes.length;) {
      done += (await this.#handle.write(bytes, done, bytes.length - done, this.#written + done)).bytesWritten;
    }
    this.#written += bytes.length;
  }

  #encodeDirectory(): Uint8Array {
    const out = new ByteWriter(this.#ids.length * 8 + 16);
    out.varint(this.#ids.length);
    let previous = 0;
    for (const id of this.#ids) {
      out.varint(id - previous);
      previous = id;
    }
    for (const length of this.#lengths) out.varint(length);
    for (const checksum of this.#checksums) out.u32(checksum);
    return out.copy();
  }
}

/** A block on disk, open for reading. Reads are synchronous: they come from the page cache, nearly always. */
export class Block {
  readonly path: string;
  readonly meta: BlockMeta;
  readonly bytes: number;
  readonly #fd: number;
  #directory: Directory | undefined;
  #pins = 0;
  #retired: (() => void) | undefined;

  private constructor(path: string, fd: number, bytes: number, meta: BlockMeta) {
    this.path = path;
    this.#fd = fd;
    this.bytes = bytes;
    this.meta = meta;
  }

  /** Throws CorruptDataError when it is no whole block. */
  static open(path: string): Block {
    const fd = openSync(path, "r");
    try {
      const { size } = fstatSync(fd);
      return new Block(path, fd, size, readMeta(fd, size));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  overlaps(fromMs: UnixMs, toMs: UnixMs): boolean {
    return this.meta.fromMs <= toMs && this.meta.toMs > fromMs;
  }

  directory(): Directory {
    this.#directory ??= decodeDirectory(readDirectory(this.#fd, this.meta), this.meta);
    return this.#directory;
  }

  /** Lets go of the directory, which can be read again. */
  forgetDirectory(): void {
    this.#directory = undefined;
  }

  /** Bytes the directory takes in memory, if it is there. */
  get directoryBytes(): number {
    return this.#directory ? this.meta.series * 16 : 0;
  }

  /** A reader that is asked for payloads in ascending order of id. Keeps the file until it is closed. */
  cursor(wanted?: readonly number[]): BlockCursor {
    this.#pins++;
    return new BlockCursor(this.#fd, this.directory(), wanted, () => this.#unpin());
  }

  /** Closes the file once nobody reads it, then calls `then`. */
  retire(then: () => void): void {
    this.#retired = then;
    this.#pins++;
    this.#unpin();
  }

  #unpin(): void {
    this.#pins--;
    if (this.#pins > 0 || !this.#retired) return;
    const then = this.#retired;
    this.#retired = undefined;
    closeSync(this.#fd);
    then();
  }
}

/** Reads payloads in ascending order of series id, several at a time where they lie close together. */
export class BlockCursor implements Disposable {
  readonly #fd: number;
  readonly #directory: Directory;
  readonly #wanted: readonly number[] | undefined;
  readonly #close: () => void;
  #position = 0;
  #nextWanted = 0;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;
  #open = true;

  /** Without `wanted` every payload will be. */
  constructor(fd: number, directory: Directory, wanted: readonly number[] | undefined, close: () => void) {
    this.#fd = fd;
    this.#directory = directory;
    this.#wanted = wanted;
    this.#close = close;
  }

  /** The series' chunks, valid until the next call; undefined when the block has none. Throws CorruptDataError. */
  payload(id: number): Uint8Array | undefined {
    const position = this.#find(id);
    if (position === undefined) return undefined;
    const { offsets, checksums } = this.#directory;
    const from = offsets[position] as number;
    const to = offsets[position + 1] as number;
    if (from < this.#windowAt || to > this.#windowAt + this.#window.length) this.#read(position, id);
    const payload = this.#window.subarray(from - this.#windowAt, to - this.#windowAt);
    if (crc32(payload) !== checksums[position]) throw new CorruptDataError(`checksum of series ${id} does not match`);
    return payload;
  }

  /** Appends the series' samples of chunks that touch the range; may bring some outside it. */
  readInto(id: number, columns: Columns, fromMs: UnixMs, toMs: UnixMs): void {
    const payload = this.payload(id);
    if (!payload) return;
    const reader = new ByteReader(payload);
    while (!reader.atEnd) {
      const head = readChunkHead(reader);
      if (head.firstMs > toMs) return;
      if (head.lastMs < fromMs) reader.offset = head.end;
      else readChunkBody(reader, head, columns);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#close();
  }

  #find(id: number): number | undefined {
    const { ids } = this.#directory;
    let low = this.#position;
    if (ids[low] !== id) {
      let high = ids.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((ids[middle] as number) < id) low = middle + 1;
        else high = middle;
      }
    }
    this.#position = low;
    return ids[low] === id ? low : undefined;
  }

  #read(position: number, id: number): void {
    const { ids, offsets } = this.#directory;
    const from = offsets[position] as number;
    let last = position;
    const limit = from + READ_AHEAD;
    if (this.#wanted) {
      while ((this.#wanted[this.#nextWanted] ?? Infinity) <= id) this.#nextWanted++;
      let next = this.#nextWanted;
      for (let p = position + 1; p < ids.length && next < this.#wanted.length; p++) {
        if ((offsets[p] as number) - (offsets[last + 1] as number) > READ_GAP || (offsets[p + 1] as number) > limit)
          break;
        while ((this.#wanted[next] ?? Infinity) < (ids[p] as number)) next++;
        if (this.#wanted[next] === ids[p]) last = p;
      }
    } else while (last + 1 < ids.length && (offsets[last + 2] as number) <= limit) last++;
    const to = offsets[last + 1] as number;
    this.#window = readExactly(this.#fd, from, to - from);
    this.#windowAt = from;
  }
}

function readMeta(fd: number, size: number): BlockMeta {
  if (size < HEAD.length + TAIL_LENGTH) throw new CorruptDataError("too short for a block");
  if (readExactly(fd, 0, HEAD.length).toString("latin1") !== HEAD)
    throw new CorruptDataError("does not begin like a block");
  const tail = readExactly(fd, size - TAIL_LENGTH, TAIL_LENGTH);
  if (tail.toString("latin1", 4) !== TAIL) throw new CorruptDataError("does not end like a block");
  const length = tail.readUInt32LE(0);
  if (length > size - HEAD.length - TAIL_LENGTH) throw new CorruptDataError("its description has no place");
  const { payload } = openRecord(readExactly(fd, size - TAIL_LENGTH - length, length), 0);
  try {
    return BlockMeta.parse(JSON.parse(Buffer.from(payload).toString("utf8")));
  } catch (error) {
    throw new CorruptDataError(`its description cannot be read: ${errorMessage(error)}`);
  }
}

function readDirectory(fd: number, meta: BlockMeta): Uint8Array {
  if (meta.directory.length > fstatSync(fd).size) throw new CorruptDataError("its directory has no place");
  return openRecord(readExactly(fd, meta.directory.offset, meta.directory.length), 0).payload;
}

function decodeDirectory(payload: Uint8Array, meta: BlockMeta): Directory {
  const reader = new ByteReader(payload);
  const count = reader.count(6);
  if (count !== meta.series) throw new CorruptDataError("the directory has another number of series than the block");
  const ids = new Uint32Array(count);
  const offsets = new Float64Array(count + 1);
  const checksums = new Uint32Array(count);
  for (let i = 0, id = 0; i < count; i++) ids[i] = id += reader.varint();
  offsets[0] = HEAD.length;
  for (let i = 0; i < count; i++) offsets[i + 1] = (offsets[i] as number) + reader.varint();
  for (let i = 0; i < count; i++) checksums[i] = reader.u32();
  if (offsets[count] !== meta.directory.offset) throw new CorruptDataError("the payloads do not fill their place");
  return { ids, offsets, checksums };
}

function readExactly(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length;) {
    const count = readSync(fd, buffer, done, length - done, position + done);
    if (count === 0) throw new CorruptDataError(`ends at ${position + done}, ${length - done} bytes early`);
    done += count;
  }
  return buffer;
}
