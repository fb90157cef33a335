import { setImmediate as nextTurn } from "node:timers/promises";
import type { UnixMs } from "@tocsin/model";
import type { Clock } from "@tocsin/platform";

interface Timer {
  readonly at: UnixMs;
  readonly fn: () => void;
  cancelled: boolean;
}

/** Time that passes only when told to; what falls due runs in order of time, then of scheduling. */
export class SimulatedClock implements Clock {
  #now: UnixMs;
  /** The next one last. */
  readonly #timers: Timer[] = [];

  constructor(startMs: UnixMs) {
    this.#now = startMs;
  }

  now(): UnixMs {
    return this.#now;
  }

  schedule(delayMs: number, fn: () => void): Disposable {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), fn, cancelled: false };
    this.#timers.splice(this.#placeOf(timer.at), 0, timer);
    return {
      [Symbol.dispose]: () => {
        timer.cancelled = true;
      },
    };
  }

  /** Moves on to `atMs`. After each timer, what it began runs to its end; that must wait for nothing but promises. */
  async advanceTo(atMs: UnixMs): Promise<void> {
    for (let timer = this.#timers.at(-1); timer !== undefined && timer.at <= atMs; timer = this.#timers.at(-1)) {
      this.#timers.pop();
      if (timer.cancelled) continue;
      this.#now = Math.max(this.#now, timer.at);
      timer.fn();
      await nextTurn();
    }
    this.#now = Math.max(this.#now, atMs);
  }

  /** The first place whose timer is not later: of timers with one time, the one scheduled first stays last. */
  #placeOf(at: UnixMs): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle] as Timer).at > at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
