import type { Exemplar, Labels } from "@tocsin/model";

/** A classic Prometheus histogram being counted. */
export class HistogramCounter {
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#buckets = bounds.map(() => 0);
  }

  add(value: number): void {
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    this.#sum += value;
    this.count++;
  }

  /** `_bucket` (cumulative), `_sum` and `_count`; the exemplar stands with the bucket it fell into. */
  series(name: string, labels: Labels, exemplar?: Exemplar): { labels: Labels; value: number; exemplar?: Exemplar }[] {
    let cumulative = 0;
    let open = exemplar;
    const buckets = [...this.#bounds, Infinity].map((bound, i) => {
      cumulative = bound === Infinity ? this.count : cumulative + (this.#buckets[i] as number);
      const le = bound === Infinity ? "+Inf" : String(bound);
      const own = open && open.value <= bound ? open : undefined;
      if (own) open = undefined;
      return {
        labels: { ...labels, __name__: `${name}_bucket`, le },
        value: cumulative,
        ...(own && { exemplar: own }),
      };
    });
    return [
      ...buckets,
      { labels: { ...labels, __name__: `${name}_sum` }, value: this.#sum },
      { labels: { ...labels, __name__: `${name}_count` }, value: this.count },
    ];
  }
}
