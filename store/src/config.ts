import { DurationMs, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

const HOUR_MS = 3_600_000;
const GIB = 2 ** 30;

const SignalStoreConfig = z.strictObject({
  retention: DurationMs.default(200 * HOUR_MS).describe("How long records are kept, by hour of arrival."),
  max_size: SizeBytes.default(10 * GIB).describe(
    "Bytes on disk; beyond that the oldest files are dropped before their time.",
  ),
});

/** `store:` of tocsin.yaml, as far as logs and spans go. */
export const TelemetryStoreConfig = z.strictObject({
  logs: SignalStoreConfig.prefault({}).describe("Retention and size of logs."),
  spans: SignalStoreConfig.prefault({}).describe("Retention and size of spans."),
  fsync: z
    .boolean()
    .default(false)
    .describe(
      "Survive power loss, too, at the price of one fsync a commit. A crash of the process loses nothing either way.",
    ),
  commit_delay: DurationMs.default(10).describe("How long a commit waits for more records, up to 100ms."),
  readers: z.int().min(1).max(16).default(2).describe("Threads that answer searches."),
  max_waiting_searches: z
    .int()
    .min(1)
    .default(64)
    .describe("Searches that may wait for a reader before further ones are refused."),
  search_budget: DurationMs.default(2000).describe(
    "How long one search may take before it answers with what it has and how far it got.",
  ),
  max_pending_bytes: SizeBytes.default(64 * 2 ** 20).describe(
    "Bytes on their way to the disk before senders are asked to come again.",
  ),
  span_metrics: z
    .strictObject({
      interval: DurationMs.default(15_000).describe("How often metrics computed from spans are written."),
      max_series: z
        .int()
        .min(1)
        .default(2000)
        .describe(
          "Combinations of service, operation, kind and status that get metrics of their own; the rest is counted together.",
        ),
    })
    .prefault({})
    .describe("Metrics computed from spans."),
  silent_after: DurationMs.default(90_000).describe("A service not heard of for this long is shown as silent."),
});
export type TelemetryStoreConfig = z.infer<typeof TelemetryStoreConfig>;
