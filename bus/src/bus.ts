/** The topics of architecture: values are OTLP protobuf export requests; decisions are JSON. */
export const TOPICS = ["otlp_logs", "otlp_spans", "otlp_metrics", "tocsin_decisions"] as const;
export type Topic = (typeof TOPICS)[number];

/** One message. `key` keeps order per service. */
export interface BusMessage {
  topic: Topic;
  key: string;
  value: Uint8Array;
  /** How many records the value holds, for accounting. */
  records: number;
}

/** What became of a message: held durably; full, try again later; or never acceptable. */
export type SendResult =
  | { status: "ok" }
  | { status: "retry"; afterMs: number; error: string }
  | { status: "permanent"; error: string };

/** The collector's end. */
export interface BusProducer {
  /** Resolves with `ok` only when the message is durable: Kafka has acknowledged it, or the store has written it. */
  send(message: BusMessage): Promise<SendResult>;
}

/** What a consumer made of a message; `poison` goes to the dead letters with its reason, and the rest flows on. */
export type ConsumeResult = { status: "ok" } | { status: "poison"; reason: string };

/** A writer's end. Throwing means "not written, give it to me again". */
export type BusHandler = (message: BusMessage) => Promise<ConsumeResult>;

export interface BusConsumer {
  /** Every message of the topic goes to each group once (at least). */
  subscribe(topic: Topic, group: string, handler: BusHandler): void;
}

/** A message that could not be decoded or stored. */
export interface DeadLetter {
  at: number;
  topic: Topic;
  group: string;
  key: string;
  reason: string;
  value: Uint8Array;
}
