import { DurationMs, SecretString } from "@tocsin/platform";
import { z } from "zod";

const BasicAuth = z.strictObject({
  username: z.string().describe("Who we are."),
  password: SecretString.optional().describe("The password; or name a file instead."),
  password_file: z.string().optional().describe("A file that holds the password; read for each request."),
});

const Tls = z.strictObject({
  ca_file: z.string().optional().describe("PEM file with the authorities to trust; the system's when left out."),
  cert_file: z.string().optional().describe("PEM file with our certificate."),
  key_file: z.string().optional().describe("PEM file with the key to our certificate."),
  server_name: z.string().optional().describe("The name to expect in the server's certificate."),
  insecure_skip_verify: z.boolean().default(false).describe("Take any certificate; for experiments only."),
});

const Queue = z.strictObject({
  shards: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Requests under way at a time; a series always takes the same one, so its samples stay in order."),
  max_samples_per_send: z.int().min(1).max(50_000).default(2000).describe("Samples in one request."),
  max_pending_samples: z
    .int()
    .min(1)
    .default(200_000)
    .describe("Samples that may wait; beyond that senders are asked to come again."),
  min_backoff: DurationMs.default(30).describe("Pause before the first repetition; it doubles each time."),
  max_backoff: DurationMs.default(5000).describe("The longest pause between repetitions."),
  retry_for: DurationMs.default(30_000).describe(
    "How long a request is repeated before its samples go back to whoever brought them. Nothing is lost then: the bus brings them again.",
  ),
});

/** `store.prometheus` of tocsin.yaml: samples live in a Prometheus. */
export const PrometheusStoreConfig = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .default("http://127.0.0.1:9090")
    .describe("Where its HTTP API is; a path before /api/v1 belongs here."),
  remote_write_url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where samples are written; <url>/api/v1/write when left out."),
  remote_write_version: z
    .enum(["1.0", "auto"])
    .default("1.0")
    .describe("Of the remote write protocol. auto offers 2.0 and goes on with 1.0 where that is not taken."),
  timeout: DurationMs.default(30_000).describe("How long one write may take."),
  query_timeout: DurationMs.default(120_000).describe("How long one query may take."),
  basic_auth: BasicAuth.optional().describe("User and password for writes and queries."),
  bearer_token: SecretString.optional().describe("A token instead of user and password."),
  bearer_token_file: z.string().optional().describe("A file that holds the token; read for each request."),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe("More headers for each request, such as a tenant's X-Scope-OrgID."),
  tls: Tls.prefault({}).describe("For https."),
  queue: Queue.prefault({}).describe("How samples wait for Prometheus."),
  promote_resource_attributes: z
    .array(z.string())
    .default([])
    .describe("OTLP resource attributes that become labels of every series; the others are on target_info."),
});
export type PrometheusStoreConfig = z.infer<typeof PrometheusStoreConfig>;
