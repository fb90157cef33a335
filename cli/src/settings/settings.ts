import { z } from "zod";
import { ExtraReceivers } from "@tocsin/alerting";
import { BusConfig } from "@tocsin/bus";
import { CollectorConfig } from "@tocsin/collector";
import { ElasticsearchConfig, MetricStoreConfig, PrometheusStoreConfig, TelemetryStoreConfig } from "@tocsin/store";

const port = (fallback: number, what: string) =>
  z.coerce.number().int().min(0).max(65_535).default(fallback).describe(`${what}; 0 takes any free port`);

const flag = z.preprocess((value) => (value === "true" ? true : value === "false" ? false : value), z.boolean());

/**
 * The settings that a flag and an environment variable can also give: `otlp_http_port` in tocsin.yaml is
 * `--otlp-http-port` and `TOCSIN_OTLP_HTTP_PORT`. Flags win over the environment, which wins over the file.
 */
export const ScalarSettings = z.strictObject({
  data_dir: z.string().min(1).default("./data").describe("folder for everything Tocsin keeps"),
  host: z.string().min(1).default("127.0.0.1").describe("address that every listener binds"),
  port: port(9400, "dashboard, query API, alert API"),
  otlp_http_port: port(4318, "OTLP over HTTP"),
  otlp_grpc_port: port(4317, "OTLP over gRPC"),
  alertmanager_port: port(9093, "Alertmanager-compatible listener"),
  smtp_port: port(1025, "SMTP sink of the demo's inbox"),
  api_port: port(8081, "sample API gateway"),
  sms_port: port(8082, "sample SMS service"),
  rate_limiter_port: port(8083, "sample rate limiter"),
  external_url: z
    .string()
    .url()
    .or(z.literal(""))
    .default("")
    .describe("address under which people reach Tocsin, for links in notifications"),
  config_file: z.string().default("").describe("alertmanager.yml; empty takes the shipped demo profile"),
  rules: z
    .preprocess((value) => (typeof value === "string" ? value.split(",") : value), z.array(z.string().min(1)))
    .default([])
    .describe("rule files in Prometheus format, globs allowed; empty takes the shipped rules"),
  demo: flag.default(true).describe("run the sample services, their load and the inbox"),
  load_rate: z.coerce
    .number()
    .min(0)
    .max(1000)
    .default(8)
    .describe("requests per second of the demo's load at its daily mean"),
  allow_unauthenticated_bind: flag
    .default(false)
    .describe("bind a non-loopback address although nothing asks for a password"),
  log_level: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("warn")
    .describe("what goes to stderr"),
});
export type ScalarSettings = z.infer<typeof ScalarSettings>;
export type ScalarKey = keyof ScalarSettings;

export const SCALAR_KEYS = Object.keys(ScalarSettings.shape) as ScalarKey[];

const StoreConfig = TelemetryStoreConfig.extend({
  metrics: MetricStoreConfig.prefault({}).describe("Samples in the embedded store."),
  elasticsearch: ElasticsearchConfig.optional().describe("Logs and traces go to Elasticsearch when this is there."),
  prometheus: PrometheusStoreConfig.optional().describe("Samples go to a Prometheus when this is there."),
});

const url = (fallback: string) => z.url({ protocol: /^https?$/ }).default(fallback);

const PeersConfig = z.strictObject({
  collector: url("http://127.0.0.1:9400").describe("Where `tocsin collector` serves HTTP."),
  rules: url("http://127.0.0.1:9400").describe("Where `tocsin rules` serves HTTP."),
  alertmanagers: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .default(["http://127.0.0.1:9093"])
    .describe("Every router, or Alertmanager; rules send to each, the dashboard asks the first."),
});

/** tocsin.yaml: the scalar settings and one section for each part. */
export const TocsinConfig = ScalarSettings.extend({
  collector: CollectorConfig.prefault({}).describe("Receivers, processors and exporters."),
  peers: PeersConfig.prefault({}).describe("Where the other roles are, when they run as processes of their own."),
  receivers: ExtraReceivers.prefault([]).describe(
    "Receivers that Alertmanager does not know, by the name of one of its receivers.",
  ),
  bus: BusConfig.prefault({}).describe("What joins the collector and the writers."),
  store: StoreConfig.prefault({}).describe("Where logs, spans and samples are kept, and for how long."),
});
export type TocsinConfig = z.infer<typeof TocsinConfig>;

/** The command line spelling of a setting, without the dashes. */
export function flagName(key: ScalarKey): string {
  return key === "config_file" ? "config.file" : key.replaceAll("_", "-");
}

export function envName(key: ScalarKey): string {
  return `TOCSIN_${key.toUpperCase()}`;
}
