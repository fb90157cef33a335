/** Samples in one page. */
export const PAGE = 32;
const PAGES_PER_SLAB = 4096;

interface Slab {
  timestamps: Float64Array;
  values: Float64Array;
}

/**
 * Memory for the samples of many series: pages of 32 samples in slabs of 4,096 pages, so that 100,000 series don't
 * make 200,000 typed arrays.
 */
export class ColumnPool {
  readonly #slabs: Slab[] = [];
  readonly #free: number[] = [];
  #next = 0;

  /** A page number. The page's content is whatever was there before. */
  take(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#next === this.#slabs.length * PAGES_PER_SLAB) {
      const size = PAGES_PER_SLAB * PAGE;
      this.#slabs.push({ timestamps: new Float64Array(size), values: new Float64Array(size) });
    }
    return this.#next++;
  }

  give(page: number): void {
    this.#free.push(page);
  }

  /** The slab a page lies in; its samples start at `offset(page)`. */
  slab(page: number): Slab {
    return this.#slabs[Math.floor(page / PAGES_PER_SLAB)] as Slab;
  }

  offset(page: number): number {
    return (page % PAGES_PER_SLAB) * PAGE;
  }

  get bytes(): number {
    return this.#slabs.length * PAGES_PER_SLAB * PAGE * 16;
  }
}
