import { type ByteReader, type ByteWriter, CorruptDataError } from "./bytes.ts";

/** Writes numbers of any width up to 53 bits, lowest bit first, into a ByteWriter. */
export class BitWriter {
  readonly #out: ByteWriter;
  #pending = 0;
  #filled = 0;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  put(value: number, width: number): void {
    let rest = value;
    let left = width;
    while (left > 24) {
      this.#putSmall(rest % 0x1000000, 24);
      rest = Math.floor(rest / 0x1000000);
      left -= 24;
    }
    this.#putSmall(rest, left);
  }

  #putSmall(value: number, width: number): void {
    this.#pending |= value << this.#filled;
    this.#filled += width;
    while (this.#filled >= 8) {
      this.#out.u8(this.#pending & 0xff);
      this.#pending >>>= 8;
      this.#filled -= 8;
    }
  }

  /** Fills the last byte up with zeros. */
  end(): void {
    if (this.#filled > 0) this.#out.u8(this.#pending & 0xff);
    this.#pending = 0;
    this.#filled = 0;
  }
}

/** Reads what `BitWriter` wrote; `end` leaves the ByteReader behind the last byte used. */
export class BitReader {
  readonly #reader: ByteReader;
  readonly #buffer: Buffer;
  #offset: number;
  #pending = 0;
  #filled = 0;

  constructor(reader: ByteReader) {
    this.#reader = reader;
    this.#buffer = reader.buffer;
    this.#offset = reader.offset;
  }

  get(width: number): number {
    if (width <= 24) return this.#getSmall(width);
    let value = 0;
    let scale = 1;
    let left = width;
    while (left > 24) {
      value += this.#getSmall(24) * scale;
      scale *= 0x1000000;
      left -= 24;
    }
    return value + this.#getSmall(left) * scale;
  }

  #getSmall(width: number): number {
    while (this.#filled < width) {
      if (this.#offset >= this.#reader.end) throw new CorruptDataError("bits end early");
      this.#pending |= (this.#buffer[this.#offset++] as number) << this.#filled;
      this.#filled += 8;
    }
    const value = this.#pending & ((1 << width) - 1);
    this.#pending >>>= width;
    this.#filled -= width;
    return value;
  }

  end(): void {
    this.#reader.offset = this.#offset;
  }
}

/** How many bits a non-negative integer below 2^53 needs; 0 needs none. */
export function bitWidth(value: number): number {
  return value < 0x100000000 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 0x100000000));
}
