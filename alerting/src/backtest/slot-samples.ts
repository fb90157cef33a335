import type { UnixMs } from "@tocsin/model";
import type { MatrixSeries } from "@tocsin/promql";
import type { QuerySample } from "../query-source.ts";

/** The evaluations of a group in a replay: at `startMs`, `startMs + stepMs`, … */
export interface Slots {
  readonly startMs: UnixMs;
  readonly stepMs: number;
  readonly count: number;
}

/** The answers of one rule's query at every slot, from the matrices of range queries over them. */
export class SlotSamples {
  readonly #slots: Slots;
  readonly #found: QuerySample[][] = [];

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  add(matrix: readonly MatrixSeries[]): void {
    for (const { labels, timestamps, values, histograms } of matrix) {
      for (const [i, timestampMs] of timestamps.entries())
        this.#put({ labels, timestampMs, value: values[i] ?? Number.NaN });
      for (const { timestampMs, histogram } of histograms)
        this.#put({ labels, timestampMs, value: Number.NaN, histogram });
    }
  }

  at(slot: number): readonly QuerySample[] {
    return this.#found[slot] ?? [];
  }

  atTime(atMs: UnixMs): readonly QuerySample[] {
    return this.at(Math.round((atMs - this.#slots.startMs) / this.#slots.stepMs));
  }

  #put(sample: QuerySample): void {
    const slot = Math.round((sample.timestampMs - this.#slots.startMs) / this.#slots.stepMs);
    const here = this.#found[slot];
    if (here === undefined) this.#found[slot] = [sample];
    else here.push(sample);
  }
}
