import { DurationMs, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

export const OtlpHttpConfig = z.strictObject({
  host: z.string().min(1).optional().describe("address to bind; the process' own by default"),
  port: z.int().min(0).max(65_535).optional().describe("port to bind; otlp_http_port by default, 0 takes any free one"),
  max_body: SizeBytes.prefault("20MiB").describe("largest body, before and after decompression; larger ones get 413"),
  max_in_flight: SizeBytes.prefault("64MiB").describe("bytes of requests held at one time; beyond it senders get 429"),
  read_timeout: DurationMs.prefault("15s").describe("time a client has to send a request"),
  drain_timeout: DurationMs.prefault("2s").describe("time that running requests have to end when the collector stops"),
  max_connections: z.int().min(1).default(10_000).describe("connections at one time; further ones are closed"),
  cors_origins: z
    .array(z.string().min(1))
    .default([])
    .describe("origins that browsers may send from, besides localhost; * allows every origin"),
});
export type OtlpHttpConfig = z.output<typeof OtlpHttpConfig>;
