/** Appends numbers and bytes to a growing buffer. Numbers are varints (LEB128) of up to 53 bits. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(4096);
  #length = 0;

  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  /** A number of either sign, small ones short. */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.bytes(Buffer.from(text, "utf8"));
  }

  /** Begins anew; what `finish` gave before is overwritten. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written, until the next `clear`. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + more));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Reads what a ByteWriter wrote. Throws a RangeError at the end of the bytes. */
export class ByteReader {
  readonly buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  get offset(): number {
    return this.#at;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.buffer[this.#at++];
      if (byte === undefined) throw new RangeError("the block ends inside a number");
      if (byte < 0x80) return value + byte * factor;
      value += (byte & 0x7f) * factor;
      factor *= 0x80;
    }
  }

  /** As many varints as `into` is long. The loop of every search: it keeps to local variables. */
  varints<T extends Uint32Array | Float64Array | Uint8Array>(into: T): T {
    const { buffer } = this;
    let at = this.#at;
    for (let i = 0; i < into.length; i++) {
      let byte = buffer[at++] as number;
      let value = byte & 0x7f;
      let factor = 0x80;
      while (byte >= 0x80) {
        byte = buffer[at++] as number;
        value += (byte & 0x7f) * factor;
        factor *= 0x80;
      }
      into[i] = value;
    }
    if (at > buffer.length) throw new RangeError("the block ends inside a run of numbers");
    this.#at = at;
    return into;
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  raw(length: number): Buffer {
    if (this.#at + length > this.buffer.length) throw new RangeError("the block ends inside a value");
    const bytes = this.buffer.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  bytes(): Buffer {
    return this.raw(this.varint());
  }

  text(): string {
    return this.bytes().toString("utf8");
  }
}
