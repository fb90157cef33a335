import type { BatchConfig } from "../config.ts";
import type { Clock } from "../clock.ts";
import type { ExportResult, Send } from "./result.ts";

export type DropReason = "queue_full" | "rejected" | "retries_exhausted" | "encoding" | "shutdown";

/** Told what happens, for metrics and for the one line at start. */
export interface ExportObserver {
  exported(records: number, tookMs: number): void;
  failed(error: string, willRetry: boolean): void;
  dropped(records: number, reason: DropReason): void;
}

export interface BatchExporterOptions<T, Body = Uint8Array> extends BatchConfig {
  /** Throws when a record cannot be written; then the batch is dropped and counted. */
  encode: (records: T[]) => Body;
  send: Send<Body>;
  observer: ExportObserver;
  clock: Clock;
  /** 0…1, spreads the retries of many processes. */
  random: () => number;
}

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;
/** A batch is given up after this long, so that what is delivered after an outage is recent. */
const GIVE_UP_MS = 60_000;

/**
 * A bounded queue in front of a collector that may be slow or away. When it is full the oldest records go: after an
 * outage the last minute is worth more than the first. One request is under way at a time.
 */
export class BatchExporter<T, Body = Uint8Array> {
  readonly #options: BatchExporterOptions<T, Body>;
  #queue: T[] = [];
  #timer: Disposable | undefined;
  #sending: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #failures = 0;
  #flushing = false;
  #stopped = false;

  constructor(options: BatchExporterOptions<T, Body>) {
    this.#options = options;
  }

  get queued(): number {
    return this.#queue.length;
  }

  push(record: T): void {
    const { maxQueueSize, maxBatchSize, delayMs, observer, clock } = this.#options;
    if (this.#stopped) return observer.dropped(1, "shutdown");
    this.#queue.push(record);
    if (this.#queue.length > maxQueueSize) {
      // A batch at a time, because moving the whole queue for each record would cost the app time.
      const { length } = this.#queue.splice(0, maxBatchSize);
      observer.dropped(length, "queue_full");
    }
    if (this.#sending !== undefined) return;
    if (this.#queue.length >= maxBatchSize) this.#start();
    else this.#timer ??= clock.schedule(delayMs, () => this.#start());
  }

  /**
   * Sends what is queued; resolves when it is sent, given up, or `withinMs` have passed. A batch that waits for a retry
   * gets one more try at once.
   */
  async flush(withinMs: number): Promise<void> {
    const expiry = Promise.withResolvers<"expired">();
    using _timer = this.#options.clock.schedule(withinMs, () => expiry.resolve("expired"));
    this.#flushing = true;
    while (this.#queue.length > 0 || this.#sending !== undefined) {
      this.#wake?.();
      this.#start();
      if ((await Promise.race([this.#sending, expiry.promise])) === "expired") break;
    }
    this.#flushing = false;
  }

  /** Flushes and takes no more. What is left then is counted as dropped. */
  async stop(withinMs: number): Promise<void> {
    await this.flush(withinMs);
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
    this.#wake?.();
    if (this.#queue.length > 0) this.#options.observer.dropped(this.#queue.length, "shutdown");
    this.#queue = [];
  }

  #start(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
      if (this.#queue.length > 0 && !this.#stopped) {
        this.#timer ??= this.#options.clock.schedule(this.#options.delayMs, () => this.#start());
      }
    });
  }

  /** Sends what is there, then goes on while there are full batches; a partial one waits for its delay. */
  async #drain(): Promise<void> {
    const { maxBatchSize } = this.#options;
    do {
      await this.#deliver(this.#queue.splice(0, maxBatchSize));
    } while (!this.#stopped && this.#queue.length >= (this.#flushing ? 1 : maxBatchSize));
  }

  async #deliver(batch: T[]): Promise<void> {
    if (batch.length === 0) return;
    const { encode, send, observer, clock } = this.#options;
    let body: Body;
    try {
      body = encode(batch);
    } catch (error) {
      observer.failed(`cannot encode: ${error instanceof Error ? error.message : String(error)}`, false);
      return observer.dropped(batch.length, "encoding");
    }
    const giveUpMs = clock.now() + GIVE_UP_MS;
    do {
      const sentMs = clock.now();
      const result = await send(body);
      if (result.status === "ok") {
        this.#failures = 0;
        return this.#accepted(batch.length, result, clock.now() - sentMs);
      }
      observer.failed(result.error, result.status === "retry");
      if (result.status === "too_large" && batch.length > 1) return this.#deliverHalves(batch);
      if (result.status !== "retry") return observer.dropped(batch.length, "rejected");
      if (this.#stopped || this.#flushing) break;
      // Even when the batch is given up after it, the wait holds back the next one: the collector asked for quiet.
      await this.#pause(result.afterMs ?? this.#backOffMs());
      this.#failures += 1;
    } while (clock.now() <= giveUpMs);
    observer.dropped(batch.length, "retries_exhausted");
  }

  async #deliverHalves(batch: T[]): Promise<void> {
    const middle = Math.ceil(batch.length / 2);
    await this.#deliver(batch.slice(0, middle));
    await this.#deliver(batch.slice(middle));
  }

  #accepted(records: number, { rejected, reason }: ExportResult & { status: "ok" }, tookMs: number): void {
    const { observer } = this.#options;
    if (rejected > 0) {
      observer.failed(`${rejected} of ${records} records rejected: ${reason}`, false);
      observer.dropped(rejected, "rejected");
    }
    observer.exported(records - rejected, tookMs);
  }

  #backOffMs(): number {
    const base = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    return base * (0.8 + 0.4 * this.#options.random());
  }

  /** Waits on the clock, or until a flush or stop wants to go on. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.schedule(ms, resolve);
      this.#wake = () => {
        timer[Symbol.dispose]();
        resolve();
      };
    });
  }
}
