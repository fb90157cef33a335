import {
  decodeMetrics,
  type Exemplar,
  formatMatchers,
  type Labels,
  type Matcher,
  METRIC_NAME,
  type MetricMetadata,
  OtlpDecodeError,
  otlpToSamples,
  ProtobufError,
  type UnixMs,
  type WriteRequest,
} from "@tocsin/model";
import {
  type Clock,
  type Component,
  Counter,
  Histogram,
  type Logger,
  type Registry,
  TocsinError,
} from "@tocsin/platform";
import { type Expr, formatExpr, QueryError, type QueryResult, type SeriesData } from "@tocsin/promql";
import type { Cardinality } from "../metrics/cardinality.ts";
import type { AskOptions, LabelScope, MetricStore, StoreStatus } from "../metrics/metric-store.ts";
import type { OtlpSink } from "../metrics/metric-writer.ts";
import { TRUNCATED } from "../metrics/query/query-json.ts";
import type { JsonOptions } from "../metrics/query/query-runner.ts";
import type { PrometheusStoreConfig } from "./config.ts";
import { HttpClient } from "./http-client.ts";
import { ApiClient, readAnswer } from "./query/api-client.ts";
import { type QueryAnswerJson, resultFromJson } from "./query/result-from-json.ts";
import { parseValue } from "./query/value.ts";
import { decodeReadResponse, encodeReadRequest } from "./wire/remote-read.ts";
import { SnappyError, snappyCompress, snappyUncompress } from "./wire/snappy.ts";
import { METRIC_TYPES } from "./wire/write-v1.ts";
import { RemoteWriter } from "./write/remote-writer.ts";

const MAX_READ_BYTES = 512 * 1024 * 1024;
/** Matches every series, where Prometheus wants to be asked for some. */
const ANY_SERIES = `{${METRIC_NAME}=~".+"}`;

/** The seam that the embedded store fills, too, over a Prometheus elsewhere. */
export interface PrometheusMetricStore extends MetricStore, OtlpSink, Component {
  stats(): Promise<StoreStatus>;
  cardinality(limit: number): Promise<Cardinality>;
}

export interface PrometheusStoreDeps {
  config: PrometheusStoreConfig;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

/**
 * Keeps samples in a Prometheus: writes by remote write, asks over its HTTP API. Needs `--web.enable-remote-write-receiver`
 * there. Does not wait for Prometheus at the start; while it is away, appends and queries reject with TOCSIN_UNAVAILABLE.
 */
export function createPrometheusStore(deps: PrometheusStoreDeps): PrometheusMetricStore {
  return new PrometheusStore(deps);
}

class PrometheusStore implements PrometheusMetricStore {
  readonly name = "prometheus-store";
  readonly #config: PrometheusStoreConfig;
  readonly #client: HttpClient;
  readonly #api: ApiClient;
  readonly #writer: RemoteWriter;
  readonly #metrics: ReturnType<typeof createQueryMetrics>;

  constructor(deps: PrometheusStoreDeps) {
    this.#config = deps.config;
    this.#client = new HttpClient(deps.config);
    this.#api = new ApiClient(this.#client, deps.config.url);
    this.#writer = new RemoteWriter({
      ...deps,
      client: this.#client,
      logger: deps.logger.child({ component: this.name }),
    });
    this.#metrics = createQueryMetrics(deps.registry);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#writer.stop();
    await this.#client.close();
  }

  async append(request: WriteRequest): Promise<void> {
    await this.#writer.append(request);
  }

  async appendOtlp(value: Uint8Array): ReturnType<OtlpSink["appendOtlp"]> {
    const promoteResourceAttributes = this.#config.promote_resource_attributes;
    let converted: ReturnType<typeof otlpToSamples>;
    try {
      converted = otlpToSamples(decodeMetrics(value), { promoteResourceAttributes });
    } catch (error) {
      if (error instanceof OtlpDecodeError) return { status: "poison", reason: error.message };
      throw error;
    }
    await this.#writer.append(converted.request);
    for (const [reason, count] of Object.entries(converted.dropped)) this.#metrics.dropped.inc({ reason }, count);
    return { status: "ok" };
  }

  async select(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs): Promise<SeriesData[]> {
    const request = encodeReadRequest(matchers, Math.max(fromMs + 1, -Number.MAX_SAFE_INTEGER), toMs);
    const answer = await this.#api.read(await snappyCompress(request), this.#config.query_timeout);
    try {
      return decodeReadResponse(await snappyUncompress(answer, MAX_READ_BYTES));
    } catch (error) {
      if (error instanceof SnappyError && error.tooLarge) throw new QueryError("execution", error.message);
      if (!(error instanceof SnappyError || error instanceof ProtobufError)) throw error;
      throw new TocsinError("TOCSIN_UNAVAILABLE", `not an answer to remote read: ${error.message}`, { cause: error });
    }
  }

  async instant(expr: string | Expr, atMs: UnixMs, options: AskOptions = {}): Promise<QueryResult> {
    const body = await this.#query("query", [["query", textOf(expr)], ["time", seconds(atMs)]], options); // prettier-ignore
    return resultFromJson(answerOf(body), atMs);
  }

  async range(
    expr: string | Expr,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    options: AskOptions = {},
  ): Promise<QueryResult & { type: "matrix" }> {
    const body = await this.#query("query_range", rangeParameters(textOf(expr), fromMs, toMs, stepMs), options);
    const result = resultFromJson(answerOf(body), toMs);
    if (result.type !== "matrix") throw new Error(`a range query gave a ${result.type}`);
    return result;
  }

  async instantJson(expr: string, atMs: UnixMs, json: JsonOptions, options: AskOptions = {}): Promise<Uint8Array> {
    const parameters = [["query", expr], ["time", seconds(atMs)], ...jsonParameters(json)] as const; // prettier-ignore
    return withinLimit(await this.#query("query", parameters, options), json.limit);
  }

  async rangeJson(
    expr: string,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    json: JsonOptions,
    options: AskOptions = {},
  ): Promise<Uint8Array> {
    const parameters = [...rangeParameters(expr, fromMs, toMs, stepMs), ...jsonParameters(json)];
    return withinLimit(await this.#query("query_range", parameters, options), json.limit);
  }

  async series(scope: LabelScope): Promise<Labels[]> {
    const parameters = scopeParameters(scope);
    if (scope.matcherSets.length === 0) parameters.push(["match[]", ANY_SERIES]);
    return (await this.#data("series", parameters)) as Labels[];
  }

  async labelNames(scope: LabelScope): Promise<string[]> {
    return (await this.#data("labels", scopeParameters(scope))) as string[];
  }

  async labelValues(name: string, scope: LabelScope): Promise<string[]> {
    const path = `label/${encodeURIComponent(escapeLabelName(name))}/values`;
    return (await this.#data(path, scopeParameters(scope), "GET")) as string[];
  }

  /** What Prometheus knows from its own scrapes, and what was written through this store; remote write loses the latter. */
  async metadata(metric?: string): Promise<MetricMetadata[][]> {
    const parameters: [string, string][] = metric === undefined ? [] : [["metric", metric]];
    const told = (await this.#data("metadata", parameters, "GET")) as Record<string, MetadataJson[]>;
    const variants = new Map(
      Object.entries(told).map(([metric, list]) => [metric, list.map((json) => metadataFromJson(metric, json))]),
    );
    for (const own of this.#writer.metadata.all()) {
      if (metric !== undefined && own.metric !== metric) continue;
      const known = variants.get(own.metric);
      if (!known) variants.set(own.metric, [own]);
      else if (!known.some(({ type, unit, help }) => type === own.type && unit === own.unit && help === own.help))
        known.unshift(own);
    }
    return [...variants.values()];
  }

  async exemplars({ matcherSets, fromMs, toMs }: LabelScope): Promise<{ labels: Labels; exemplars: Exemplar[] }[]> {
    const query = matcherSets.length === 0 ? ANY_SERIES : matcherSets.map(formatMatchers).join(" or ");
    const parameters = scopeParameters({ matcherSets: [], fromMs, toMs });
    const found = (await this.#data("query_exemplars", [["query", query], ...parameters])) as ExemplarsJson[];
    return found.map(({ seriesLabels, exemplars }) => ({
      labels: seriesLabels,
      exemplars: exemplars.map(({ labels, value, timestamp }) => ({
        labels,
        value: parseValue(value),
        timestampMs: Math.round(timestamp * 1000),
      })),
    }));
  }

  /** Prometheus keeps to its own retention. */
  async expire(): Promise<void> {}

  async stats(): Promise<StoreStatus> {
    const [runtime, tsdb] = await Promise.all([
      this.#data("status/runtimeinfo", [], "GET") as Promise<{ corruptionCount: number }>,
      this.#data("status/tsdb", [], "GET") as Promise<TsdbJson>,
    ]);
    const { numSeries, minTime, maxTime } = tsdb.headStats;
    // An empty head says so with times at the ends of the world.
    return {
      corruptBlocks: runtime.corruptionCount,
      activeSeries: numSeries,
      oldestMs: Number.isSafeInteger(minTime) ? minTime : null,
      newestMs: Number.isSafeInteger(maxTime) ? maxTime : null,
    };
  }

  async cardinality(limit: number): Promise<Cardinality> {
    const { headStats, ...lists } = (await this.#data("status/tsdb", [["limit", String(limit)]], "GET")) as TsdbJson;
    return { ...lists, labelPairs: headStats.numLabelPairs };
  }

  #data(path: string, parameters: Parameter[], method: "GET" | "POST" = "POST"): Promise<unknown> {
    return this.#api.data({ path, parameters, method, timeoutMs: this.#config.query_timeout });
  }

  async #query(
    path: "query" | "query_range",
    parameters: readonly Parameter[],
    { signal, timeoutMs, lookbackMs }: AskOptions,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const limitMs = Math.min(timeoutMs ?? Infinity, this.#config.query_timeout);
    const options: Parameter[] = [["timeout", `${Math.max(1, Math.round(limitMs))}ms`]];
    if (lookbackMs !== undefined) options.push(["lookback_delta", `${Math.round(lookbackMs)}ms`]);
    const stop = this.#metrics.duration.startTimer({ type: path === "query" ? "instant" : "range" });
    try {
      // Prometheus tells better than a broken connection that the time is over.
      return await this.#api.ask({ path, parameters: [...parameters, ...options], timeoutMs: limitMs + 2000, signal });
    } catch (error) {
      this.#metrics.failures.inc({ kind: error instanceof QueryError ? error.kind : "unavailable" });
      throw error;
    } finally {
      stop();
    }
  }
}

type Parameter = readonly [name: string, value: string];

interface MetadataJson {
  type: string;
  unit: string;
  help: string;
}

interface ExemplarsJson {
  seriesLabels: Labels;
  exemplars: { labels: Labels; value: string; timestamp: number }[];
}

type TsdbJson = Omit<Cardinality, "labelPairs"> & {
  headStats: { numSeries: number; numLabelPairs: number; minTime: number; maxTime: number };
};

const textOf = (expr: string | Expr) => (typeof expr === "string" ? expr : formatExpr(expr));
const seconds = (ms: UnixMs) => String(ms / 1000);

function rangeParameters(expr: string, fromMs: UnixMs, toMs: UnixMs, stepMs: number): Parameter[] {
  return [["query", expr], ["start", seconds(fromMs)], ["end", seconds(toMs)], ["step", seconds(stepMs)]]; // prettier-ignore
}

function jsonParameters({ limit, stats }: JsonOptions): Parameter[] {
  return [...(limit > 0 ? [["limit", String(limit)] as const] : []), ...(stats ? [["stats", "true"] as const] : [])];
}

/** Open ends are left out: Prometheus has its own. */
function scopeParameters({ matcherSets, fromMs, toMs }: LabelScope): Parameter[] {
  return [
    ...matcherSets.map((matchers) => ["match[]", formatMatchers(matchers)] as const),
    ...(fromMs === -Infinity ? [] : [["start", seconds(fromMs)] as const]),
    ...(toMs === Infinity ? [] : [["end", seconds(toMs)] as const]),
  ];
}

/** As Prometheus 3 spells names in paths that older ones would refuse. */
function escapeLabelName(name: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return name;
  let escaped = "U__";
  for (const char of name) {
    if (char === "_") escaped += "__";
    else if (/[a-zA-Z0-9]/.test(char)) escaped += char;
    else escaped += `_${(char.codePointAt(0) ?? 0).toString(16)}_`;
  }
  return escaped;
}

function answerOf(body: Uint8Array): QueryAnswerJson {
  return readAnswer(body) as QueryAnswerJson;
}

/** Releases before 2.54 do not know `limit`. */
function withinLimit(body: Uint8Array, limit: number): Uint8Array {
  if (limit === 0) return body;
  const answer = answerOf(body);
  const { data, warnings = [] } = answer;
  if (data.resultType === "scalar" || data.resultType === "string" || data.result.length <= limit) return body;
  data.result.length = limit;
  return Buffer.from(JSON.stringify({ ...answer, warnings: [...warnings, TRUNCATED] }));
}

function metadataFromJson(metric: string, { type, unit, help }: MetadataJson): MetricMetadata {
  return { metric, type: METRIC_TYPES.find((known) => known === type) ?? "unknown", unit, help };
}

function createQueryMetrics(registry: Registry) {
  const registers = [registry];
  return {
    dropped: new Counter({
      name: "tocsin_prometheus_otlp_dropped_total",
      help: "OTLP data points that have no form as samples, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    duration: new Histogram({
      name: "tocsin_prometheus_query_duration_seconds",
      help: "How long queries to Prometheus took.",
      labelNames: ["type"],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 120],
      registers,
    }),
    failures: new Counter({
      name: "tocsin_prometheus_query_failures_total",
      help: "Queries that gave no answer, by kind.",
      labelNames: ["kind"],
      registers,
    }),
  };
}
