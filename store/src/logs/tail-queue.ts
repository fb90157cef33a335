import type { LogItem } from "@tocsin/model";
import type { TailEvent } from "../log-store.ts";

const MAX_ITEMS = 1000;

/** Holds what a live view has not fetched yet; beyond the bound the newest are dropped and counted. */
export class TailQueue {
  readonly #onDrop: (count: number) => void;
  #items: LogItem[] = [];
  #dropped = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(onDrop: (count: number) => void) {
    this.#onDrop = onDrop;
  }

  push(items: readonly LogItem[], dropped: number): void {
    const room = MAX_ITEMS - this.#items.length;
    this.#items.push(...items.slice(0, room));
    const missed = dropped + Math.max(0, items.length - room);
    if (missed > 0) this.#onDrop(missed);
    this.#dropped += missed;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *events(): AsyncGenerator<TailEvent> {
    while (!this.#ended) {
      if (this.#items.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
      if (this.#items.length === 0) continue;
      const event = { items: this.#items, dropped: this.#dropped };
      this.#items = [];
      this.#dropped = 0;
      yield event;
    }
  }
}
