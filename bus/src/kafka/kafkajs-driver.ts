import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { every } from "@tocsin/platform";
import kafkajs, {
  type Admin,
  type Consumer,
  type EachBatchPayload,
  type KafkaMessage,
  type Producer,
  type SASLOptions,
} from "kafkajs";
import type { KafkaBusConfig } from "./config.ts";
import {
  UnacceptableError,
  type AdminDriver,
  type ConsumerDriver,
  type ConsumerOptions,
  type DriverDeps,
  type KafkaDriver,
  type KafkaRecord,
  type OutgoingRecord,
  type PartitionOffsets,
  type ProducerDriver,
  type TopicSpec,
} from "./driver.ts";
import { tlsOptions } from "./tls.ts";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs;

const COMPRESSION = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, zstd: CompressionTypes.ZSTD } as const;
/** The library's own retries; longer outages are ours to handle. */
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1000 };
const PARTITIONS_AT_ONCE = 16;
/** No broker will ever take these. */
const UNACCEPTABLE = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"]);

/** https://kafka.js.org behind the seam. */
export function createKafkajsDriver(config: KafkaBusConfig, { clock, logger }: DriverDeps): KafkaDriver {
  registerZstd();
  const ssl = tlsOptions(config);
  const kafka = new Kafka({
    clientId: config.client_id,
    brokers: config.brokers,
    connectionTimeout: Math.min(config.send_timeout, 5000),
    requestTimeout: Math.max(config.send_timeout, 10_000),
    retry: RETRY,
    logLevel: logLevel.WARN,
    // What matters is said by the bus; the library repeats itself with every attempt.
    logCreator: () => (entry) => logger.debug({ library: "kafkajs", text: entry.log.message }, "kafka client"),
    ...(ssl && { ssl }),
    ...(config.sasl && { sasl: { ...config.sasl, password: config.sasl.password.reveal() } as SASLOptions }),
  });
  return {
    async createProducer() {
      const producer = kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner: Partitioners.DefaultPartitioner,
        retry: RETRY,
      });
      await producer.connect();
      return new KafkajsProducer(producer, COMPRESSION[config.compression]);
    },
    async createConsumer(options) {
      const consumer = kafka.consumer({
        groupId: options.groupId,
        sessionTimeout: config.session_timeout,
        heartbeatInterval: Math.floor(config.session_timeout / 10),
        rebalanceTimeout: Math.max(60_000, config.session_timeout),
        maxBytes: config.fetch_max_bytes,
        maxBytesPerPartition: config.fetch_max_bytes,
        maxWaitTimeInMs: 500,
        allowAutoTopicCreation: false,
        retry: { ...RETRY, restartOnFailure: async () => false },
      });
      const driver = new KafkajsConsumer(consumer, options, (beat, onError) =>
        every(clock, config.session_timeout / 10, beat, onError),
      );
      await driver.start();
      return driver;
    },
    async createAdmin() {
      const admin = kafka.admin({ retry: RETRY });
      await admin.connect();
      return new KafkajsAdmin(admin, config.replication_factor);
    },
  };
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** The library knows gzip alone; its table of codecs is one for the process. */
function registerZstd(): void {
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { buffer: Buffer }) => compress(encoder.buffer),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
}

class KafkajsProducer implements ProducerDriver {
  readonly #producer: Producer;
  readonly #compression: kafkajs.CompressionTypes;

  constructor(producer: Producer, compression: kafkajs.CompressionTypes) {
    this.#producer = producer;
    this.#compression = compression;
  }

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    try {
      await this.#producer.send({
        topic,
        acks: -1,
        compression: this.#compression,
        messages: records.map(({ key, value, headers }) => ({
          key: Buffer.from(key),
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          headers: { ...headers },
        })),
      });
    } catch (error) {
      const type = protocolType(error);
      if (type !== undefined && UNACCEPTABLE.has(type)) {
        throw new UnacceptableError(`the broker does not take it: ${type}`, { cause: error });
      }
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }
}

/** The broker's word for the error, which the library wraps in others. */
function protocolType(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("type" in at && typeof at.type === "string") return at.type;
  }
  return undefined;
}

type Beating = (beat: () => Promise<void>, onError: (error: unknown) => void) => Disposable;

class KafkajsConsumer implements ConsumerDriver {
  readonly ended: Promise<never>;
  readonly #consumer: Consumer;
  readonly #options: ConsumerOptions;
  readonly #beating: Beating;
  readonly #end = Promise.withResolvers<never>();
  readonly #closing = new AbortController();

  constructor(consumer: Consumer, options: ConsumerOptions, beating: Beating) {
    this.#consumer = consumer;
    this.#options = options;
    this.#beating = beating;
    this.ended = this.#end.promise;
    this.ended.catch(() => {});
  }

  async start(): Promise<void> {
    const { topic, from, onRebalance } = this.#options;
    const consumer = this.#consumer;
    consumer.on(consumer.events.CRASH, ({ payload }) => this.#end.reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, () => onRebalance());
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
      if (from !== "earliest") {
        for (const [partition, offset] of from) consumer.seek({ topic, partition, offset: String(offset) });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the consumer is closing"));
    await this.#consumer.disconnect();
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    if (!payload.isRunning() || payload.isStale()) return;
    const { topic, partition, messages } = payload.batch;
    const keepsCommits = this.#options.from === "earliest";
    const lost = new AbortController();
    let failure: unknown;
    using _ = this.#beating(
      () => payload.heartbeat(),
      (error) => {
        failure ??= error;
        lost.abort(error);
      },
    );
    await this.#options.onBatch({
      partition,
      records: messages.map(toRecord),
      signal: AbortSignal.any([lost.signal, this.#closing.signal]),
      async commit(offset) {
        payload.resolveOffset(String(offset - 1n));
        if (!keepsCommits) return;
        const partitions = [{ partition, offset: String(offset) }];
        await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions }] });
      },
    });
    // The library rejoins the group, or ends, by what is thrown here.
    if (failure !== undefined) throw failure;
  }
}

function toRecord({ offset, key, value, headers = {} }: KafkaMessage): KafkaRecord {
  return {
    offset: BigInt(offset),
    key: key?.toString() ?? "",
    value: value ?? new Uint8Array(),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String([text].flat()[0] ?? "")])),
  };
}

class KafkajsAdmin implements AdminDriver {
  readonly #admin: Admin;
  readonly #replicationFactor: number;

  constructor(admin: Admin, replicationFactor: number) {
    this.#admin = admin;
    this.#replicationFactor = replicationFactor;
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    const known = new Set(await this.#admin.listTopics());
    const missing = topics.filter(({ name }) => !known.has(name));
    if (missing.length === 0) return;
    // False, not an error, when another process was quicker.
    await this.#admin.createTopics({
      waitForLeaders: true,
      topics: missing.map(({ name, partitions, retentionMs, maxMessageBytes }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor: this.#replicationFactor,
        configEntries: [
          { name: "retention.ms", value: String(retentionMs) },
          { name: "max.message.bytes", value: String(maxMessageBytes) },
        ],
      })),
    });
  }

  async offsets(topic: string): Promise<Map<number, PartitionOffsets>> {
    const rows = await this.#admin.fetchTopicOffsets(topic);
    return new Map(rows.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
  }

  async committed(groupId: string, topic: string): Promise<Map<number, bigint>> {
    const [row] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    const partitions = (row?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)] as const);
    return new Map(partitions.filter(([, offset]) => offset >= 0n));
  }

  close(): Promise<void> {
    return this.#admin.disconnect();
  }
}
