import type { PostableAlert } from "@tocsin/model";
import { backoffMs, type Clock, type Logger, sleep } from "@tocsin/platform";
import type { AlertSink } from "../query-source.ts";
import type { AlertQueueMetrics } from "./rule-metrics.ts";

export interface AlertQueueOptions {
  sink: AlertSink;
  clock: Clock;
  logger: Logger;
  metrics: AlertQueueMetrics;
  random: () => number;
  /** Alerts held; the oldest are dropped beyond. */
  capacity?: number;
  /** Alerts in one call of the sink. */
  batchSize?: number;
  /** Attempts for one batch before it is dropped; firing alerts come again with the next evaluation anyway. */
  attempts?: number;
  /** How long `stop` goes on sending what is queued. */
  drainMs?: number;
}

const BACKOFF = { initialMs: 250, maxMs: 10_000, factor: 2, jitter: 0.2 };

/** Stands between the evaluator and the router so that a slow router never holds up a rule. */
export class AlertQueue {
  readonly #options: AlertQueueOptions & { capacity: number; batchSize: number; attempts: number; drainMs: number };
  readonly #alerts: PostableAlert[] = [];
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;
  #failing = false;
  #stopped = false;

  constructor(options: AlertQueueOptions) {
    this.#options = { capacity: 10_000, batchSize: 256, attempts: 5, drainMs: 3000, ...options };
    options.metrics.capacity.set(this.#options.capacity);
  }

  /** Takes alerts to send; never waits. */
  enqueue(alerts: readonly PostableAlert[]): void {
    if (alerts.length === 0 || this.#stopped) return;
    this.#alerts.push(...alerts);
    const excess = this.#alerts.length - this.#options.capacity;
    if (excess > 0) {
      this.#alerts.splice(0, excess);
      this.#options.metrics.dropped.inc(excess);
    }
    this.#options.metrics.length.set(this.#alerts.length);
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Sends what is queued, for a while, and then nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const deadline = this.#options.clock.schedule(this.#options.drainMs, () => this.#abort.abort());
    await this.#sending;
    deadline[Symbol.dispose]();
    this.#abort.abort();
  }

  async #drain(): Promise<void> {
    while (this.#alerts.length > 0 && !this.#abort.signal.aborted) {
      const batch = this.#alerts.splice(0, this.#options.batchSize);
      this.#options.metrics.length.set(this.#alerts.length);
      await this.#send(batch);
    }
    if (this.#alerts.length > 0) this.#options.metrics.dropped.inc(this.#alerts.splice(0).length);
  }

  async #send(batch: PostableAlert[]): Promise<void> {
    const { sink, clock, logger, metrics, random, attempts } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        await this.#orAborted(sink.send(batch));
        metrics.sent.inc(batch.length);
        if (this.#failing) logger.info("alerts reach the router again");
        this.#failing = false;
        return;
      } catch (error) {
        if (this.#abort.signal.aborted) break;
        metrics.errors.inc();
        if (!this.#failing) logger.warn({ err: error, alerts: batch.length }, "alerts do not reach the router");
        this.#failing = true;
        if (attempt < attempts)
          await sleep(clock, backoffMs(BACKOFF, attempt, random), this.#abort.signal).catch(() => undefined);
      }
    }
    metrics.dropped.inc(batch.length);
  }

  /** A sink that hangs must not hold up `stop`. */
  #orAborted(sent: Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(new Error("stopped"));
      signal.addEventListener("abort", onAbort, { once: true });
      sent.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }
}
