import type { MetricMetadata } from "@tocsin/model";
import type { OutgoingSeries } from "../wire/write-v1.ts";
import type { Delivery, Dropped } from "./delivery.ts";

/** What one append has for one shard, or a piece of that. */
export interface Part {
  series: OutgoingSeries[];
  metadata: MetricMetadata[];
  samples: number;
}

interface Waiting {
  part: Part;
  done: PromiseWithResolvers<Dropped>;
}

/** A queue with one request under way at a time; what comes meanwhile goes together into the next one. */
export class Shard {
  readonly #delivery: Delivery;
  readonly #maxSamples: number;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(delivery: Delivery, maxSamples: number) {
    this.#delivery = delivery;
    this.#maxSamples = maxSamples;
  }

  /** Settles when the part is accepted or given up; resolves with what was dropped of the request it went with. */
  add(part: Part): Promise<Dropped> {
    const done = Promise.withResolvers<Dropped>();
    this.#waiting.push({ part, done });
    if (!this.#running) void this.#run();
    return done.promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Appends of the same turn share a request.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      const series = batch.flatMap(({ part }) => part.series);
      const metadata = batch.flatMap(({ part }) => part.metadata);
      try {
        const dropped = await this.#delivery.deliver(series, metadata);
        // Told to the first of them, so that nothing is counted twice.
        for (const [i, { done }] of batch.entries()) done.resolve(i === 0 ? dropped : {});
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#running = false;
  }

  #nextBatch(): Waiting[] {
    let samples = 0;
    let count = 0;
    for (const { part } of this.#waiting) {
      if (count > 0 && samples + part.samples > this.#maxSamples) break;
      samples += part.samples;
      count++;
    }
    return this.#waiting.splice(0, count);
  }
}
