import { OtlpDecodeError } from "./error.ts";
import type { MessageSchema } from "./schema.ts";

/** Messages inside messages; protobuf's own libraries stop at 100, and a stack must not be the limit. */
const MAX_DEPTH = 64;
/**
 * Records, points, events and the like in one request: bounds what a few empty bytes can make us allocate. Decoding takes
 * more than inspection lets in, so that requests which were let in one by one still decode when they have been merged.
 */
export const MAX_INSPECTED_OBJECTS = 500_000;
const MAX_OBJECTS = 1_000_000;

/** A mistake at a byte; `decodeAt` turns it into an OtlpDecodeError that names the field. */
export class WireError extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * Attribute names and short values repeat from record to record. A slot holds one ASCII string by a hash of its bytes;
 * a hit costs a comparison instead of an allocation. Fixed in size; a newer string takes the slot.
 */
const INTERN_SLOTS = 4096;
const INTERN_MAX_BYTES = 40;
const interned: (string | undefined)[] = Array.from({ length: INTERN_SLOTS });

/** Walks protobuf bytes. Every read checks the limit of the message it is in; nothing is allocated before that. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  pos = 0;
  limit: number;
  /** The halves of the varint read last. */
  lo = 0;
  hi = 0;
  #depth = 0;
  readonly #maxObjects: number;
  #objects = 0;

  constructor(bytes: Uint8Array, maxObjects = MAX_OBJECTS) {
    this.#maxObjects = maxObjects;
    // A plain view, so that the loops below see one kind of array whatever the caller has (Node's Buffer is another).
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.limit = this.bytes.length;
  }

  /** Field number and wire type, as `number << 3 | type`. */
  tag(): number {
    const start = this.pos;
    const first = start < this.limit ? (this.bytes[start] as number) : 0;
    if (first >= 8 && first < 0x80) {
      this.pos = start + 1;
      return first;
    }
    const tag = this.varint();
    if (tag > 0xffffffff || tag < 8) throw new WireError(start, `invalid field tag ${tag}`);
    return tag;
  }

  /** An unsigned varint of up to 64 bits; exact in `lo` and `hi`, the number is exact up to 2^53. */
  varint(): number {
    const { bytes, limit } = this;
    const start = this.pos;
    let pos = start;
    let byte = pos < limit ? (bytes[pos++] as number) : this.#cut(start);
    if (byte < 0x80) {
      this.pos = pos;
      this.hi = 0;
      return (this.lo = byte);
    }
    let lo = byte & 0x7f;
    let hi = 0;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (pos >= limit) this.#cut(start);
      byte = bytes[pos++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else if (shift < 63) hi |= bits << (shift - 32);
      else {
        if (byte > 1) throw new WireError(start, "varint is longer than 64 bits");
        hi |= byte << 31;
      }
    }
    this.pos = pos;
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    return this.hi * 0x100000000 + this.lo;
  }

  bool(): boolean {
    return this.varint() !== 0;
  }

  /** An enum or int32: the low 32 bits, signed. */
  int32(): number {
    this.varint();
    return this.lo | 0;
  }

  sint32(): number {
    this.varint();
    return (this.lo >>> 1) ^ -(this.lo & 1);
  }

  /** An int64 varint; a number where that is exact. */
  int64(): number | bigint {
    this.varint();
    return safeInteger(this.lo, this.hi | 0);
  }

  fixed32(): number {
    const start = this.#take(4);
    return this.#view.getUint32(start, true);
  }

  double(): number {
    const start = this.#take(8);
    return this.#view.getFloat64(start, true);
  }

  /** fixed64 as a bigint, which keeps nanoseconds exact. */
  fixed64(): bigint {
    const start = this.#take(8);
    return this.#view.getBigUint64(start, true);
  }

  /** fixed64 as a number; rounded beyond 2^53. */
  fixed64Number(): number {
    const start = this.#take(8);
    return this.#view.getUint32(start + 4, true) * 0x100000000 + this.#view.getUint32(start, true);
  }

  /** sfixed64 as a number; rounded beyond ±2^53. */
  sfixed64Number(): number {
    const start = this.#take(8);
    return this.#view.getInt32(start + 4, true) * 0x100000000 + this.#view.getUint32(start, true);
  }

  skip64(): void {
    this.#take(8);
  }

  /** A length prefix that fits into what is left. */
  length(): number {
    const start = this.pos;
    const first = start < this.limit ? (this.bytes[start] as number) : 0x80;
    if (first < 0x80 && first < this.limit - start) {
      this.pos = start + 1;
      return first;
    }
    const length = this.varint();
    if (length > this.limit - this.pos) {
      throw new WireError(
        start,
        `length ${length} is beyond the end of the message (${this.limit - this.pos} bytes left)`,
      );
    }
    return length;
  }

  string(): string {
    const length = this.length();
    const start = this.pos;
    this.pos = start + length;
    return length <= INTERN_MAX_BYTES ? this.#short(start, length) : this.#text(start, length);
  }

  /** A copy of the bytes. */
  byteString(): Uint8Array {
    const length = this.length();
    const start = this.pos;
    this.pos = start + length;
    return new Uint8Array(this.bytes.subarray(start, this.pos));
  }

  /** An id of exactly `size` bytes as hex; empty when it is missing or, as the specification has it, all zeros. */
  id(size: number): string {
    const at = this.pos;
    const length = this.length();
    const start = this.pos;
    if (length !== size && length !== 0) throw new WireError(at, `an id has ${size} bytes, not ${length}`);
    this.pos = start + length;
    let hex = "";
    let any = 0;
    for (let i = start; i < this.pos; i++) {
      const byte = this.bytes[i] as number;
      any |= byte;
      hex += HEX[byte];
    }
    return any === 0 ? "" : hex;
  }

  /** Enters the length-prefixed message at hand; returns the limit to give back to `leave`. */
  enter(): number {
    const length = this.length();
    if (++this.#depth > MAX_DEPTH) throw new WireError(this.pos, `nested deeper than ${MAX_DEPTH} levels`);
    const outer = this.limit;
    this.limit = this.pos + length;
    return outer;
  }

  leave(outer: number): void {
    this.#depth--;
    this.limit = outer;
  }

  get more(): boolean {
    return this.pos < this.limit;
  }

  /** Counts one object of the model. */
  countObject(): void {
    if (++this.#objects <= this.#maxObjects) return;
    throw new WireError(this.pos, `more than ${this.#maxObjects} elements in one request`);
  }

  /** Passes over a field that the message does not have; one that it has but with another wire type is a mistake. */
  skip(tag: number, schema: MessageSchema): void {
    const number = tag >>> 3;
    const known = schema.fields[number];
    if (known) throw new WireError(this.pos, `${known.name} has wire type ${tag & 7}, which is not ${known.kind}`);
    const type = tag & 7;
    if (type === 0) this.varint();
    else if (type === 1) this.#take(8);
    else if (type === 2) this.skipBytes();
    else if (type === 5) this.#take(4);
    else throw new WireError(this.pos, `wire type ${type} is not supported`);
  }

  /** Passes over text of the given length; it must be UTF-8. ASCII is seen four bytes at a time and makes no string. */
  checkText(length: number): void {
    const start = this.pos;
    const end = start + length;
    let pos = start;
    while (pos + 4 <= end && (this.#view.getInt32(pos) & 0x80808080) === 0) pos += 4;
    while (pos < end && (this.bytes[pos] as number) < 0x80) pos++;
    if (pos < end) this.#text(start, length);
    this.pos = end;
  }

  skipBytes(): void {
    // Not `pos += length()`: that reads pos before the call moves it.
    const length = this.length();
    this.pos += length;
  }

  /** The length of packed 8-byte values. */
  packedLength(): number {
    const length = this.length();
    if (length % 8 !== 0) throw new WireError(this.pos, `${length} bytes are not a row of 8-byte values`);
    return length;
  }

  #short(start: number, length: number): string {
    const { bytes } = this;
    let hash = length;
    for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const slot = hash & (INTERN_SLOTS - 1);
    const known = interned[slot];
    if (known !== undefined && known.length === length && sameText(known, bytes, start)) return known;
    for (let i = start; i < start + length; i++) {
      if ((bytes[i] as number) >= 0x80) return this.#text(start, length);
    }
    const text = String.fromCharCode.apply(null, bytes.subarray(start, start + length) as unknown as number[]);
    interned[slot] = text;
    return text;
  }

  #text(start: number, length: number): string {
    try {
      return utf8.decode(this.bytes.subarray(start, start + length));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new WireError(start, "string is not valid UTF-8");
    }
  }

  #take(size: number): number {
    const start = this.pos;
    if (size > this.limit - start) this.#cut(start);
    this.pos = start + size;
    return start;
  }

  #cut(at: number): never {
    throw new WireError(at, "the message ends inside a field");
  }
}

function sameText(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}

/** hi·2^32 + lo as a number where that is exact, else as a bigint. */
function safeInteger(lo: number, hi: number): number | bigint {
  const value = hi * 0x100000000 + lo;
  return Number.isSafeInteger(value) ? value : (BigInt(hi) << 32n) | BigInt(lo);
}

/** Runs a read over the whole request; a mistake becomes an OtlpDecodeError that names the field it is in. */
export function decodeAt<T>(
  schema: MessageSchema,
  bytes: Uint8Array,
  read: (reader: Reader) => T,
  maxObjects?: number,
): T {
  try {
    return read(new Reader(bytes, maxObjects));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const place = locate(schema, bytes, error.offset);
    throw new OtlpDecodeError(`${place}: ${error.message} (at byte ${error.offset} of ${bytes.length})`);
  }
}

/** The path of fields to the byte at `offset`, like `resource_logs[0].scope_logs[1].log_records[7].body`. */
function locate(root: MessageSchema, bytes: Uint8Array, offset: number): string {
  const reader = new Reader(bytes);
  let schema = root;
  let path = "";
  let counts: number[] = [];
  try {
    while (reader.pos < offset || (reader.pos === offset && path === "")) {
      if (!reader.more) break;
      const tag = reader.tag();
      if (reader.pos > offset) break;
      const number = tag >>> 3;
      const field = schema.fields[number];
      const index = (counts[number] ?? -1) + 1;
      counts[number] = index;
      const step = field ? field.name + (field.repeated ? `[${index}]` : "") : `field ${number}`;
      if ((tag & 7) !== 2) {
        const start = reader.pos;
        skipScalar(reader, tag & 7);
        if (start <= offset && offset < reader.pos) return join(path, step);
        continue;
      }
      const before = reader.pos;
      const length = reader.varint();
      const inside = offset < reader.pos + length || length > reader.limit - reader.pos;
      if (!inside) {
        reader.pos += length;
        continue;
      }
      path = join(path, step);
      if (!field?.message || offset < reader.pos || before === offset) return path;
      reader.limit = reader.pos + length;
      schema = field.message;
      counts = [];
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  return path === "" ? root.name : path;
}

const join = (path: string, step: string) => (path === "" ? step : `${path}.${step}`);

function skipScalar(reader: Reader, type: number): void {
  if (type === 0) reader.varint();
  else if (type === 1) reader.fixed64();
  else if (type === 5) reader.fixed32();
  else throw new WireError(reader.pos, "");
}
