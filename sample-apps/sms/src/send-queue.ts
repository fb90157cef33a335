/** Runs jobs with bounded concurrency; what does not fit into the queue is refused. */
export class SendQueue {
  readonly #concurrency: number;
  readonly #capacity: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: { concurrency: number; capacity: number }) {
    this.#concurrency = options.concurrency;
    this.#capacity = options.capacity;
  }

  /** Messages that wait for a free sender. */
  get depth(): number {
    return this.#waiting.length;
  }

  /** Runs the job when its turn comes, or refuses it at once. */
  async run<T>(job: () => Promise<T>): Promise<{ accepted: true; value: T } | { accepted: false }> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else if (this.#waiting.length < this.#capacity) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else return { accepted: false };
    try {
      return { accepted: true, value: await job() };
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
