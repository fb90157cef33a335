import { mkdir, readdir, stat, truncate, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { UnixMs } from "@tocsin/model";
import { LogFile, readLogFile } from "./log-file.ts";

const MAGIC = "TOCSWAL1";
const SEGMENT = /^(\d{8})\.wal$/;

export interface WalOptions {
  dir: string;
  /** A segment is closed at this size… */
  segmentBytes: number;
  /** …or when its samples span this much time, so that old ones can be dropped soon. */
  segmentSpanMs: number;
}

interface Segment {
  seq: number;
  path: string;
  minMs: UnixMs;
  maxMs: UnixMs;
  bytes: number;
}

/** What replay found. */
export interface WalReplay {
  segments: number;
  records: number;
  damagedBytes: number;
  tornSegments: number;
}

/**
 * The write-ahead log of samples: segments of records, each dropped whole once all its samples are in blocks. After a
 * start writing begins in a new segment, so a segment torn by a crash is never appended to.
 */
export class WriteAheadLog {
  readonly #options: WalOptions;
  #closed: Segment[] = [];
  #current: { segment: Segment; file: LogFile } | undefined;
  #nextSeq = 1;

  private constructor(options: WalOptions) {
    this.#options = options;
  }

  /** Replays what is there; `onRecord` returns the span of the record's samples. */
  static async open(
    options: WalOptions,
    onRecord: (payload: Uint8Array) => { minMs: UnixMs; maxMs: UnixMs },
  ): Promise<{ wal: WriteAheadLog; replay: WalReplay }> {
    const wal = new WriteAheadLog(options);
    await mkdir(options.dir, { recursive: true });
    const replay: WalReplay = { segments: 0, records: 0, damagedBytes: 0, tornSegments: 0 };
    const names = (await readdir(options.dir)).filter((name) => SEGMENT.test(name)).sort();
    for (const name of names) {
      const segment = {
        seq: Number(SEGMENT.exec(name)?.[1]),
        path: join(options.dir, name),
        minMs: Infinity,
        maxMs: -Infinity,
        bytes: 0,
      };
      wal.#nextSeq = segment.seq + 1;
      const content = await readLogFile(segment.path, MAGIC, (payload) => widen(segment, onRecord(payload)));
      if (content) {
        replay.segments++;
        replay.records += content.records;
        replay.damagedBytes += content.damagedBytes;
        if (content.tornBytes > 0) replay.tornSegments++;
      }
      if (!content || content.records === 0) {
        await unlink(segment.path);
        continue;
      }
      const { size } = await stat(segment.path);
      const validBytes = size - content.tornBytes;
      if (content.tornBytes > 0) await truncate(segment.path, validBytes);
      segment.bytes = validBytes;
      wal.#closed.push(segment);
    }
    return { wal, replay };
  }

  get bytes(): number {
    return this.#closed.reduce((sum, { bytes }) => sum + bytes, 0) + (this.#current?.file.bytes ?? 0);
  }

  get segments(): number {
    return this.#closed.length + (this.#current ? 1 : 0);
  }

  /** Appends sealed records whose samples lie in the span. Not to be called while another call runs. */
  async write(records: readonly Uint8Array[], span: { minMs: UnixMs; maxMs: UnixMs }): Promise<void> {
    if (this.#current && this.#isFull(this.#current, span)) await this.closeSegment();
    this.#current ??= await this.#startSegment();
    const { segment, file } = this.#current;
    await file.write(records);
    widen(segment, span);
  }

  sync(): Promise<void> {
    return this.#current ? this.#current.file.sync() : Promise.resolve();
  }

  /** Ends the current segment; the next write starts another. */
  async closeSegment(): Promise<void> {
    if (!this.#current) return;
    const { segment, file } = this.#current;
    this.#current = undefined;
    segment.bytes = file.bytes;
    this.#closed.push(segment);
    await file.close();
  }

  /** Deletes the closed segments that hold nothing from `ms` on. */
  async dropBefore(ms: UnixMs): Promise<void> {
    const obsolete = this.#closed.filter(({ maxMs }) => maxMs < ms);
    this.#closed = this.#closed.filter(({ maxMs }) => maxMs >= ms);
    for (const { path } of obsolete) await unlink(path);
  }

  #isFull({ segment, file }: { segment: Segment; file: LogFile }, span: { minMs: UnixMs; maxMs: UnixMs }): boolean {
    const minMs = Math.min(segment.minMs, span.minMs);
    return file.bytes >= this.#options.segmentBytes || span.maxMs - minMs > this.#options.segmentSpanMs;
  }

  async #startSegment(): Promise<{ segment: Segment; file: LogFile }> {
    const seq = this.#nextSeq++;
    const path = join(this.#options.dir, `${String(seq).padStart(8, "0")}.wal`);
    const file = await LogFile.create(path, MAGIC);
    return { segment: { seq, path, minMs: Infinity, maxMs: -Infinity, bytes: 0 }, file };
  }
}

function widen(segment: Segment, span: { minMs: UnixMs; maxMs: UnixMs }): void {
  segment.minMs = Math.min(segment.minMs, span.minMs);
  segment.maxMs = Math.max(segment.maxMs, span.maxMs);
}
