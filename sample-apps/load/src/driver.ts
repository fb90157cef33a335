import { localHour, nextGapMs, rateAt, type Rhythm } from "./rhythm.ts";

export interface DriverOptions {
  rhythm: Rhythm;
  /** The most visits at a time; a visit that does not fit is left out and counted. */
  maxConcurrent: number;
  visit: () => Promise<void>;
  random: () => number;
  now: () => Date;
}

export interface DriverCounts {
  started: number;
  failed: number;
  leftOut: number;
}

/** Starts visits at the rhythm's rate until stopped. */
export class Driver {
  readonly counts: DriverCounts = { started: 0, failed: 0, leftOut: 0 };
  readonly #options: DriverOptions;
  #timer: NodeJS.Timeout | undefined;
  #running = 0;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  start(): void {
    const { rhythm, now, random } = this.#options;
    const gap = nextGapMs(rateAt(localHour(now()), rhythm), random());
    this.#timer = setTimeout(() => {
      this.#visit();
      this.start();
    }, gap);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #visit(): void {
    if (this.#running >= this.#options.maxConcurrent) {
      this.counts.leftOut += 1;
      return;
    }
    this.#running += 1;
    this.counts.started += 1;
    this.#options
      .visit()
      .catch(() => {
        this.counts.failed += 1;
      })
      .finally(() => {
        this.#running -= 1;
      });
  }
}
