import { ByteReader, ByteWriter } from "../blocks/bytes.ts";

const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);
/** Durations from 1 µs on are told apart. */
const SMALLEST_MS = 0.001;

/** Counts durations in buckets that grow by 2 %, so that a quantile is right within 1 % and sketches add up. */
export class DurationSketch {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  add(ms: number): void {
    this.#addTo(ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH), 1);
  }

  /** The duration below which the share `q` lies, in milliseconds; null without any. */
  quantile(q: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil(q * this.#count));
    for (const [bucket, count] of this.#sorted()) {
      left -= count;
      if (left <= 0) return bucket === 0 ? 0 : SMALLEST_MS * GROWTH ** (bucket - 0.5);
    }
    return null;
  }

  /** Pairs of (distance to the bucket before, count). */
  encode(): Buffer {
    const writer = new ByteWriter();
    let last = 0;
    for (const [bucket, count] of this.#sorted()) {
      writer.varint(bucket - last);
      writer.varint(count);
      last = bucket;
    }
    return writer.finish();
  }

  addEncoded(bytes: Uint8Array): void {
    const reader = new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    let bucket = 0;
    while (reader.offset < bytes.length) {
      bucket += reader.varint();
      this.#addTo(bucket, reader.varint());
    }
  }

  #addTo(bucket: number, count: number): void {
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    this.#count += count;
  }

  #sorted(): [number, number][] {
    return [...this.#buckets].sort(([a], [b]) => a - b);
  }
}
