import { parseKeyPairsIntoRecord } from "@opentelemetry/core";

/** Per signal: how records are queued and sent. */
export interface BatchConfig {
  maxQueueSize: number;
  maxBatchSize: number;
  delayMs: number;
}

/** How a signal's batches are written: OTLP/HTTP with binary bodies, or with JSON ones. */
export type OtlpProtocol = (typeof PROTOCOLS)[number];

export interface TelemetryConfig {
  disabled: boolean;
  /** Undefined when nobody said; then the name in the app's package.json is taken. */
  serviceName: string | undefined;
  resourceAttributes: Record<string, string>;
  /** Full URLs; undefined switches the signal off. */
  tracesUrl: string | undefined;
  logsUrl: string | undefined;
  tracesProtocol: OtlpProtocol;
  logsProtocol: OtlpProtocol;
  headers: Record<string, string>;
  timeoutMs: number;
  gzip: boolean;
  sampler: string;
  samplerArg: string | undefined;
  spans: BatchConfig;
  logs: BatchConfig;
  /** Whether `/metrics` of the app's own HTTP server is answered. */
  metricsRoute: boolean;
  /** Where to serve metrics besides, for a process without an HTTP server. */
  metricsListen: { host: string; port: number } | undefined;
  /** Lower-case names of request headers to record on server spans. */
  captureHeaders: readonly string[];
}

/** Never recorded, whatever the allow-list says. */
const SECRET_HEADERS = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"]);

const PROTOCOLS = ["http/protobuf", "http/json"] as const;

const DEFAULT_ENDPOINT = "http://127.0.0.1:4318";

/**
 * Reads the standard `OTEL_…` variables. What cannot be used is replaced by its default and named in `warnings`: a wrong
 * setting must not keep the app from starting.
 */
export function readConfig(env: Record<string, string | undefined>): { config: TelemetryConfig; warnings: string[] } {
  const warnings: string[] = [];
  // The specification treats an empty variable as one that is not set.
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const count = (name: string, fallback: number): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (Number.isSafeInteger(number) && number > 0) return number;
    warnings.push(`${name}=${value} is not a positive integer, using ${fallback}`);
    return fallback;
  };
  const choice = <T extends string>(name: string, accepted: readonly T[], fallback: T): T => {
    const value = text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    const found = accepted.find((one) => one === value);
    if (found !== undefined) return found;
    warnings.push(`${name}=${value} is not supported (${accepted.join(", ")}), using ${fallback}`);
    return fallback;
  };
  const endpoint = (signal: "TRACES" | "LOGS"): string | undefined => {
    if (choice(`OTEL_${signal}_EXPORTER`, ["otlp", "none"], "otlp") === "none") return undefined;
    const own = text(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
    const base = text("OTEL_EXPORTER_OTLP_ENDPOINT") ?? DEFAULT_ENDPOINT;
    const path = `/v1/${signal.toLowerCase()}`;
    const url = own ?? base.replace(/\/+$/, "") + path;
    if (URL.canParse(url) && /^https?:/i.test(url)) return url;
    warnings.push(`${url} is not an http(s) address, using ${DEFAULT_ENDPOINT}`);
    return DEFAULT_ENDPOINT + path;
  };
  const protocol = choice("OTEL_EXPORTER_OTLP_PROTOCOL", PROTOCOLS, "http/protobuf");
  const pairs = (name: string): Record<string, string> => parseKeyPairsIntoRecord(text(name));
  const batch = (prefix: "OTEL_BSP" | "OTEL_BLRP"): BatchConfig => {
    const maxQueueSize = count(`${prefix}_MAX_QUEUE_SIZE`, 2048);
    return {
      maxQueueSize,
      maxBatchSize: Math.min(maxQueueSize, count(`${prefix}_MAX_EXPORT_BATCH_SIZE`, 512)),
      // The specification's 5 s for spans is long for someone who has just pressed a button.
      delayMs: count(`${prefix}_SCHEDULE_DELAY`, 1000),
    };
  };

  const resourceAttributes = pairs("OTEL_RESOURCE_ATTRIBUTES");
  const metricsPort = text("OTEL_EXPORTER_PROMETHEUS_PORT");
  const metrics = choice("OTEL_METRICS_EXPORTER", ["prometheus", "none"], "prometheus") === "prometheus";
  const config: TelemetryConfig = {
    disabled: text("OTEL_SDK_DISABLED")?.toLowerCase() === "true",
    serviceName: text("OTEL_SERVICE_NAME") ?? resourceAttributes["service.name"],
    resourceAttributes,
    tracesUrl: endpoint("TRACES"),
    logsUrl: endpoint("LOGS"),
    tracesProtocol: choice("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", PROTOCOLS, protocol),
    logsProtocol: choice("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", PROTOCOLS, protocol),
    headers: pairs("OTEL_EXPORTER_OTLP_HEADERS"),
    timeoutMs: count("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000),
    gzip: choice("OTEL_EXPORTER_OTLP_COMPRESSION", ["gzip", "none"], "none") === "gzip",
    sampler: choice("OTEL_TRACES_SAMPLER", SAMPLERS, "parentbased_always_on"),
    samplerArg: text("OTEL_TRACES_SAMPLER_ARG"),
    spans: batch("OTEL_BSP"),
    logs: batch("OTEL_BLRP"),
    metricsRoute: metrics,
    metricsListen:
      metrics && metricsPort !== undefined
        ? {
            host: text("OTEL_EXPORTER_PROMETHEUS_HOST") ?? "127.0.0.1",
            port: count("OTEL_EXPORTER_PROMETHEUS_PORT", 9464),
          }
        : undefined,
    captureHeaders: (text("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST") ?? "")
      .split(",")
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== "" && !SECRET_HEADERS.has(name)),
  };
  return { config, warnings };
}

export const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;
