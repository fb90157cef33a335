import { DurationMs, SecretString, SizeBytes } from "@tocsin/platform";
import { z } from "zod";
import type { Topic } from "../bus.ts";

const Library = z.enum(["kafkajs", "platformatic"]);
export type KafkaLibrary = z.output<typeof Library>;

const topic = (partitions: number, retention: string) =>
  z
    .strictObject({
      partitions: z.int().min(1).max(10_000).default(partitions).describe("partitions when Tocsin creates the topic"),
      retention: DurationMs.prefault(retention).describe("how long Kafka keeps messages when Tocsin creates the topic"),
    })
    .prefault({});

/** The `bus.kafka` section of tocsin.yaml. */
export const KafkaBusConfig = z.strictObject({
  brokers: z
    .array(z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d+$/, "write it like kafka:9092"))
    .min(1)
    .default(["127.0.0.1:9092"])
    .describe("brokers to ask for the rest of the cluster, as host:port"),
  client_id: z
    .string()
    .regex(/^\S+$/)
    .default("tocsin")
    .describe("name of this client in the brokers' logs and quotas"),
  producer: Library.default("platformatic").describe("client library of the collector's side"),
  consumer: Library.default("platformatic").describe("client library of the writers' side"),
  encoding: z
    .enum(["otlp_proto", "otlp_json"])
    .default("otlp_proto")
    .describe("how values are written, as the OpenTelemetry Collector names it; both are read"),
  compression: z.enum(["none", "gzip", "zstd"]).default("none").describe("of record batches"),
  topic_prefix: z
    .string()
    .regex(/^[a-zA-Z0-9._-]*$/)
    .default("")
    .describe("put before every topic's name, to share a cluster"),
  group_prefix: z
    .string()
    .regex(/^[a-zA-Z0-9._-]*$/)
    .default("tocsin-")
    .describe("put before every consumer group's name"),
  create_topics: z.boolean().default(true).describe("create topics that are missing; false leaves it to the operator"),
  replication_factor: z
    .int()
    .min(-1)
    .default(-1)
    .describe("copies of a topic that Tocsin creates; -1 is the broker's default"),
  topics: z
    .strictObject({
      otlp_logs: topic(6, "1d"),
      otlp_spans: topic(6, "1d"),
      otlp_metrics: topic(6, "1d"),
      tocsin_decisions: topic(1, "30d"),
      dlq: topic(1, "14d").describe("every dead-letter topic"),
    } satisfies Record<Topic | "dlq", z.ZodType>)
    .prefault({})
    .describe("how topics are created"),
  max_message_bytes: SizeBytes.prefault(1_000_000).describe(
    "larger batches are cut by resource and record; must be below the topic's max.message.bytes",
  ),
  max_in_flight_bytes: SizeBytes.prefault("64MiB").describe(
    "bytes that wait for the broker before senders are put off",
  ),
  send_timeout: DurationMs.prefault("4s").describe(
    "how long the broker may take; then the batch goes to the spool. Below the 10s after which OTLP senders give up",
  ),
  spool: z
    .strictObject({
      max_bytes: SizeBytes.prefault("1GiB").describe("disk space for batches while the broker is away; 0 turns it off"),
      segment_bytes: SizeBytes.prefault("16MiB").describe("size of one spool file"),
    })
    .prefault({})
    .describe("where acknowledged batches wait while the broker is away"),
  session_timeout: DurationMs.prefault("10s").describe("a writer that is silent for so long loses its partitions"),
  writer_concurrency: z
    .int()
    .min(1)
    .max(1000)
    .default(16)
    .describe("messages of one partition handed to a writer at once"),
  fetch_max_bytes: SizeBytes.prefault("8MiB").describe("bytes of one fetch"),
  lag_interval: DurationMs.prefault("10s").describe("how often the lag of the writers is measured"),
  tls: z
    .strictObject({
      enabled: z.boolean().default(false).describe("speak TLS to the brokers"),
      ca_file: z.string().optional().describe("certificates of the authorities to trust, PEM; default the system's"),
      cert_file: z.string().optional().describe("client certificate, PEM"),
      key_file: z.string().optional().describe("key of the client certificate, PEM"),
      server_name: z.string().optional().describe("name to expect in the broker's certificate"),
      insecure_skip_verify: z.boolean().default(false).describe("accept any certificate; for tests"),
    })
    .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
      message: "cert_file and key_file go together",
    })
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]).describe("SASL mechanism"),
      username: z.string().describe("user name"),
      password: SecretString.describe("password; write it as ${KAFKA_PASSWORD}"),
    })
    .optional()
    .describe("user and password for the brokers"),
});
export type KafkaBusConfig = z.output<typeof KafkaBusConfig>;

/** The `bus` section of tocsin.yaml. */
export const BusConfig = z.strictObject({
  driver: z.enum(["memory", "kafka"]).default("memory").describe("memory joins all parts in one process"),
  kafka: KafkaBusConfig.prefault({}).describe("with driver kafka"),
});
export type BusConfig = z.output<typeof BusConfig>;
