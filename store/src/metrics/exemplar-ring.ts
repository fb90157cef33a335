import { type Exemplar, labelsEqual, type UnixMs } from "@tocsin/model";

export interface StoredExemplar {
  seriesId: number;
  exemplar: Exemplar;
}

/** The newest exemplars of all series together, up to a number. */
export class ExemplarRing {
  readonly #capacity: number;
  #items: StoredExemplar[] = [];
  /** Where the oldest one is, once the ring is full. */
  #oldest = 0;
  readonly #last = new Map<number, Exemplar>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Whether it was news: not older than the series' last one, nor the same. */
  add(item: StoredExemplar): boolean {
    const last = this.#last.get(item.seriesId);
    if (last && (item.exemplar.timestampMs < last.timestampMs || same(last, item.exemplar))) return false;
    this.#last.set(item.seriesId, item.exemplar);
    if (this.#items.length < this.#capacity) this.#items.push(item);
    else {
      const replaced = this.#items[this.#oldest] as StoredExemplar;
      if (this.#last.get(replaced.seriesId) === replaced.exemplar) this.#last.delete(replaced.seriesId);
      this.#items[this.#oldest] = item;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    return true;
  }

  /** Oldest first. */
  all(): StoredExemplar[] {
    return [...this.#items.slice(this.#oldest), ...this.#items.slice(0, this.#oldest)];
  }

  /** Those of the series with `from <= t <= to`, by series, each in order of time. */
  ofSeries(ids: ReadonlySet<number>, fromMs: UnixMs, toMs: UnixMs): Map<number, Exemplar[]> {
    const found = new Map<number, Exemplar[]>();
    for (const { seriesId, exemplar } of this.all()) {
      if (!ids.has(seriesId) || exemplar.timestampMs < fromMs || exemplar.timestampMs > toMs) continue;
      const list = found.get(seriesId);
      if (list) list.push(exemplar);
      else found.set(seriesId, [exemplar]);
    }
    return found;
  }

  retain(keep: (seriesId: number) => boolean): void {
    this.#items = this.all().filter(({ seriesId }) => keep(seriesId));
    this.#oldest = 0;
    for (const id of this.#last.keys()) if (!keep(id)) this.#last.delete(id);
  }
}

function same(a: Exemplar, b: Exemplar): boolean {
  return a.timestampMs === b.timestampMs && Object.is(a.value, b.value) && labelsEqual(a.labels, b.labels);
}
