import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { errorMessage } from "@tocsin/platform/thread";
import { CorruptDataError } from "../codec/bytes.ts";

const HEAD = 9;
const PLAIN = 0;
const ZSTD = 1;
const COMPRESS_FROM = 512;
const MAX_RECORD = 512 * 1024 * 1024;
/** Bytes looked at to find the next whole record behind damage, before the rest is given up. */
const MAX_SEARCH = 1024 * 1024 * 1024;
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** A record for a log file: `u32 length, u32 CRC-32 of what follows, u8 compression, body`. */
export function sealRecord(payload: Uint8Array): Uint8Array {
  const packed = payload.length >= COMPRESS_FROM ? zstdCompressSync(payload, FAST) : payload;
  const compressed = packed.length < payload.length;
  const body = compressed ? packed : payload;
  const record = Buffer.allocUnsafeSlow(HEAD + body.length);
  record.writeUInt32LE(body.length + 1, 0);
  record[8] = compressed ? ZSTD : PLAIN;
  record.set(body, HEAD);
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

/** The payload of the record at `offset`, and where the next one begins. Throws CorruptDataError. */
export function openRecord(bytes: Uint8Array, offset: number): { payload: Uint8Array; next: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (offset + HEAD > buffer.length) throw new CorruptDataError("the record's head is cut off");
  const next = offset + 8 + buffer.readUInt32LE(offset);
  if (next > buffer.length || next < offset + HEAD) throw new CorruptDataError("the record is cut off");
  if (crc32(buffer.subarray(offset + 8, next)) !== buffer.readUInt32LE(offset + 4)) {
    throw new CorruptDataError("the record's checksum does not match");
  }
  const body = buffer.subarray(offset + HEAD, next);
  return { payload: buffer[offset + 8] === ZSTD ? decompress(body) : body, next };
}

/** What reading a run of records came to: where the last good one ends, and how many bytes before that are none. */
export interface RecordsRead {
  records: number;
  end: number;
  damagedBytes: number;
}

/** Hands over the payloads of all whole records from `offset` on; damage is skipped up to the next whole one. */
export function readRecords(bytes: Uint8Array, offset: number, onRecord: (payload: Uint8Array) => void): RecordsRead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: RecordsRead = { records: 0, end: offset, damagedBytes: 0 };
  let searched = 0;
  for (let at = offset; at + HEAD <= bytes.length && searched < MAX_SEARCH;) {
    const length = view.getUint32(at, true);
    const plausible = length > 0 && length <= bytes.length - at - 8 && view.getUint8(at + 8) <= ZSTD;
    const next = plausible ? readRecord(bytes, at, onRecord) : undefined;
    if (next === undefined) {
      searched += plausible ? length : 1;
      at++;
      continue;
    }
    read.records++;
    read.damagedBytes += at - read.end;
    read.end = at = next;
  }
  return read;
}

/** Where the next record begins; undefined when here is none that can be read. */
function readRecord(bytes: Uint8Array, at: number, onRecord: (payload: Uint8Array) => void): number | undefined {
  try {
    const { payload, next } = openRecord(bytes, at);
    onRecord(payload);
    return next;
  } catch (error) {
    if (error instanceof CorruptDataError) return undefined;
    throw error;
  }
}

function decompress(body: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(body, { maxOutputLength: MAX_RECORD });
  } catch (error) {
    throw new CorruptDataError(`the record does not decompress: ${errorMessage(error)}`);
  }
}
