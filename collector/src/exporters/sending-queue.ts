import {
  backoffMs,
  Counter,
  Gauge,
  sleep,
  type BackoffOptions,
  type Clock,
  type Component,
  type Logger,
  type Registry,
} from "@tocsin/platform";
import type { Payload } from "../payload.ts";

export type PushResult =
  | { status: "ok" }
  | { status: "retry"; afterMs?: number; error: string }
  | { status: "permanent"; error: string };

/** Sends one payload; must end when the signal says so. */
export type Push = (payload: Payload, signal: AbortSignal) => Promise<PushResult>;

export interface SendingQueueOptions {
  /** Of the exporter, for metrics and logs. */
  name: string;
  push: Push;
  maxBytes: number;
  /** Pushes at one time. */
  consumers: number;
  /** Of one push. */
  timeoutMs: number;
  /** How long one payload is tried. */
  maxElapsedMs: number;
  /** How long `stop` goes on sending what waits. */
  drainMs: number;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  random?: () => number;
}

const RETRY: BackoffOptions = { initialMs: 1000, maxMs: 30_000, factor: 1.5, jitter: 0.5 };

/**
 * Queue → retry → timeout around a push. Bounded in bytes; what does not fit, cannot be sent in time, or is refused for
 * good is dropped and counted by reason.
 */
export class SendingQueue implements Component {
  readonly name: string;
  readonly #options: SendingQueueOptions;
  readonly #waiting: Payload[] = [];
  readonly #dropped: Counter;
  readonly #sent: Counter;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #stopping = false;
  #failing = false;

  constructor(options: SendingQueueOptions) {
    this.name = `queue ${options.name}`;
    this.#options = options;
    const registers = [options.registry];
    const { name } = options;
    const size = () => this.#bytes;
    new Gauge({
      name: `tocsin_collector_${name}_queue_bytes`,
      help: "Bytes that wait to be sent.",
      registers,
      collect() {
        this.set(size());
      },
    });
    this.#sent = new Counter({
      name: `tocsin_collector_${name}_sent_records_total`,
      help: "Records sent.",
      labelNames: ["signal"],
      registers,
    });
    this.#dropped = new Counter({
      name: `tocsin_collector_${name}_dropped_records_total`,
      help: "Records that were not sent, by reason.",
      labelNames: ["signal", "reason"],
      registers,
    });
  }

  async start(): Promise<void> {}

  /** Goes on sending for the drain time, then drops what is left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const abandon = new AbortController();
    const drained = this.#drained();
    await Promise.race([drained, sleep(this.#options.clock, this.#options.drainMs, abandon.signal).catch(() => {})]);
    abandon.abort();
    this.#stop.abort(new Error("the exporter has stopped"));
    for (const payload of this.#waiting.splice(0)) this.#drop(payload, "stopped");
    await drained;
  }

  /** Takes the payload if there is room; false, and counted, when there is not. */
  offer(payload: Payload): boolean {
    const bytes = payload.bytes.length;
    if (this.#stopping || this.#bytes + bytes > this.#options.maxBytes) {
      this.#dropped.inc({ signal: payload.signal, reason: this.#stopping ? "stopped" : "queue_full" }, payload.records);
      return false;
    }
    this.#bytes += bytes;
    this.#waiting.push(payload);
    this.#work();
    return true;
  }

  #work(): void {
    while (this.#running.size < this.#options.consumers) {
      const payload = this.#waiting.shift();
      if (!payload) return;
      const run = this.#send(payload).finally(() => {
        this.#running.delete(run);
        this.#work();
      });
      this.#running.add(run);
    }
  }

  async #drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async #send(payload: Payload): Promise<void> {
    const { clock, maxElapsedMs, random = Math.random } = this.#options;
    const deadline = clock.now() + maxElapsedMs;
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(payload);
      if (result.status === "ok") return this.#done(payload);
      this.#failed(result.error);
      if (result.status === "permanent") return this.#drop(payload, "refused");
      const pauseMs = Math.max(result.afterMs ?? 0, backoffMs(RETRY, attempt, random));
      if (this.#stop.signal.aborted) return this.#drop(payload, "stopped");
      if (clock.now() + pauseMs > deadline) return this.#drop(payload, "retries_exhausted");
      await sleep(clock, pauseMs, this.#stop.signal).catch(() => {});
    }
  }

  async #attempt(payload: Payload): Promise<PushResult> {
    const { clock, timeoutMs, push } = this.#options;
    const controller = new AbortController();
    const onStop = () => controller.abort(this.#stop.signal.reason);
    this.#stop.signal.addEventListener("abort", onStop, { once: true });
    const timer = clock.schedule(timeoutMs, () => controller.abort(new Error(`no answer within ${timeoutMs} ms`)));
    try {
      return await push(payload, controller.signal);
    } finally {
      timer[Symbol.dispose]();
      this.#stop.signal.removeEventListener("abort", onStop);
    }
  }

  #done(payload: Payload): void {
    this.#bytes -= payload.bytes.length;
    this.#sent.inc({ signal: payload.signal }, payload.records);
    if (this.#failing) this.#options.logger.info({ exporter: this.#options.name }, "exporter works again");
    this.#failing = false;
  }

  #drop(payload: Payload, reason: string): void {
    this.#bytes -= payload.bytes.length;
    this.#dropped.inc({ signal: payload.signal, reason }, payload.records);
  }

  #failed(error: string): void {
    if (!this.#failing) this.#options.logger.warn({ exporter: this.#options.name, error }, "exporter fails");
    this.#failing = true;
  }
}
