/** Remembers the newest ids: at least `capacity` of them and at most twice that. */
export class RecentIds {
  readonly #capacity: number;
  #current = new Set<string>();
  #previous = new Set<string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(id: string): boolean {
    return this.#current.has(id) || this.#previous.has(id);
  }

  add(id: string): void {
    this.#current.add(id);
    if (this.#current.size < this.#capacity) return;
    this.#previous = this.#current;
    this.#current = new Set();
  }
}
