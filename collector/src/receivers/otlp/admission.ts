/** Bounds the bytes that requests hold at one time, over all receivers that share it. */
export class Admission {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A request's share; it starts empty. */
  lease(): Lease {
    let held = 0;
    return {
      grow: (bytes) => {
        if (this.#bytes + bytes > this.#maxBytes) return false;
        this.#bytes += bytes;
        held += bytes;
        return true;
      },
      release: () => {
        this.#bytes -= held;
        held = 0;
      },
    };
  }
}

export interface Lease {
  /** Takes so many bytes more; false, and nothing taken, when there is no room. */
  grow(bytes: number): boolean;
  /** Gives everything back; safe twice. */
  release(): void;
}
