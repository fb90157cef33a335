import type { Clock, Logger } from "@tocsin/platform";
import type { KafkaBusConfig, KafkaLibrary } from "./config.ts";

/** A record as it goes to Kafka. */
export interface OutgoingRecord {
  key: string;
  value: Uint8Array;
  headers: Readonly<Record<string, string>>;
}

/** A record as it came from Kafka. */
export interface KafkaRecord {
  offset: bigint;
  /** Empty for a record without one. */
  key: string;
  value: Uint8Array;
  headers: Readonly<Record<string, string>>;
}

/** What a library throws for a batch that no broker will ever take, as far as it can tell. */
export class UnacceptableError extends Error {
  override readonly name = "UnacceptableError";
}

/** Idempotent, acks=all. After a failed send it must be closed: the broker may or may not have the batch. */
export interface ProducerDriver {
  /** Resolves when the broker has all of them; order within a key holds. Throws UnacceptableError, or what may pass. */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Records of one partition in order, directly after those of the batch before. */
export interface PartitionBatch {
  partition: number;
  records: readonly KafkaRecord[];
  /** Aborted when the partition goes to another member or the consumer stops; what is not committed comes again. */
  signal: AbortSignal;
  /** Says that everything before `offset` is written. Throws when the group has moved on. */
  commit: (offset: bigint) => Promise<void>;
}

/** One member of a group on one topic. Batches of a partition are handed over one at a time, partitions side by side. */
export interface ConsumerDriver {
  /** Rejects when the member is gone for good, e.g. the broker is; never resolves. */
  readonly ended: Promise<never>;
  /** Aborts the batches, waits for them, leaves the group. */
  close(): Promise<void>;
}

export interface ConsumerOptions {
  topic: string;
  groupId: string;
  /**
   * "earliest": from what the group has committed, else from the oldest record. Offsets by partition: from there, and commits
   * are not kept, so that a group that is used once leaves nothing behind.
   */
  from: "earliest" | ReadonlyMap<number, bigint>;
  onBatch: (batch: PartitionBatch) => Promise<void>;
  /** The partitions of this member have been set anew. */
  onRebalance: () => void;
}

export interface TopicSpec {
  name: string;
  partitions: number;
  retentionMs: number;
  maxMessageBytes: number;
}

export interface PartitionOffsets {
  /** Of the oldest record that is kept. */
  low: bigint;
  /** After the newest record. */
  high: bigint;
}

export interface AdminDriver {
  /** Creates those that do not exist. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  offsets(topic: string): Promise<Map<number, PartitionOffsets>>;
  /** Committed offsets of a group by partition; none for partitions it has not committed. */
  committed(groupId: string, topic: string): Promise<Map<number, bigint>>;
  close(): Promise<void>;
}

export interface DriverDeps {
  clock: Clock;
  logger: Logger;
}

/** A Kafka client library behind the seam. Nothing connects before it is asked to. */
export interface KafkaDriver {
  createProducer(): Promise<ProducerDriver>;
  createConsumer(options: ConsumerOptions): Promise<ConsumerDriver>;
  createAdmin(): Promise<AdminDriver>;
}

/** Loads only the library that is used. */
export async function loadDriver(
  library: KafkaLibrary,
  config: KafkaBusConfig,
  deps: DriverDeps,
): Promise<KafkaDriver> {
  if (library === "kafkajs") return (await import("./kafkajs-driver.ts")).createKafkajsDriver(config, deps);
  return (await import("./platformatic-driver.ts")).createPlatformaticDriver(config);
}
