import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Lets other work in between: long loops call `breathe` often, and every few milliseconds it gives the event loop a
 * turn. `until`, where given, makes it wait longer, as long as something more urgent runs.
 */
export class Pacer {
  readonly #sliceMs: number;
  readonly #until: (() => Promise<void> | undefined) | undefined;
  #resumedAt = performance.now();

  constructor(sliceMs: number, until?: () => Promise<void> | undefined) {
    this.#sliceMs = sliceMs;
    this.#until = until;
  }

  /** Undefined when the time slice is not used up; awaiting that costs little, checking it first costs nothing. */
  breathe(): Promise<void> | undefined {
    if (performance.now() - this.#resumedAt < this.#sliceMs) return undefined;
    return this.#pause();
  }

  async #pause(): Promise<void> {
    await nextTurn();
    for (let more = this.#until?.(); more; more = this.#until?.()) await more;
    this.#resumedAt = performance.now();
  }
}
