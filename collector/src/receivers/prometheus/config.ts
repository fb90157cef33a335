import { formatDuration } from "@tocsin/model";
import { DurationMs, SizeBytes } from "@tocsin/platform";
import { z } from "zod";
import { Authorization, BasicAuth, oneKindOfCredentials } from "./credentials.ts";
import { discoveryShape } from "./discovery/kinds.ts";
import { RelabelConfig } from "./relabel.ts";
import { StaticConfig } from "./target-group.ts";

const limit = z.int().min(0).default(0);

const ScrapeConfig = z
  .strictObject({
    job_name: z.string().min(1).describe("becomes the job label"),
    scrape_interval: DurationMs.optional().describe("global.scrape_interval by default"),
    scrape_timeout: DurationMs.optional().describe("global.scrape_timeout by default, but never above the interval"),
    metrics_path: z.string().startsWith("/").default("/metrics"),
    scheme: z.enum(["http", "https"]).default("http"),
    params: z.record(z.string(), z.array(z.string())).default({}).describe("parameters of the URL"),
    honor_labels: z
      .boolean()
      .default(false)
      .describe("scraped labels win over the target's; else they are kept as exported_…"),
    honor_timestamps: z.boolean().default(true).describe("take the timestamps that the target gives"),
    track_timestamps_staleness: z
      .boolean()
      .default(false)
      .describe("mark vanished series stale also where the target gave timestamps"),
    follow_redirects: z.boolean().default(true),
    basic_auth: BasicAuth.optional(),
    authorization: Authorization.optional(),
    static_configs: z.array(StaticConfig).default([]),
    ...discoveryShape,
    relabel_configs: z.array(RelabelConfig).default([]).describe("applied to targets"),
    metric_relabel_configs: z.array(RelabelConfig).default([]).describe("applied to samples"),
    sample_limit: limit.describe("samples per scrape after relabelling, 0 = any number; above it the scrape fails"),
    label_limit: limit.describe("labels per sample, 0 = any number; above it the scrape fails"),
    label_name_length_limit: limit.describe("bytes of a label name, 0 = any length"),
    label_value_length_limit: limit.describe("bytes of a label value, 0 = any length"),
    body_size_limit: SizeBytes.prefault("64MiB").describe("uncompressed bytes per scrape; above it the scrape fails"),
  })
  .refine(...oneKindOfCredentials);

/** Prometheus' `global` and `scrape_configs`, in its own format. */
export const PrometheusConfig = z
  .strictObject({
    global: z
      .strictObject({
        scrape_interval: DurationMs.prefault("1m"),
        scrape_timeout: DurationMs.prefault("10s"),
      })
      .prefault({}),
    scrape_configs: z.array(ScrapeConfig).default([]),
  })
  .superRefine((config, context) => {
    const names = new Set<string>();
    for (const [i, scrape] of config.scrape_configs.entries()) {
      const issue = (key: string, message: string) =>
        context.addIssue({ code: "custom", path: ["scrape_configs", i, key], message });
      if (names.has(scrape.job_name))
        issue("job_name", `there is another scrape config with job_name ${JSON.stringify(scrape.job_name)}`);
      names.add(scrape.job_name);
      const interval = scrape.scrape_interval ?? config.global.scrape_interval;
      if (interval === 0) issue("scrape_interval", "must be above 0");
      if (scrape.scrape_timeout !== undefined && scrape.scrape_timeout > interval) {
        issue("scrape_timeout", `is above the scrape interval of ${formatDuration(interval)}`);
      }
    }
  });
export type PrometheusConfig = z.output<typeof PrometheusConfig>;

/** A scrape config with the global values filled in. */
export type ScrapeJob = z.output<typeof ScrapeConfig> & { scrape_interval: number; scrape_timeout: number };

export function scrapeJobs(config: PrometheusConfig): ScrapeJob[] {
  return config.scrape_configs.map((scrape) => {
    const scrape_interval = scrape.scrape_interval ?? config.global.scrape_interval;
    const scrape_timeout = scrape.scrape_timeout ?? Math.min(config.global.scrape_timeout, scrape_interval);
    return { ...scrape, scrape_interval, scrape_timeout };
  });
}
