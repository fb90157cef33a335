import {
  Admin,
  compatibilityPartitioner,
  Consumer,
  findErrorBy,
  ListOffsetTimestamps,
  Producer,
  stringDeserializer,
  stringSerializer,
  type BaseOptions,
  type Message,
  type MessagesStream,
} from "@platformatic/kafka";
import type { KafkaBusConfig } from "./config.ts";
import {
  UnacceptableError,
  type AdminDriver,
  type ConsumerDriver,
  type ConsumerOptions,
  type KafkaDriver,
  type KafkaRecord,
  type OutgoingRecord,
  type PartitionOffsets,
  type ProducerDriver,
  type TopicSpec,
} from "./driver.ts";
import { tlsOptions } from "./tls.ts";

/** The library's own retries; longer outages are ours to handle. Below 2 it would retry for ever. */
const RETRY = { retries: 3, retryDelay: 200 };
const UNACCEPTABLE = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"];
const BATCH_RECORDS = 500;

const SASL = { plain: "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512" } as const;

/** https://github.com/platformatic/kafka behind the seam. */
export function createPlatformaticDriver(config: KafkaBusConfig): KafkaDriver {
  const tls = tlsOptions(config);
  const base: BaseOptions = {
    clientId: config.client_id,
    bootstrapBrokers: config.brokers,
    connectTimeout: Math.min(config.send_timeout, 5000),
    requestTimeout: Math.max(config.send_timeout, 10_000),
    autocreateTopics: false,
    ...RETRY,
    ...(tls && { tls }),
    ...(tls && config.tls.server_name === undefined && { tlsServerName: true }),
    ...(config.sasl && {
      sasl: {
        mechanism: SASL[config.sasl.mechanism],
        username: config.sasl.username,
        password: config.sasl.password.reveal(),
      },
    }),
  };
  return {
    async createProducer() {
      const producer = new Producer<string, Buffer, string, string>({
        ...base,
        idempotent: true,
        compression: config.compression,
        partitioner: compatibilityPartitioner,
        serializers: {
          key: stringSerializer,
          value: (value) => value,
          headerKey: stringSerializer,
          headerValue: stringSerializer,
        },
      });
      return new PlatformaticProducer(producer);
    },
    async createConsumer(options) {
      const consumer: GroupMember = new Consumer({
        ...base,
        groupId: options.groupId,
        sessionTimeout: config.session_timeout,
        heartbeatInterval: Math.floor(config.session_timeout / 10),
        rebalanceTimeout: Math.max(60_000, config.session_timeout),
        deserializers: {
          key: stringDeserializer,
          value: (value) => value,
          headerKey: stringDeserializer,
          headerValue: stringDeserializer,
        },
      });
      const driver = new PlatformaticConsumer(consumer, options, config.fetch_max_bytes);
      await driver.start();
      return driver;
    },
    async createAdmin() {
      return new PlatformaticAdmin(new Admin(base), config.replication_factor);
    },
  };
}

class PlatformaticProducer implements ProducerDriver {
  readonly #producer: Producer<string, Buffer, string, string>;

  constructor(producer: Producer<string, Buffer, string, string>) {
    this.#producer = producer;
  }

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    try {
      await this.#producer.send({
        messages: records.map(({ key, value, headers }) => ({
          topic,
          key,
          value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
          headers,
        })),
      });
    } catch (error) {
      const type = UNACCEPTABLE.find((type) => findErrorBy(error as Error, "apiId", type));
      if (type) throw new UnacceptableError(`the broker does not take it: ${type}`, { cause: error });
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#producer.close(true);
  }
}

type GroupMember = Consumer<string, Buffer, string, string>;
type GroupMessage = Message<string, Buffer, string, string>;
type GroupStream = MessagesStream<string, Buffer, string, string>;

/** One assigned partition: what has been read and not yet handed over. */
interface Lane {
  partition: number;
  /** The generation of the group since which the partition has been ours; older records are of an earlier ownership. */
  generation: number;
  /** Offset after the newest record taken: a fetch after a rebalance starts at the committed one again. */
  next: bigint;
  queue: KafkaRecord[];
  leaderEpoch: number;
  lost: AbortController;
  running: Promise<void> | undefined;
}

class PlatformaticConsumer implements ConsumerDriver {
  readonly ended: Promise<never>;
  readonly #consumer: GroupMember;
  readonly #options: ConsumerOptions;
  readonly #maxBytes: number;
  readonly #end = Promise.withResolvers<never>();
  readonly #lanes = new Map<number, Lane>();
  /** Of lanes that were taken away and whose last batch still runs, by partition. */
  readonly #leaving = new Map<number, Promise<void>>();
  #stream: GroupStream | undefined;
  #bytes = 0;
  #closing: Promise<void> | undefined;

  constructor(consumer: GroupMember, options: ConsumerOptions, maxBytes: number) {
    this.#consumer = consumer;
    this.#options = options;
    this.#maxBytes = maxBytes;
    this.ended = this.#end.promise;
    this.ended.catch(() => {});
  }

  async start(): Promise<void> {
    const { topic, from } = this.#options;
    this.#consumer.on("consumer:group:join", () => this.#onJoin());
    // Says that a rejoin has failed: nobody reads any more.
    this.#consumer.on("error", (error) => this.#end.reject(error));
    this.#consumer.on("consumer:heartbeat:stalled", () => this.#end.reject(new Error("heartbeats are not answered")));
    try {
      const stream = await this.#consumer.consume({
        topics: [topic],
        autocommit: false,
        maxBytes: this.#maxBytes,
        maxWaitTime: 500,
        highWaterMark: 64,
        fallbackMode: "earliest",
        ...(from === "earliest"
          ? { mode: "committed" }
          : {
              mode: "manual",
              offsets: Array.from(from, ([partition, offset]) => ({ topic, partition, offset })),
            }),
      });
      this.#stream = stream;
      stream.on("error", (error) => this.#end.reject(error));
      stream.on("close", () => this.#end.reject(new Error("the stream of messages has closed")));
      stream.on("data", (message) => this.#take(message));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const lane of this.#lanes.values()) this.#drop(lane);
    await Promise.all(this.#leaving.values());
    await this.#stream?.close();
    await this.#consumer.close(true);
  }

  /** Keeps the lanes of partitions that stay ours, with what is in them; drops the others. */
  #onJoin(): void {
    const assigned = new Set(
      (this.#consumer.assignments ?? [])
        .filter(({ topic }) => topic === this.#options.topic)
        .flatMap(({ partitions }) => partitions),
    );
    for (const lane of this.#lanes.values()) {
      if (!assigned.has(lane.partition)) this.#drop(lane);
    }
    for (const partition of assigned) {
      if (this.#lanes.has(partition)) continue;
      this.#lanes.set(partition, {
        partition,
        generation: this.#consumer.generationId,
        next: -1n,
        queue: [],
        leaderEpoch: -1,
        lost: new AbortController(),
        running: undefined,
      });
    }
    this.#options.onRebalance();
  }

  #drop(lane: Lane): void {
    this.#lanes.delete(lane.partition);
    lane.lost.abort(new Error("the partition has gone to another member"));
    for (const record of lane.queue.splice(0)) this.#bytes -= record.value.length;
    const { partition, running } = lane;
    if (!running) return;
    const before = this.#leaving.get(partition);
    const left = Promise.all([before, running]).then(() => {
      if (this.#leaving.get(partition) === left) this.#leaving.delete(partition);
    });
    this.#leaving.set(partition, left);
  }

  #take(message: GroupMessage): void {
    const lane = this.#lanes.get(message.partition);
    if (!lane || message.offset < lane.next || generationOf(message) < lane.generation) return;
    lane.next = message.offset + 1n;
    lane.leaderEpoch = message.leaderEpoch;
    const record = toRecord(message);
    lane.queue.push(record);
    this.#bytes += record.value.length;
    if (this.#bytes > this.#maxBytes) this.#stream?.pause();
    lane.running ??= this.#run(lane);
  }

  async #run(lane: Lane): Promise<void> {
    // A batch of the same partition from before it was taken away and came back.
    await this.#leaving.get(lane.partition);
    const { signal } = lane.lost;
    const { topic, from } = this.#options;
    while (lane.queue.length > 0 && !signal.aborted) {
      const records = lane.queue.splice(0, BATCH_RECORDS);
      try {
        await this.#options.onBatch({
          partition: lane.partition,
          records,
          signal,
          commit: async (offset) => {
            if (signal.aborted || from !== "earliest") return;
            const { partition, leaderEpoch } = lane;
            await this.#consumer.commit({ offsets: [{ topic, partition, offset, leaderEpoch }] });
          },
        });
      } catch (error) {
        this.#end.reject(error);
        return;
      }
      for (const { value } of records) this.#bytes -= value.length;
      if (this.#bytes <= this.#maxBytes && this.#stream?.isPaused()) this.#stream.resume();
    }
    lane.running = undefined;
  }
}

/** Records of others may lack what the library's types promise. */
function toRecord({
  offset,
  key,
  value,
  headers,
}: Pick<GroupMessage, "offset" | "headers"> & Partial<GroupMessage>): KafkaRecord {
  return { offset, key: key ?? "", value: value ?? new Uint8Array(), headers: Object.fromEntries(headers) };
}

function generationOf({ metadata }: GroupMessage): number {
  const { consumer } = metadata as { consumer?: { generationId?: number } };
  return consumer?.generationId ?? Number.POSITIVE_INFINITY;
}

class PlatformaticAdmin implements AdminDriver {
  readonly #admin: Admin;
  readonly #replicationFactor: number;

  constructor(admin: Admin, replicationFactor: number) {
    this.#admin = admin;
    this.#replicationFactor = replicationFactor;
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    const known = new Set(await this.#admin.listTopics());
    for (const { name, partitions, retentionMs, maxMessageBytes } of topics) {
      if (known.has(name)) continue;
      try {
        await this.#admin.createTopics({
          topics: [name],
          partitions,
          replicas: this.#replicationFactor,
          configs: [
            { name: "retention.ms", value: String(retentionMs) },
            { name: "max.message.bytes", value: String(maxMessageBytes) },
          ],
        });
      } catch (error) {
        // Another process was quicker.
        if (!findErrorBy(error as Error, "apiId", "TOPIC_ALREADY_EXISTS")) throw error;
      }
    }
  }

  async offsets(topic: string): Promise<Map<number, PartitionOffsets>> {
    const { topics } = await this.#admin.metadata({ topics: [topic] });
    const count = topics.get(topic)?.partitionsCount ?? 0;
    const at = async (timestamp: bigint) => {
      const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }));
      const [answer] = await this.#admin.listOffsets({ topics: [{ name: topic, partitions }] });
      return new Map(answer?.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]));
    };
    const low = await at(ListOffsetTimestamps.EARLIEST);
    const high = await at(ListOffsetTimestamps.LATEST);
    return new Map(
      Array.from(high, ([partition, offset]) => [partition, { low: low.get(partition) ?? 0n, high: offset }]),
    );
  }

  async committed(groupId: string, topic: string): Promise<Map<number, bigint>> {
    const [group] = await this.#admin.listConsumerGroupOffsets({ groups: [groupId] });
    const partitions = group?.topics.find(({ name }) => name === topic)?.partitions ?? [];
    const offsets = partitions.map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset] as const);
    return new Map(offsets.filter(([, offset]) => offset >= 0n));
  }

  close(): Promise<void> {
    return this.#admin.close();
  }
}
