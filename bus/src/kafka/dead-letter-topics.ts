import { randomUUID } from "node:crypto";
import { backoffMs, sleep, type BackoffOptions, type Clock, type Logger } from "@tocsin/platform";
import { TOPICS, type DeadLetter, type Topic } from "../bus.ts";
import type { DeadLetterHead, DeadLetters } from "../dead-letters.ts";
import type { AdminDriver, ConsumerDriver, KafkaDriver } from "./driver.ts";
import { dlqOf, readLetter } from "./letter.ts";

export interface DeadLetterTopicsOptions {
  /** Resolves when the letter is durable in its topic, or in the spool on the way there. */
  publish: (letter: DeadLetter, records: number, origin: string) => Promise<void>;
  /** The topic's name in Kafka. */
  kafkaTopic: (topic: string) => string;
  groupPrefix: string;
  driver: () => Promise<KafkaDriver>;
  admin: () => Promise<AdminDriver>;
  clock: Clock;
  logger: Logger;
  random: () => number;
}

const LIST_LENGTH = 200;
const EXCERPT_BYTES = 2048;
const RETRY: BackoffOptions = { initialMs: 500, maxMs: 10_000, factor: 2, jitter: 0.5 };

/** The dead letters in Kafka as the embedded ones show themselves: the newest of every writer, whichever process it is in. */
export class DeadLetterTopics implements DeadLetters {
  readonly name = "dead-letter-topics";
  readonly #options: DeadLetterTopicsOptions;
  readonly #records = new Map<Topic, number>();
  readonly #stop = new AbortController();
  #heads: DeadLetterHead[] = [];
  #running: Promise<unknown> | undefined;
  #lastValue: Uint8Array | undefined;

  constructor(options: DeadLetterTopicsOptions) {
    this.#options = options;
  }

  /** Reads the newest letters, and those that come, until `stop`; without it the list stays empty. */
  async start(): Promise<void> {
    this.#running ??= Promise.all(TOPICS.map((topic) => this.#follow(dlqOf(topic))));
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the bus is stopping"));
    await this.#running;
  }

  list(): readonly DeadLetterHead[] {
    return this.#heads;
  }

  records(topic: Topic): number {
    return this.#records.get(topic) ?? 0;
  }

  /** Does not list the letter: it comes back from its topic. `origin` is its partition and offset. */
  async add(letter: DeadLetter, records: number, origin = ""): Promise<void> {
    if (this.#lastValue !== letter.value) {
      this.#records.set(letter.topic, this.records(letter.topic) + records);
    }
    this.#lastValue = letter.value;
    await this.#options.publish(letter, records, origin);
  }

  async #follow(topic: string): Promise<void> {
    const { clock, logger, random } = this.#options;
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    for (let failures = 0; !signal.aborted;) {
      let reader: ConsumerDriver | undefined;
      try {
        reader = await this.#read(topic);
        failures = 0;
        await Promise.race([reader.ended, stopped]);
      } catch (err) {
        logger.debug({ err, topic }, "dead letters cannot be read");
        failures++;
      }
      await reader?.close().catch((err: unknown) => logger.debug({ err, topic }, "reader did not close"));
      if (!signal.aborted) await sleep(clock, backoffMs(RETRY, failures, random), signal).catch(() => {});
    }
  }

  async #read(topic: string): Promise<ConsumerDriver> {
    const { kafkaTopic, groupPrefix, driver, admin } = this.#options;
    const name = kafkaTopic(topic);
    const asking = await admin();
    const offsets = await asking.offsets(name);
    await asking.close();
    const from = new Map(
      Array.from(offsets, ([partition, { low, high }]) => {
        const start = high - BigInt(LIST_LENGTH);
        return [partition, start > low ? start : low];
      }),
    );
    const seen = new Set(this.#heads.map(headKey));
    return (await driver()).createConsumer({
      topic: name,
      // Of its own, so that every process sees every letter; nothing is committed, so nothing is left of it.
      groupId: `${groupPrefix}dead-letter-list-${randomUUID()}`,
      from,
      onBatch: async ({ records, commit }) => {
        for (const record of records) {
          const letter = readLetter(record);
          if (letter && !seen.has(headKey(letter))) this.#show(letter);
        }
        const last = records.at(-1);
        if (last) await commit(last.offset + 1n);
      },
      onRebalance: () => {},
    });
  }

  #show({ value, ...letter }: DeadLetter & { records: number; bytes: number }): void {
    const head = { ...letter, excerpt: value.slice(0, EXCERPT_BYTES) };
    this.#heads = [head, ...this.#heads].toSorted((a, b) => b.at - a.at).slice(0, LIST_LENGTH);
  }
}

/** Tells letters apart when the list is read again after a lost connection. */
function headKey({ at, topic, group, key, reason, bytes }: Omit<DeadLetterHead, "excerpt">): string {
  return JSON.stringify([at, topic, group, key, reason, bytes]);
}
