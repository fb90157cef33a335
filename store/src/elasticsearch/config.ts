import { DurationMs, SecretString, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;

const SignalIndexConfig = z.strictObject({
  retention: DurationMs.default(200 * HOUR_MS).describe("How long a day's index is kept after its day is over."),
  shards: z.int().min(1).max(1024).default(1).describe("Primary shards of a day's index."),
  replicas: z
    .string()
    .regex(/^\d+$|^\d+-(\d+|all)$/, "write a number like 1, or a range like 0-1")
    .default("0-1")
    .describe("Copies of each shard; a range follows the number of nodes."),
});

/** `store.elasticsearch:` of tocsin.yaml. */
export const ElasticsearchConfig = z
  .strictObject({
    nodes: z
      .array(z.url({ protocol: /^https?$/ }))
      .min(1)
      .default(["http://127.0.0.1:9200"])
      .describe("Addresses of Elasticsearch or OpenSearch nodes."),
    api_key: SecretString.optional().describe("An API key (base64 of id:key), instead of username and password."),
    username: z.string().optional().describe("User of basic authentication."),
    password: SecretString.optional().describe("Password of basic authentication."),
    tls: z
      .strictObject({
        ca_file: z.string().optional().describe("Certificates that sign the server's, PEM; the system's otherwise."),
        cert_file: z.string().optional().describe("Certificate of this client, PEM."),
        key_file: z.string().optional().describe("Key of this client, PEM."),
        server_name: z.string().optional().describe("The name the server's certificate has to be for."),
        insecure_skip_verify: z.boolean().default(false).describe("Do not check the server's certificate."),
      })
      .prefault({})
      .describe("How to speak to https nodes."),
    index_prefix: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/, "lower-case letters, digits, _, . and -")
      .default("tocsin")
      .describe("Indices are named <prefix>-logs-2026.11.21 and <prefix>-spans-2026.11.21."),
    logs: SignalIndexConfig.prefault({}).describe("Indices of logs."),
    spans: SignalIndexConfig.prefault({}).describe("Indices of spans."),
    manage_templates: z
      .boolean()
      .default(true)
      .describe("Install index templates, and an ILM policy where the server knows ILM; otherwise they must be there."),
    index_message: z
      .boolean()
      .default(true)
      .describe("Index messages for Kibana and Grafana, too; Tocsin itself has an index of words of its own."),
    refresh_interval: DurationMs.default(1000).describe("How soon what was written can be found."),
    compression: z.boolean().default(false).describe("Compress requests with gzip."),
    max_bulk_bytes: SizeBytes.default(8 * MIB).describe("Bytes of one bulk request."),
    concurrent_bulks: z.int().min(1).max(32).default(2).describe("Bulk requests on their way at a time."),
    max_pending_bytes: SizeBytes.default(64 * MIB).describe(
      "Bytes of messages on their way to the server before senders are asked to come again.",
    ),
    write_timeout: DurationMs.default(30_000).describe("How long a write is tried before its message is given back."),
    search_timeout: DurationMs.default(10_000).describe("How long one search may take."),
    tail_interval: DurationMs.default(1000).describe("How often live views look for new records."),
    span_metrics: z
      .strictObject({
        interval: DurationMs.default(15_000).describe("How often metrics computed from spans are written."),
        max_series: z
          .int()
          .min(1)
          .default(2000)
          .describe("Combinations of service, operation, kind and status with metrics of their own."),
      })
      .prefault({})
      .describe("Metrics computed from spans."),
  })
  .refine(({ api_key: key, username }) => key === undefined || username === undefined, {
    path: ["api_key"],
    message: "either api_key, or username and password",
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    path: ["password"],
    message: "username and password go together",
  });
export type ElasticsearchConfig = z.infer<typeof ElasticsearchConfig>;
