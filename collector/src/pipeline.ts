import { errorMessage, startAll, stopAll, type Component, type Logger } from "@tocsin/platform";
import type { Accounts } from "./accounts.ts";
import type { Consumer, Dropped, Exporter, Intake, Outcome, Processor } from "./component.ts";
import type { Payload } from "./payload.ts";
import { excerptOf, type Reject, type RejectList } from "./rejects.ts";

export interface PipelineOptions {
  accounts: Accounts;
  rejects: RejectList;
  logger: Logger;
  now: () => number;
  /** Makes the processor at its place in the chain, given what comes after it. */
  processors: readonly ((next: Consumer) => Processor)[];
  /** Decides the outcome: the bus. */
  main: Exporter;
  /** Get a copy of what the main exporter has taken; they have no say in the outcome. */
  tees: readonly Exporter[];
}

/** Processors in order, then the exporters; the one place where records are booked. */
export class Pipeline implements Intake, Component {
  readonly name = "pipeline";
  readonly #options: PipelineOptions;
  readonly #first: Consumer;
  readonly #parts: Component[];

  constructor(options: PipelineOptions) {
    this.#options = options;
    const fanOut: Consumer = { consume: (payload) => this.#export(payload) };
    const processors: Processor[] = [];
    this.#first = options.processors.reduceRight<Consumer>((next, create) => {
      const processor = create(next);
      processors.unshift(processor);
      return processor;
    }, fanOut);
    this.#parts = [options.main, ...options.tees, ...processors.toReversed()];
  }

  /** Exporters first, so that nothing arrives where nobody listens. */
  start(): Promise<void> {
    return startAll(this.#parts);
  }

  /** Processors first, each handing on what it holds. */
  stop(): Promise<void> {
    return stopAll(this.#parts);
  }

  async accept(payload: Payload, source: string, dropped?: Dropped): Promise<Outcome> {
    const { accounts } = this.#options;
    const { signal, records } = payload;
    accounts.received(signal, source, records + (dropped?.records ?? 0));
    if (dropped) accounts.dropped(signal, dropped);
    if (records === 0) return dropped ? { status: "ok", dropped } : { status: "ok" };
    accounts.queued(signal, records);
    const outcome = await this.#consume(payload);
    accounts.settled(signal, records, outcome);
    if (outcome.status === "permanent") this.#note(payload, source, outcome.error);
    return outcome.status === "ok" && dropped ? { status: "ok", dropped: join(dropped, outcome.dropped) } : outcome;
  }

  reject(reject: Reject): void {
    const { accounts, rejects } = this.#options;
    accounts.received(reject.signal, reject.source, 1);
    accounts.rejected(reject.signal, "malformed", 1);
    rejects.add(reject);
  }

  /** The pipeline's edge: a part that throws has a bug, and the sender may try again. */
  async #consume(payload: Payload): Promise<Outcome> {
    try {
      return await this.#first.consume(payload);
    } catch (err) {
      this.#options.logger.error({ err, signal: payload.signal, records: payload.records }, "pipeline failed");
      return { status: "retry", afterMs: 1000, error: errorMessage(err) };
    }
  }

  async #export(payload: Payload): Promise<Outcome> {
    const { main, tees } = this.#options;
    const outcome = await main.consume(payload);
    if (outcome.status === "ok") for (const tee of tees) await tee.consume(payload);
    return outcome;
  }

  #note(payload: Payload, source: string, reason: string): void {
    const { bytes, signal } = payload;
    this.#options.rejects.add({
      at: this.#options.now(),
      signal,
      source,
      reason,
      bytes: bytes.length,
      excerpt: excerptOf(bytes),
    });
  }
}

function join(a: Dropped, b: Dropped | undefined): Dropped {
  if (!b) return a;
  return { records: a.records + b.records, reason: a.reason, message: `${a.message}; ${b.message}` };
}
