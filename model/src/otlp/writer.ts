const utf8 = new TextEncoder();
const INITIAL_BYTES = 4096;

/** Writes protobuf into a buffer that grows. Tags are `field number << 3 | wire type`. */
export class Writer {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #pos = 0;

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#pos);
  }

  /** Starts a length-prefixed message; give the result to `end`. */
  begin(tag: number): number {
    this.varint(tag);
    this.#reserve(1);
    return this.#pos++;
  }

  /** Fills in the length; a message of 128 bytes or more moves up to make room for a longer prefix. */
  end(mark: number): void {
    const length = this.#pos - mark - 1;
    if (length < 0x80) {
      this.#bytes[mark] = length;
      return;
    }
    const extra = length < 0x4000 ? 1 : length < 0x200000 ? 2 : length < 0x10000000 ? 3 : 4;
    this.#reserve(extra);
    this.#bytes.copyWithin(mark + 1 + extra, mark + 1, this.#pos);
    const end = this.#pos + extra;
    this.#pos = mark;
    this.varint(length);
    this.#pos = end;
  }

  /** An unsigned integer up to 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#pos++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#pos++] = rest;
  }

  /** An int64; negative numbers take ten bytes. Wraps beyond 64 bits. */
  int64(value: number | bigint): void {
    if (typeof value === "number" && value >= 0) {
      this.varint(value);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 0x80n) {
      this.#bytes[this.#pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#pos++] = Number(rest);
  }

  sint32(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#pos, value, true);
    this.#pos += 4;
  }

  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#pos, value, true);
    this.#pos += 8;
  }

  /** A count; rounded to an integer, as fixed64. */
  count(value: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#pos, value % 0x100000000, true);
    this.#view.setUint32(this.#pos + 4, Math.floor(value / 0x100000000), true);
    this.#pos += 8;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#pos, value, true);
    this.#pos += 8;
  }

  /** Tag, length and UTF-8. Lone surrogates become U+FFFD. */
  string(tag: number, text: string): void {
    this.varint(tag);
    // A UTF-16 unit takes at most three bytes.
    this.#reserve(10 + text.length * 3);
    if (text.length < 64) {
      const start = this.#pos + 1;
      let pos = start;
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        if (unit >= 0x80) break;
        this.#bytes[pos++] = unit;
      }
      if (pos - start === text.length) {
        this.#bytes[this.#pos] = text.length;
        this.#pos = pos;
        return;
      }
    }
    const mark = this.#pos++;
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(this.#pos));
    this.#pos += written;
    this.end(mark);
  }

  bytes(tag: number, value: Uint8Array): void {
    this.varint(tag);
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#pos);
    this.#pos += value.length;
  }

  /** Bytes that are protobuf already, as they are. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#pos);
    this.#pos += value.length;
  }

  /** Tag, length and bytes of an id in hex; nothing for an empty id. */
  id(tag: number, hex: string): void {
    if (hex === "") return;
    this.varint(tag);
    const size = hex.length >>> 1;
    this.varint(size);
    this.#reserve(size);
    for (let i = 0; i < size; i++) this.#bytes[this.#pos++] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  }

  #reserve(size: number): void {
    const needed = this.#pos + size;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#pos));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
