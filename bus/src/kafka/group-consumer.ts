import { backoffMs, every, sleep, type BackoffOptions, type Clock, type Logger } from "@tocsin/platform";
import type { BusHandler, BusMessage, DeadLetter, Topic } from "../bus.ts";
import type { AdminDriver, ConsumerDriver, KafkaDriver, KafkaRecord } from "./driver.ts";
import { handleBatch } from "./handle-batch.ts";
import { decodeRecord } from "./message.ts";
import type { KafkaBusMetrics } from "./metrics.ts";

export interface GroupConsumerOptions {
  topic: Topic;
  group: string;
  handler: BusHandler;
  kafkaTopic: string;
  groupId: string;
  driver: () => Promise<KafkaDriver>;
  /** Connects for questions; the caller closes it. The topic exists when it resolves. */
  admin: () => Promise<AdminDriver>;
  /** Resolves when the letter is durable. */
  setAside: (letter: DeadLetter, records: number, origin: string) => Promise<void>;
  concurrency: number;
  lagIntervalMs: number;
  clock: Clock;
  logger: Logger;
  metrics: KafkaBusMetrics;
  random: () => number;
}

const RETRY: BackoffOptions = { initialMs: 100, maxMs: 5000, factor: 2, jitter: 0.5 };
const HANDLER_RETRY: BackoffOptions = { initialMs: 50, maxMs: 5000, factor: 2, jitter: 0.5 };
const COMMIT_INTERVAL_MS = 1000;
const COMMIT_RECORDS = 500;

/**
 * One group's member on one topic. Offsets are committed after the handler has written; a handler that throws gets the
 * message again until it takes it. When the connection is lost for good, a new member joins. Measures the group's lag.
 */
export class GroupConsumer {
  readonly topic: Topic;
  readonly group: string;
  readonly #options: GroupConsumerOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #lagTimer: Disposable | undefined;
  #admin: AdminDriver | undefined;
  #failing = false;
  /** Up to which offset lost records have been counted, by partition. */
  readonly #expired = new Map<number, bigint>();

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
    this.topic = options.topic;
    this.group = options.group;
  }

  start(): void {
    if (this.#running) return;
    const { clock, lagIntervalMs, logger, topic, group } = this.#options;
    this.#running = this.#run();
    this.#lagTimer = every(
      clock,
      lagIntervalMs,
      async () => void (await this.measureLag()),
      (err) => logger.debug({ err, topic, group }, "lag cannot be measured"),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the bus is stopping"));
    this.#lagTimer?.[Symbol.dispose]();
    await this.#running;
    await this.#closeAdmin();
  }

  /** Kafka records that are not committed yet. Rejects when Kafka does not answer. */
  async measureLag(): Promise<number> {
    const { kafkaTopic, groupId, metrics, topic, group } = this.#options;
    try {
      this.#admin ??= await this.#options.admin();
      const committed = await this.#admin.committed(groupId, kafkaTopic);
      const offsets = await this.#admin.offsets(kafkaTopic);
      let lag = 0n;
      for (const [partition, { low, high }] of offsets) {
        const position = committed.get(partition) ?? low;
        if (position < low) this.#noteExpired(partition, position, low);
        lag += high - (position < low ? low : position);
      }
      metrics.lag.set({ topic, group }, Number(lag));
      return Number(lag);
    } catch (error) {
      await this.#closeAdmin();
      throw error;
    }
  }

  /** The drivers go on at the oldest record that is left; that something was lost must be said. */
  #noteExpired(partition: number, position: bigint, low: bigint): void {
    const { metrics, topic, group, logger } = this.#options;
    const counted = this.#expired.get(partition) ?? position;
    const records = Number(low - (counted > position ? counted : position));
    this.#expired.set(partition, low);
    if (records <= 0) return;
    metrics.expired.inc({ topic, group }, records);
    logger.error({ topic, group, partition, records }, "retention has removed messages that were not read");
  }

  async #closeAdmin(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.close().catch((err: unknown) => this.#options.logger.debug({ err }, "admin did not close"));
  }

  async #run(): Promise<void> {
    const { clock, random, metrics, topic, group, logger } = this.#options;
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    let failures = 0;
    while (!signal.aborted) {
      let member: ConsumerDriver | undefined;
      try {
        member = await this.#join();
        if (failures > 0) logger.info({ topic, group }, "consumer reads again");
        failures = 0;
        await Promise.race([member.ended, stopped]);
      } catch (err) {
        if (failures++ === 0) logger.warn({ err, topic, group }, "consumer has lost kafka and connects again");
        metrics.consumerRestarts.inc({ topic, group });
      }
      await member?.close().catch((err: unknown) => logger.debug({ err, topic, group }, "consumer did not close"));
      if (!signal.aborted) await sleep(clock, backoffMs(RETRY, failures, random), signal).catch(() => {});
    }
  }

  async #join(): Promise<ConsumerDriver> {
    const { clock, concurrency, kafkaTopic, groupId, metrics, topic, group } = this.#options;
    // Asked for first because it creates the topic.
    const admin = await this.#options.admin();
    await admin.close();
    const driver = await this.#options.driver();
    return driver.createConsumer({
      topic: kafkaTopic,
      groupId,
      from: "earliest",
      onBatch: (batch) =>
        handleBatch(batch, {
          concurrency,
          commitIntervalMs: COMMIT_INTERVAL_MS,
          commitRecords: COMMIT_RECORDS,
          clock,
          handle: (record, signal, held) => this.#handle(record, batch.partition, signal, held),
        }),
      onRebalance: () => metrics.rebalances.inc({ topic, group }),
    });
  }

  async #handle(
    record: KafkaRecord,
    partition: number,
    signal: AbortSignal,
    held: (isHeld: boolean) => void,
  ): Promise<void> {
    const { topic, metrics, group, clock, random } = this.#options;
    const message = decodeRecord(topic, record);
    const origin = `${partition}-${record.offset}`;
    for (let attempt = 1; ; attempt++) {
      try {
        const records = await this.#handOver(message, record, origin);
        if (attempt > 1) held(false);
        metrics.consumed.inc({ topic, group }, records);
        this.#recovered();
        return;
      } catch (error) {
        if (attempt === 1) held(true);
        this.#failed(error);
        await sleep(clock, backoffMs(HANDLER_RETRY, attempt, random), signal);
      }
    }
  }

  /** Returns how many records have been handled. */
  async #handOver(message: BusMessage | string, record: KafkaRecord, origin: string): Promise<number> {
    const { handler, setAside, clock, topic, group, logger } = this.#options;
    const result =
      typeof message === "string" ? ({ status: "poison", reason: message } as const) : await handler(message);
    const records = typeof message === "string" ? 1 : message.records;
    if (result.status === "ok") return records;
    const { key, value } = record;
    logger.warn({ topic, group, key, origin, reason: result.reason, records }, "message set aside");
    await setAside({ at: clock.now(), topic, group, key, reason: result.reason, value }, records, origin);
    return records;
  }

  /** Logs the change only; each failure is counted. */
  #failed(err: unknown): void {
    const { metrics, topic, group, logger } = this.#options;
    metrics.handlerErrors.inc({ topic, group });
    if (!this.#failing) logger.error({ err, topic, group }, "consumer fails, messages are held back");
    this.#failing = true;
  }

  #recovered(): void {
    const { topic, group, logger } = this.#options;
    if (this.#failing) logger.info({ topic, group }, "consumer works again");
    this.#failing = false;
  }
}
