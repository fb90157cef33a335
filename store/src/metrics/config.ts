import { z } from "zod";
import { DurationMs, SizeBytes } from "@tocsin/platform";

const MINUTE = 60_000;

/** The embedded sample store in tocsin.yaml. */
export const MetricStoreConfig = z.strictObject({
  retention: DurationMs.default(200 * 60 * MINUTE).describe(
    "How long samples are kept; whole blocks go when they are older.",
  ),
  retention_size: SizeBytes.default(5 * 2 ** 30).describe(
    "Bytes on disk beyond which the oldest blocks go; 0 for no limit.",
  ),
  fsync: z
    .enum(["always", "interval", "never"])
    .default("always")
    .describe(
      "When appended samples are forced to the disk: before they are acknowledged, every ten seconds, or when the system likes. The latter two survive kill -9 but not a power cut.",
    ),
  out_of_order_window: DurationMs.default(10 * MINUTE).describe(
    "How much older than the newest sample a late one may be.",
  ),
  future_limit: DurationMs.default(10 * MINUTE).describe("How far ahead of this machine's clock a sample may be."),
  flush_interval: DurationMs.default(15 * MINUTE).describe(
    "How much time gathers in memory before it becomes a block on disk.",
  ),
  max_series_per_metric: z
    .number()
    .int()
    .positive()
    .default(20_000)
    .describe("Active series a metric may have; new ones beyond that are refused and counted."),
  max_series: z.number().int().positive().default(500_000).describe("Active series all metrics together may have."),
  max_exemplars: z.number().int().nonnegative().default(20_000).describe("Exemplars kept, newest first."),
  promote_resource_attributes: z
    .array(z.string())
    .default([])
    .describe("OTLP resource attributes that become labels of every series; the others are on target_info."),
  query: z
    .strictObject({
      timeout: DurationMs.default(2 * MINUTE).describe("How long a query may take, waiting included."),
      max_samples: z.number().int().positive().default(50_000_000).describe("Samples one query may load."),
      max_concurrency: z
        .number()
        .int()
        .positive()
        .default(20)
        .describe("Queries evaluated at the same time; rules have as many of their own."),
      max_queued: z
        .number()
        .int()
        .positive()
        .default(200)
        .describe("Queries that may wait for their turn before more are refused."),
      lookback_delta: DurationMs.default(5 * MINUTE).describe(
        "How old a sample may be that still counts as the current value.",
      ),
      default_step: DurationMs.default(MINUTE).describe("Step of subqueries that name none."),
    })
    .prefault({})
    .describe("Limits of PromQL queries."),
});
export type MetricStoreConfig = z.infer<typeof MetricStoreConfig>;
