const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);
/** Durations from 1 µs on are told apart. */
const SMALLEST_MS = 0.001;

/** Counts durations in buckets that grow by 2 %, so that a quantile is right within 1 % and sketches add up. */
export class DurationSketch {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  add(ms: number): void {
    const bucket = ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log(ms / SMALLEST_MS) / LOG_GROWTH);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
  }

  merge(other: DurationSketch): void {
    for (const [bucket, n] of other.#buckets) this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + n);
    this.#count += other.#count;
  }

  /** The duration below which the share `q` lies, in milliseconds; null without any. */
  quantile(q: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil(q * this.#count));
    for (const bucket of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      left -= this.#buckets.get(bucket) as number;
      if (left <= 0) return bucket === 0 ? 0 : SMALLEST_MS * GROWTH ** (bucket - 0.5);
    }
    return null;
  }
}
