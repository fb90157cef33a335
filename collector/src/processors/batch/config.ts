import { DurationMs, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

export const BatchConfig = z.strictObject({
  timeout: DurationMs.prefault("200ms").describe(
    "longest time a request waits for others; its sender waits as long for the answer",
  ),
  send_batch_size: z.int().min(1).default(8192).describe("records at which a batch goes on at once"),
  send_batch_bytes: SizeBytes.prefault("1MiB").describe("bytes at which a batch goes on at once"),
});
export type BatchConfig = z.output<typeof BatchConfig>;
