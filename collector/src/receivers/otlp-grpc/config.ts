import { DurationMs, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

export const OtlpGrpcConfig = z.strictObject({
  host: z.string().min(1).optional().describe("address to bind; the process' own by default"),
  port: z.int().min(0).max(65_535).optional().describe("port to bind; otlp_grpc_port by default, 0 takes any free one"),
  max_body: SizeBytes.prefault("20MiB").describe("largest message after decompression"),
  max_in_flight: SizeBytes.prefault("64MiB").describe(
    "bytes of messages held at one time; beyond it senders get RESOURCE_EXHAUSTED",
  ),
  max_streams: z.int().min(1).default(64).describe("requests at one time on one connection"),
  drain_timeout: DurationMs.prefault("2s").describe("time that running requests have to end when the collector stops"),
});
export type OtlpGrpcConfig = z.output<typeof OtlpGrpcConfig>;
