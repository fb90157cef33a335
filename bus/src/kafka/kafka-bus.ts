import { join } from "node:path";
import {
  backoffMs,
  sleep,
  type BackoffOptions,
  type Clock,
  type Component,
  type Logger,
  type Registry,
} from "@tocsin/platform";
import { OtlpDecodeError } from "@tocsin/model";
import {
  TOPICS,
  type BusConsumer,
  type BusHandler,
  type BusMessage,
  type BusProducer,
  type DeadLetter,
  type SendResult,
  type Topic,
} from "../bus.ts";
import type { DeadLetters } from "../dead-letters.ts";
import type { KafkaBusConfig, KafkaLibrary } from "./config.ts";
import { DeadLetterTopics } from "./dead-letter-topics.ts";
import { loadDriver, type AdminDriver, type KafkaDriver, type TopicSpec } from "./driver.ts";
import { GroupConsumer } from "./group-consumer.ts";
import { dlqOf, letterRecord } from "./letter.ts";
import { encodeMessage, type Encoded, type Outgoing } from "./message.ts";
import { createKafkaBusMetrics, type KafkaBusMetrics } from "./metrics.ts";
import { Spool, SpoolBudget } from "./spool.ts";
import { TopicLane, type InFlight } from "./topic-lane.ts";

export interface KafkaBusDeps {
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** The spool lives in its folder `spool`. One process at a time. */
  dataDir: string;
  /** For the jitter of retries. Default Math.random. */
  random?: () => number;
}

/** Lag of one group on one topic, in Kafka records. */
export interface Lag {
  topic: Topic;
  group: string;
  records: number;
}

export interface KafkaBus extends BusProducer, BusConsumer, Component {
  /** Reads the dead-letter topics once it is started, which the bus does not do by itself. */
  readonly deadLetters: DeadLetters;
  /** Asks Kafka; rejects when it does not answer. One entry per subscription of this process. */
  lag(): Promise<Lag[]>;
  /** Bytes of acknowledged messages that wait on the disk for Kafka. */
  spoolBytes(): number;
}

/** Room in a record batch beside the value: key, headers, framing. */
const BATCH_OVERHEAD_BYTES = 64 * 1024;
const RETRY: BackoffOptions = { initialMs: 200, maxMs: 5000, factor: 2, jitter: 0.5 };
const OVERSIZED = "too-large";

/**
 * The bus on Kafka. A process may use one end alone: nothing connects to produce before the first message, nor to consume
 * before the first subscription. `start` does not wait for Kafka: while it is away messages go to the spool.
 */
export function createKafkaBus(config: KafkaBusConfig, deps: KafkaBusDeps): KafkaBus {
  return new KafkaLogBus(config, deps);
}

class KafkaLogBus implements KafkaBus {
  readonly name = "kafka-bus";
  readonly deadLetters: DeadLetterTopics;
  readonly #config: KafkaBusConfig;
  readonly #deps: KafkaBusDeps & { random: () => number };
  readonly #metrics: KafkaBusMetrics;
  readonly #budget: SpoolBudget;
  readonly #inFlight: InFlight;
  readonly #lanes = new Map<string, TopicLane>();
  readonly #spools = new Map<string, Spool>();
  readonly #consumers: GroupConsumer[] = [];
  readonly #drivers = new Map<KafkaLibrary, Promise<KafkaDriver>>();
  readonly #stop = new AbortController();
  #topicsReady: Promise<void> | undefined;
  #started = false;

  constructor(config: KafkaBusConfig, deps: KafkaBusDeps) {
    this.#config = config;
    this.#deps = { random: Math.random, ...deps, logger: deps.logger.child({ component: this.name }) };
    this.#budget = new SpoolBudget(config.spool.max_bytes);
    this.#inFlight = { maxBytes: config.max_in_flight_bytes, bytes: 0 };
    this.#metrics = createKafkaBusMetrics(deps.registry, {
      inFlightBytes: () => this.#inFlight.bytes,
      spoolBytes: () => this.spoolBytes(),
    });
    for (const topic of TOPICS) {
      this.#addLane(topic);
      this.#addLane(dlqOf(topic));
    }
    this.deadLetters = new DeadLetterTopics({
      ...this.#deps,
      publish: (letter, records, origin) => this.#publishLetter(letter, records, origin),
      kafkaTopic: (topic) => this.#kafkaTopic(topic),
      groupPrefix: config.group_prefix,
      driver: () => this.#driver(config.consumer),
      admin: () => this.#admin(config.consumer),
    });
  }

  /** Opens the spool, sends what is in it, and joins the groups. Throws TOCSIN_DATA_DIR_UNWRITABLE. */
  async start(): Promise<void> {
    for (const spool of this.#spools.values()) await spool.open();
    this.#started = true;
    for (const lane of this.#lanes.values()) lane.start();
    for (const consumer of this.#consumers) consumer.start();
  }

  /** Consumers first, since they write dead letters; then what waits is sent or spooled. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the bus is stopping"));
    await this.deadLetters.stop();
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    await Promise.all(Array.from(this.#lanes.values(), (lane) => lane.stop()));
  }

  async send(message: BusMessage): Promise<SendResult> {
    const refused = (error: string): SendResult => ({ status: "permanent", error });
    if (!this.#started) return { status: "retry", afterMs: 1000, error: "the bus has not started" };
    let encoded: Encoded;
    try {
      encoded = encodeMessage(message, this.#config);
    } catch (error) {
      if (error instanceof OtlpDecodeError) return refused(error.message);
      throw error;
    }
    const lane = this.#lane(message.topic);
    const results = await Promise.all(encoded.outgoing.map((outgoing) => lane.send(outgoing)));
    const bad = results.find(({ status }) => status === "retry") ?? results.find(({ status }) => status !== "ok");
    if (bad) return bad;
    for (const value of encoded.tooLarge) await this.#setAsideTooLarge(message, value);
    return { status: "ok" };
  }

  subscribe(topic: Topic, group: string, handler: BusHandler): void {
    if (this.#consumers.some((other) => other.topic === topic && other.group === group)) {
      throw new Error(`group ${group} has subscribed to ${topic} already`);
    }
    const { consumer: library, group_prefix: prefix } = this.#config;
    const consumer = new GroupConsumer({
      ...this.#deps,
      topic,
      group,
      handler,
      kafkaTopic: this.#kafkaTopic(topic),
      groupId: `${prefix}${group}-${this.#kafkaTopic(topic)}`,
      driver: () => this.#driver(library),
      admin: () => this.#admin(library),
      setAside: (letter, records, origin) => this.deadLetters.add(letter, records, origin),
      concurrency: this.#config.writer_concurrency,
      lagIntervalMs: this.#config.lag_interval,
      metrics: this.#metrics,
    });
    this.#consumers.push(consumer);
    if (this.#started) consumer.start();
  }

  lag(): Promise<Lag[]> {
    return Promise.all(
      this.#consumers.map(async (consumer) => {
        const { topic, group } = consumer;
        return { topic, group, records: await consumer.measureLag() };
      }),
    );
  }

  spoolBytes(): number {
    return this.#budget.used;
  }

  #addLane(topic: string): void {
    const { config, logger } = { config: this.#config, logger: this.#deps.logger };
    const spool = new Spool({
      dir: join(this.#deps.dataDir, "spool", topic),
      budget: this.#budget,
      segmentBytes: config.spool.segment_bytes,
      logger,
    });
    this.#spools.set(topic, spool);
    const lane = new TopicLane({
      ...this.#deps,
      topic,
      kafkaTopic: this.#kafkaTopic(topic),
      spool,
      inFlight: this.#inFlight,
      connect: async () => {
        await this.#ensureTopics(config.producer);
        return (await this.#driver(config.producer)).createProducer();
      },
      maxBatchBytes: config.max_message_bytes,
      sendTimeoutMs: config.send_timeout,
      metrics: this.#metrics,
      onUnacceptable: ({ record, records }, reason) => {
        logger.error(
          { topic, key: record.key, bytes: record.value.length, records, reason },
          "kafka refuses a message",
        );
      },
    });
    this.#lanes.set(topic, lane);
  }

  #lane(topic: string): TopicLane {
    const lane = this.#lanes.get(topic);
    if (!lane) throw new Error(`there is no topic ${topic}`);
    return lane;
  }

  /** A record that no message can hold must not keep its neighbours from flowing. */
  async #setAsideTooLarge(message: BusMessage, value: Uint8Array): Promise<void> {
    const { topic, key } = message;
    const reason = `a record of ${value.length} bytes is larger than max_message_bytes (${this.#config.max_message_bytes})`;
    this.#deps.logger.warn({ topic, key, bytes: value.length }, "record is too large and was set aside");
    const letter = { at: this.#deps.clock.now(), topic, group: OVERSIZED, key, reason, value };
    await this.deadLetters.add(letter, 1);
  }

  /** Tries until the letter is durable: what it stands for must not be committed before. */
  async #publishLetter(letter: DeadLetter, records: number, origin: string): Promise<void> {
    const { clock, random } = this.#deps;
    const { topic, group } = letter;
    const outgoing: Outgoing = letterRecord(letter, records, origin, this.#config.max_message_bytes);
    for (let attempt = 1; ; attempt++) {
      const result = await this.#lane(dlqOf(topic)).send(outgoing);
      if (result.status === "ok") break;
      if (result.status === "permanent") {
        this.#deps.logger.error({ topic, group, reason: letter.reason, error: result.error }, "dead letter is lost");
        break;
      }
      await sleep(clock, backoffMs(RETRY, attempt, random), this.#stop.signal);
    }
    this.#metrics.deadLetters.inc({ topic, group });
  }

  #kafkaTopic(topic: string): string {
    return `${this.#config.topic_prefix}${topic}`;
  }

  #driver(library: KafkaLibrary): Promise<KafkaDriver> {
    const known = this.#drivers.get(library);
    if (known) return known;
    const loading = loadDriver(library, this.#config, this.#deps);
    this.#drivers.set(library, loading);
    return loading;
  }

  async #admin(library: KafkaLibrary): Promise<AdminDriver> {
    await this.#ensureTopics(library);
    return (await this.#driver(library)).createAdmin();
  }

  /** Once per process, and again after it has failed. */
  #ensureTopics(library: KafkaLibrary): Promise<void> {
    if (!this.#config.create_topics) return Promise.resolve();
    this.#topicsReady ??= this.#createTopics(library).catch((error: unknown) => {
      this.#topicsReady = undefined;
      throw error;
    });
    return this.#topicsReady;
  }

  async #createTopics(library: KafkaLibrary): Promise<void> {
    const admin = await (await this.#driver(library)).createAdmin();
    try {
      await admin.createTopics(TOPICS.flatMap((topic) => [this.#spec(topic, topic), this.#spec(dlqOf(topic), "dlq")]));
    } finally {
      await admin.close();
    }
  }

  #spec(name: string, kind: Topic | "dlq"): TopicSpec {
    const { topics, max_message_bytes: maxBytes } = this.#config;
    const { partitions, retention } = topics[kind];
    return {
      name: this.#kafkaTopic(name),
      partitions,
      retentionMs: retention,
      maxMessageBytes: maxBytes + BATCH_OVERHEAD_BYTES,
    };
  }
}
