import { DurationMs, SecretString, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

export const OtlpHttpExporterConfig = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }).describe("base address; /v1/logs, /v1/traces, /v1/metrics are added"),
  headers: z.record(z.string(), SecretString).default({}).describe("sent with every request"),
  compression: z.enum(["gzip", "none"]).default("gzip"),
  timeout: DurationMs.prefault("10s").describe("of one request"),
  max_elapsed_time: DurationMs.prefault("5m").describe("how long one request is tried again"),
  queue_size: SizeBytes.prefault("64MiB").describe("bytes that may wait; what does not fit is dropped and counted"),
  num_consumers: z.int().min(1).default(2).describe("requests at one time"),
});
export type OtlpHttpExporterConfig = z.output<typeof OtlpHttpExporterConfig>;
