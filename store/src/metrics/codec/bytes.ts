/** Bytes that are not what the format says. Caught where a file is read, which then stops there or sets it aside. */
export class CorruptDataError extends Error {
  override readonly name = "CorruptDataError";
}

/** A growing buffer, little-endian. Integers are unsigned up to 2^53 (`varint`) or within ±2^52 (`zigzag`). */
export class ByteWriter {
  #buffer: Buffer;
  length = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.length++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.length = this.#buffer.writeUInt32LE(value, this.length);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.length = this.#buffer.writeDoubleLE(value, this.length);
  }

  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      this.#buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.length++] = rest;
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.length);
    this.length += value.length;
  }

  /** Length in bytes, then UTF-8. */
  string(value: string): void {
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.#buffer.write(value, this.length, "utf8");
    this.length += length;
  }

  /** What was written, valid until the next write. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  /** A copy of what was written. */
  copy(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#buffer, 0, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}

/** Reads what `ByteWriter` wrote. Throws CorruptDataError instead of reading past the end. */
export class ByteReader {
  readonly buffer: Buffer;
  readonly end: number;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = offset;
    this.end = end;
  }

  #take(length: number): number {
    const at = this.offset;
    if (length < 0 || at + length > this.end)
      throw new CorruptDataError(`needs ${length} bytes at ${at}, has ${this.end - at}`);
    this.offset = at + length;
    return at;
  }

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  u8(): number {
    return this.buffer[this.#take(1)] as number;
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.#take(4));
  }

  f64(): number {
    return this.buffer.readDoubleLE(this.#take(8));
  }

  varint(): number {
    const first = this.buffer[this.offset];
    if (first === undefined || first >= 0x80 || this.offset >= this.end) return this.#longVarint();
    this.offset++;
    return first;
  }

  #longVarint(): number {
    let byte = this.u8();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 128; scale <= 2 ** 49; scale *= 128) {
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new CorruptDataError(`integer too long at ${this.offset}`);
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A count of things that take at least `unit` bytes each, so that a corrupt one cannot ask for absurd memory. */
  count(unit = 1): number {
    const value = this.varint();
    if (value * unit > this.end - this.offset)
      throw new CorruptDataError(`count ${value} at ${this.offset} exceeds the data`);
    return value;
  }

  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.buffer.subarray(at, at + length);
  }

  string(): string {
    const length = this.varint();
    const at = this.#take(length);
    return this.buffer.toString("utf8", at, at + length);
  }
}
