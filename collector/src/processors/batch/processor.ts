import { defineProcessor, type Consumer, type Outcome, type PartDeps, type Processor } from "../../component.ts";
import { Payload } from "../../payload.ts";
import { BatchConfig } from "./config.ts";

/** Joins small requests of one service and signal, so that fewer and larger ones go on. */
export const batch = defineProcessor({
  name: "batch",
  config: BatchConfig,
  create: (config, deps, next): Processor => new BatchProcessor(config, deps, next),
});

interface Waiting {
  payloads: [Payload, ...Payload[]];
  records: number;
  bytes: number;
  timer: Disposable;
  outcome: Promise<Outcome>;
  settle: (outcome: Outcome | Promise<Outcome>) => void;
}

/**
 * Every sender waits until its batch has been taken, and gets the batch's outcome: nothing is acknowledged while it is
 * only held here. What is held is bounded by the receivers' limits on bytes in flight.
 */
class BatchProcessor implements Processor {
  readonly name = "processor batch";
  readonly #config: BatchConfig;
  readonly #deps: PartDeps;
  readonly #next: Consumer;
  readonly #waiting = new Map<string, Waiting>();
  readonly #sending = new Set<Promise<Outcome>>();
  #stopped = false;

  constructor(config: BatchConfig, deps: PartDeps, next: Consumer) {
    this.#config = config;
    this.#deps = deps;
    this.#next = next;
  }

  async start(): Promise<void> {}

  /** Sends what waits on, and waits for the outcomes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const [key, waiting] of this.#waiting) this.#flush(key, waiting);
    await Promise.allSettled(this.#sending);
  }

  async consume(payload: Payload): Promise<Outcome> {
    if (this.#stopped || this.#isFull(payload.records, payload.bytes.length)) return this.#next.consume(payload);
    const key = `${payload.signal} ${payload.service}`;
    let waiting = this.#waiting.get(key);
    if (waiting) {
      waiting.payloads.push(payload);
      waiting.records += payload.records;
      waiting.bytes += payload.bytes.length;
    } else {
      waiting = this.#open(key, payload);
    }
    if (this.#isFull(waiting.records, waiting.bytes)) this.#flush(key, waiting);
    return waiting.outcome;
  }

  #isFull(records: number, bytes: number): boolean {
    return records >= this.#config.send_batch_size || bytes >= this.#config.send_batch_bytes;
  }

  #open(key: string, payload: Payload): Waiting {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const waiting: Waiting = {
      payloads: [payload],
      records: payload.records,
      bytes: payload.bytes.length,
      timer: this.#deps.clock.schedule(this.#config.timeout, () => this.#flush(key, waiting)),
      outcome: promise,
      settle: resolve,
    };
    this.#waiting.set(key, waiting);
    return waiting;
  }

  #flush(key: string, waiting: Waiting): void {
    if (this.#waiting.get(key) !== waiting) return;
    this.#waiting.delete(key);
    waiting.timer[Symbol.dispose]();
    waiting.settle(this.#next.consume(Payload.merge(waiting.payloads)));
    this.#sending.add(waiting.outcome);
    const done = () => this.#sending.delete(waiting.outcome);
    waiting.outcome.then(done, done);
  }
}
