import type { Clock } from "@tocsin/platform";

interface Timer {
  at: number;
  order: number;
  fn: () => void;
}

/** A clock that stands still until told to advance; due timers run in order of time, then of scheduling. */
export class ManualClock implements Clock {
  #now: number;
  #order = 0;
  #timers = new Set<Timer>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, fn: () => void): Disposable {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, fn };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward, running what falls due; between timers lets promises settle. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settle();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.fn();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Sets the time without running timers, as an operator or NTP would; may go back. */
  jumpTo(ms: number): void {
    this.#now = ms;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }
}

/** Lets promise chains run to their end, I/O excepted. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
