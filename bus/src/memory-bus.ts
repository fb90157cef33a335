import {
  backoffMs,
  Counter,
  errorMessage,
  Gauge,
  sleep,
  type BackoffOptions,
  type Clock,
  type Component,
  type Logger,
  type Registry,
} from "@tocsin/platform";
import type { BusConsumer, BusHandler, BusMessage, BusProducer, SendResult, Topic } from "./bus.ts";
import type { DeadLetterSink } from "./dead-letters.ts";

export interface MemoryBusOptions {
  clock: Clock;
  registry: Registry;
  logger: Logger;
  /** Where poison goes; awaited before the message counts as handled. */
  deadLetters: DeadLetterSink;
  /** Bytes of messages that have not been written yet; beyond it `send` answers `retry`. Default 64 MiB. */
  maxInFlightBytes?: number;
  /** How long `send` tries before it answers `retry`; must be below the 10 s after which OTLP exporters give up. Default 5000. */
  sendTimeoutMs?: number;
  /** For the jitter of the retries. Default Math.random. */
  random?: () => number;
}

export interface MemoryBus extends BusProducer, BusConsumer, Component {
  /** Records handed in whose fate is open, by topic. */
  inFlightRecords(topic: Topic): number;
}

const RETRY: BackoffOptions = { initialMs: 50, maxMs: 1000, factor: 2, jitter: 0.5 };
const RETRY_AFTER_MS = 1000;
/** How long `stop` waits for handlers; what they leave unwritten was never acknowledged. */
const STOP_TIMEOUT_MS = 2000;

interface Subscription {
  group: string;
  handler: BusHandler;
}

/**
 * The bus inside one process. A message is handed, in the order of the sends, to the handler of every group that has
 * subscribed to its topic; `send` says `ok` when all of them have written it or put it among the dead letters. So what the
 * sender has been told is durable, with no log of our own. A handler that throws gets the message again, after a pause,
 * while the others do not; one that fails or hangs beyond `sendTimeoutMs` makes the answer `retry`. A message sent again
 * reaches every group again. The bytes count as in flight until the last handler has let go of them.
 */
export function createMemoryBus(options: MemoryBusOptions): MemoryBus {
  return new InProcessBus(options);
}

class InProcessBus implements MemoryBus {
  readonly name = "memory-bus";
  readonly #options: MemoryBusOptions;
  readonly #maxInFlightBytes: number;
  readonly #sendTimeoutMs: number;
  readonly #random: () => number;
  readonly #logger: Logger;
  readonly #subscriptions = new Map<Topic, Subscription[]>();
  readonly #deliveries = new Set<Promise<unknown>>();
  readonly #inFlightRecords = new Map<Topic, number>();
  readonly #failing = new Set<string>();
  readonly #metrics: ReturnType<typeof createMetrics>;
  #inFlightBytes = 0;
  #stopped = false;

  constructor(options: MemoryBusOptions) {
    this.#options = options;
    this.#maxInFlightBytes = options.maxInFlightBytes ?? 64 * 1024 * 1024;
    this.#sendTimeoutMs = options.sendTimeoutMs ?? 5000;
    this.#random = options.random ?? Math.random;
    this.#logger = options.logger.child({ component: this.name });
    this.#metrics = createMetrics(options.registry, () => this.#inFlightBytes);
  }

  async start(): Promise<void> {}

  /** Takes nothing more, and waits for what is in flight; handlers that hang are given up after two seconds. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#deliveries.size === 0) return;
    const settled = Promise.allSettled(this.#deliveries);
    const abandon = new AbortController();
    await Promise.race([settled, sleep(this.#options.clock, STOP_TIMEOUT_MS, abandon.signal).catch(() => {})]);
    abandon.abort();
    if (this.#deliveries.size > 0)
      this.#logger.warn({ deliveries: this.#deliveries.size }, "stopped with handlers still running");
  }

  subscribe(topic: Topic, group: string, handler: BusHandler): void {
    const subscriptions = this.#subscriptions.get(topic) ?? [];
    if (subscriptions.some((other) => other.group === group)) {
      throw new Error(`group ${group} has subscribed to ${topic} already`);
    }
    this.#subscriptions.set(topic, [...subscriptions, { group, handler }]);
  }

  inFlightRecords(topic: Topic): number {
    return this.#inFlightRecords.get(topic) ?? 0;
  }

  async send(message: BusMessage): Promise<SendResult> {
    const refusal = this.#refusal(message);
    if (refusal) {
      this.#metrics.refused.inc({ topic: message.topic, reason: refusal.reason });
      return refusal.result;
    }
    this.#hold(message);
    const subscriptions = this.#subscriptions.get(message.topic) ?? [];
    const deadline = this.#options.clock.now() + this.#sendTimeoutMs;
    const delivery = Promise.all(subscriptions.map((subscription) => this.#deliver(subscription, message, deadline)));
    const released = delivery.finally(() => this.#release(message));
    this.#track(released);
    const expiry = new AbortController();
    const expired = sleep(this.#options.clock, this.#sendTimeoutMs, expiry.signal).then(
      () => "timeout" as const,
      () => "timeout" as const,
    );
    const outcome = await Promise.race([released, expired]);
    expiry.abort();
    return this.#answer(message, outcome === "timeout" ? ["timeout: a writer does not answer"] : outcome);
  }

  #answer(message: BusMessage, errors: readonly (string | undefined)[]): SendResult {
    const error = errors.find((error) => error !== undefined);
    if (error === undefined) {
      this.#metrics.sent.inc({ topic: message.topic }, message.records);
      return { status: "ok" };
    }
    this.#metrics.refused.inc({ topic: message.topic, reason: "not_written" });
    return { status: "retry", afterMs: RETRY_AFTER_MS, error };
  }

  #refusal(message: BusMessage): { reason: string; result: SendResult } | undefined {
    const bytes = message.value.length;
    const retry = (reason: string, error: string) => ({
      reason,
      result: { status: "retry", afterMs: RETRY_AFTER_MS, error } as const,
    });
    if (this.#stopped) return retry("stopping", "the bus is stopping");
    if (!this.#subscriptions.has(message.topic)) return retry("no_consumer", `nothing consumes ${message.topic} yet`);
    if (bytes > this.#maxInFlightBytes) {
      const error = `a message of ${bytes} bytes is larger than the bus (${this.#maxInFlightBytes} bytes)`;
      return { reason: "too_large", result: { status: "permanent", error } };
    }
    if (this.#inFlightBytes + bytes > this.#maxInFlightBytes) {
      return retry("full", `the bus is full: ${this.#inFlightBytes} bytes are not written yet`);
    }
    return undefined;
  }

  /** Gives the message to one group until it is handled; returns the last error when time runs out. */
  async #deliver(subscription: Subscription, message: BusMessage, deadline: number): Promise<string | undefined> {
    const { clock } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#handOver(subscription, message);
        this.#recovered(subscription, message.topic);
        return undefined;
      } catch (error) {
        this.#failed(subscription, message.topic, error);
        const pauseMs = backoffMs(RETRY, attempt, this.#random);
        if (this.#stopped || clock.now() + pauseMs >= deadline) return `${subscription.group}: ${errorMessage(error)}`;
        await sleep(clock, pauseMs);
      }
    }
  }

  async #handOver({ group, handler }: Subscription, message: BusMessage): Promise<void> {
    const result = await handler(message);
    if (result.status === "ok") return;
    const { topic, key, value, records } = message;
    this.#logger.warn({ topic, group, key, reason: result.reason, records }, "message set aside");
    await this.#options.deadLetters.add(
      { at: this.#options.clock.now(), topic, group, key, reason: result.reason, value },
      records,
    );
  }

  /** Logs the change only; each failure is counted. */
  #failed({ group }: Subscription, topic: Topic, err: unknown): void {
    this.#metrics.handlerErrors.inc({ topic, group });
    const key = `${topic} ${group}`;
    if (this.#failing.has(key)) return;
    this.#failing.add(key);
    this.#logger.error({ err, topic, group }, "consumer fails, messages are held back");
  }

  #recovered({ group }: Subscription, topic: Topic): void {
    if (this.#failing.delete(`${topic} ${group}`)) this.#logger.info({ topic, group }, "consumer works again");
  }

  #hold(message: BusMessage): void {
    this.#inFlightBytes += message.value.length;
    this.#inFlightRecords.set(message.topic, this.inFlightRecords(message.topic) + message.records);
  }

  #release(message: BusMessage): void {
    this.#inFlightBytes -= message.value.length;
    this.#inFlightRecords.set(message.topic, this.inFlightRecords(message.topic) - message.records);
  }

  #track(delivery: Promise<unknown>): void {
    this.#deliveries.add(delivery);
    const done = () => this.#deliveries.delete(delivery);
    void delivery.then(done, done);
  }
}

function createMetrics(registry: Registry, inFlightBytes: () => number) {
  const registers = [registry];
  new Gauge({
    name: "tocsin_bus_in_flight_bytes",
    help: "Bytes of messages handed to the bus and not yet written by every consumer.",
    registers,
    collect() {
      this.set(inFlightBytes());
    },
  });
  return {
    sent: new Counter({
      name: "tocsin_bus_records_total",
      help: "Records that every consumer of the topic has written or set aside.",
      labelNames: ["topic"],
      registers,
    }),
    refused: new Counter({
      name: "tocsin_bus_refused_total",
      help: "Sends that were not taken, by reason; the sender was told to try again, or never to.",
      labelNames: ["topic", "reason"],
      registers,
    }),
    handlerErrors: new Counter({
      name: "tocsin_bus_handler_errors_total",
      help: "Times a consumer failed on a message and was due to get it again.",
      labelNames: ["topic", "group"],
      registers,
    }),
  };
}
