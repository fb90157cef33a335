import { join } from "node:path";
import type { Exemplar, Labels, Matcher, MetricMetadata, UnixMs, WriteRequest } from "@tocsin/model";
import {
  type Clock,
  type Component,
  Counter,
  every,
  Gauge,
  Histogram,
  type Logger,
  type Registry,
  siblingModule,
  startWorker,
  TocsinError,
  type WorkerHandle,
} from "@tocsin/platform";
import type { Expr, QueryResult, SeriesData } from "@tocsin/promql";
import type { MetricStoreConfig } from "./config.ts";
import type { MetricsWorkerHandlers, OtlpAppend, WorkerLog, WorkerOptions, WorkerStats } from "./metrics-worker.ts";
import type { Lane } from "./query/query-lanes.ts";
import { fromQueryFailure, type JsonOptions, type Query, type QueryOutcome } from "./query/query-runner.ts";
import type { Cardinality } from "./cardinality.ts";
import type { AppendResult } from "./sample-writer.ts";

const MAINTENANCE_MS = 10_000;
const WAL_SEGMENT_BYTES = 16 * 1024 * 1024;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
const MAX_FULL_METRICS = 100;

export interface AskOptions {
  signal?: AbortSignal | undefined;
  /** Whose query it is; default `api`. */
  lane?: Lane;
  timeoutMs?: number | undefined;
  lookbackMs?: number | undefined;
}

/** Ranges include both ends; -Infinity and Infinity leave them open. Several matcher sets mean any of them. */
export interface LabelScope {
  matcherSets: readonly (readonly Matcher[])[];
  fromMs: UnixMs;
  toMs: UnixMs;
}

/** Where samples live: the embedded store, or a Prometheus that is written to remotely. */
export interface MetricStore {
  /** Resolves when the samples are durable and queries see them; rejects when they have to come again. */
  append(request: WriteRequest): Promise<void>;
  /** The samples in `from < t <= to` of all series that match. */
  select(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs): Promise<SeriesData[]>;
  /** Rejects with ParseError or QueryError of @tocsin/promql. */
  instant(expr: string | Expr, atMs: UnixMs, options?: AskOptions): Promise<QueryResult>;
  range(
    expr: string | Expr,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    options?: AskOptions,
  ): Promise<QueryResult & { type: "matrix" }>;
  /** The same, as the body of the Prometheus HTTP API's successful response. */
  instantJson(expr: string, atMs: UnixMs, json: JsonOptions, options?: AskOptions): Promise<Uint8Array>;
  rangeJson(
    expr: string,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    json: JsonOptions,
    options?: AskOptions,
  ): Promise<Uint8Array>;
  series(scope: LabelScope): Promise<Labels[]>;
  labelNames(scope: LabelScope): Promise<string[]>;
  labelValues(name: string, scope: LabelScope): Promise<string[]>;
  /** The variants of each metric, the newest first; of one metric when named. */
  metadata(metric?: string): Promise<MetricMetadata[][]>;
  exemplars(scope: LabelScope): Promise<{ labels: Labels; exemplars: Exemplar[] }[]>;
  /** Drops what is wholly older. */
  expire(beforeMs: UnixMs): Promise<void>;
}

/** How the store does. */
export interface StoreStatus {
  corruptBlocks: number;
  activeSeries: number;
  oldestMs: UnixMs | null;
  newestMs: UnixMs | null;
}

/** The store in this process: files under `dataDir`, a thread of its own. */
export interface EmbeddedMetricStore extends MetricStore, Component {
  /** Like `append`; tells what was taken and what never will be. */
  take(request: WriteRequest): Promise<AppendResult>;
  /** Takes an ExportMetricsServiceRequest as it comes from the bus. */
  appendOtlp(value: Uint8Array): Promise<OtlpAppend>;
  stats(): Promise<WorkerStats>;
  cardinality(limit: number): Promise<Cardinality>;
  /** Settles when the store has stopped; rejects with TOCSIN_WORKER_LOST when its thread ended by itself. */
  readonly ended: Promise<void>;
}

export interface MetricStoreDeps {
  /** Its files go to `metrics/` in here. */
  dataDir: string;
  config: MetricStoreConfig;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

/** The embedded store; serves from `start` on. */
export function createMetricStore(deps: MetricStoreDeps): EmbeddedMetricStore {
  return new WorkerMetricStore(deps);
}

class WorkerMetricStore implements EmbeddedMetricStore {
  readonly name = "metric-store";
  readonly ended: Promise<void>;
  readonly #deps: MetricStoreDeps;
  readonly #logger: Logger;
  readonly #metrics: ReturnType<typeof createMetrics>;
  readonly #end = Promise.withResolvers<void>();
  #worker: WorkerHandle<MetricsWorkerHandlers> | undefined;
  #maintenance: Disposable | undefined;
  #nextQueryId = 1;

  constructor(deps: MetricStoreDeps) {
    this.#deps = deps;
    this.#logger = deps.logger.child({ component: this.name });
    this.#metrics = createMetrics(deps.registry, () => (this.#worker ? this.stats() : Promise.resolve(undefined)));
    this.ended = this.#end.promise;
    this.ended.catch(() => {});
  }

  async start(): Promise<void> {
    const { clock, config, dataDir } = this.#deps;
    const worker = startWorker<MetricsWorkerHandlers>(siblingModule(import.meta.url, "metrics-worker"));
    this.#worker = worker;
    worker.ended.then(this.#end.resolve, this.#end.reject);
    worker.on("log", (payload) => {
      const { level, fields, message } = payload as WorkerLog;
      this.#logger[level](fields, message);
    });
    try {
      const startedMs = performance.now();
      const report = await worker.call.open(workerOptions(join(dataDir, "metrics"), config));
      this.#logger.info({ ...report, ms: Math.round(performance.now() - startedMs) }, "sample store opened");
      if (report.damagedBytes > 0 || report.orphans > 0) {
        this.#logger.error(
          { ...report, code: "TOCSIN_STORE_CORRUPT" },
          "parts of the sample store's logs are damaged; the rest is served",
        );
      }
    } catch (error) {
      this.#worker = undefined;
      await worker.terminate();
      throw error;
    }
    this.#maintenance = every(
      clock,
      MAINTENANCE_MS,
      () => worker.call.maintain(clock.now()),
      (err) => this.#logger.error({ err }, "sample store maintenance failed"),
    );
  }

  async stop(): Promise<void> {
    this.#maintenance?.[Symbol.dispose]();
    this.#maintenance = undefined;
    const worker = this.#worker;
    this.#worker = undefined;
    if (!worker) return this.#end.resolve();
    await worker.call.close();
    await worker.terminate();
  }

  async append(request: WriteRequest): Promise<void> {
    await this.take(request);
  }

  async take(request: WriteRequest): Promise<AppendResult> {
    return this.#call.append(request, this.#deps.clock.now());
  }

  async appendOtlp(value: Uint8Array): Promise<OtlpAppend> {
    const outcome = await this.#call.appendOtlp(value, this.#deps.clock.now());
    if (outcome.status === "ok") {
      for (const [reason, count] of Object.entries(outcome.dropped)) this.#metrics.dropped.inc({ reason }, count);
    }
    return outcome;
  }

  select(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs): Promise<SeriesData[]> {
    return this.#call.select(matchers, fromMs, toMs, this.#deps.config.query.max_samples);
  }

  async instant(expr: string | Expr, atMs: UnixMs, options: AskOptions = {}): Promise<QueryResult> {
    return (await this.#ask("instant", { expr, fromMs: atMs }, options, (id, query) => this.#call.query(id, query)))
      .result;
  }

  async range(
    expr: string | Expr,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    options: AskOptions = {},
  ): Promise<QueryResult & { type: "matrix" }> {
    const query = { expr, fromMs, range: { toMs, stepMs } };
    const { result } = await this.#ask("range", query, options, (id, full) => this.#call.query(id, full));
    if (result.type !== "matrix") throw new Error(`a range query gave a ${result.type}`);
    return result;
  }

  async instantJson(expr: string, atMs: UnixMs, json: JsonOptions, options: AskOptions = {}): Promise<Uint8Array> {
    return (
      await this.#ask("instant", { expr, fromMs: atMs }, options, (id, query) => this.#call.queryJson(id, query, json))
    ).body;
  }

  async rangeJson(
    expr: string,
    fromMs: UnixMs,
    toMs: UnixMs,
    stepMs: number,
    json: JsonOptions,
    options: AskOptions = {},
  ): Promise<Uint8Array> {
    const query = { expr, fromMs, range: { toMs, stepMs } };
    return (await this.#ask("range", query, options, (id, full) => this.#call.queryJson(id, full, json))).body;
  }

  series({ matcherSets, fromMs, toMs }: LabelScope): Promise<Labels[]> {
    return this.#call.series(matcherSets, fromMs, toMs);
  }

  labelNames({ matcherSets, fromMs, toMs }: LabelScope): Promise<string[]> {
    return this.#call.labelNames(matcherSets, fromMs, toMs);
  }

  labelValues(name: string, { matcherSets, fromMs, toMs }: LabelScope): Promise<string[]> {
    return this.#call.labelValues(name, matcherSets, fromMs, toMs);
  }

  metadata(metric?: string): Promise<MetricMetadata[][]> {
    return this.#call.metadata(metric);
  }

  exemplars({ matcherSets, fromMs, toMs }: LabelScope): Promise<{ labels: Labels; exemplars: Exemplar[] }[]> {
    return this.#call.exemplars(matcherSets, fromMs, toMs);
  }

  expire(beforeMs: UnixMs): Promise<void> {
    return this.#call.expire(beforeMs);
  }

  stats(): Promise<WorkerStats> {
    return this.#call.stats();
  }

  cardinality(limit: number): Promise<Cardinality> {
    return this.#call.cardinality(limit);
  }

  get #call(): WorkerHandle<MetricsWorkerHandlers>["call"] {
    if (!this.#worker) throw new TocsinError("TOCSIN_UNAVAILABLE", "the sample store is not running");
    return this.#worker.call;
  }

  async #ask<T>(
    type: "instant" | "range",
    what: Pick<Query, "expr" | "fromMs" | "range">,
    { signal, lane = "api", timeoutMs, lookbackMs }: AskOptions,
    send: (id: number, query: Query) => Promise<QueryOutcome<T>>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const id = this.#nextQueryId++;
    const query = {
      ...what,
      lane,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(lookbackMs !== undefined && { lookbackMs }),
    };
    const worker = this.#call;
    const cancel = () =>
      void worker.cancel(id).catch((err: unknown) => this.#logger.debug({ err }, "query not cancelled"));
    signal?.addEventListener("abort", cancel, { once: true });
    const stop = this.#metrics.duration.startTimer({ type, lane });
    try {
      const outcome = await send(id, query);
      if (!outcome.ok) {
        this.#metrics.failures.inc({ kind: outcome.failure.kind });
        throw fromQueryFailure(outcome.failure);
      }
      this.#metrics.samples.inc({ lane }, outcome.stats.samples);
      return outcome;
    } finally {
      stop();
      signal?.removeEventListener("abort", cancel);
    }
  }
}

function workerOptions(dir: string, config: MetricStoreConfig): WorkerOptions {
  const { query } = config;
  return {
    store: {
      dir,
      fsync: config.fsync,
      flushMs: config.flush_interval,
      outOfOrderMs: config.out_of_order_window,
      futureMs: config.future_limit,
      retentionMs: config.retention,
      retentionBytes: config.retention_size,
      maxSeriesPerMetric: config.max_series_per_metric,
      maxSeries: config.max_series,
      maxExemplars: config.max_exemplars,
      walSegmentBytes: WAL_SEGMENT_BYTES,
      maxPendingBytes: MAX_PENDING_BYTES,
    },
    query: {
      timeoutMs: query.timeout,
      maxSamples: query.max_samples,
      maxConcurrency: query.max_concurrency,
      maxQueued: query.max_queued,
      lookbackMs: query.lookback_delta,
      defaultSubqueryStepMs: query.default_step,
    },
    promoteResourceAttributes: config.promote_resource_attributes,
  };
}

/** Self-metrics; those the worker keeps are fetched when somebody looks. */
function createMetrics(registry: Registry, stats: () => Promise<WorkerStats | undefined>) {
  const registers = [registry];
  // One round trip for all gauges of a scrape.
  let shared: Promise<WorkerStats | undefined> | undefined;
  const current = () => {
    shared ??= stats().finally(() => (shared = undefined));
    return shared;
  };
  const gauge = (name: string, help: string, read: (stats: WorkerStats) => number) =>
    new Gauge({
      name: `tocsin_metrics_${name}`,
      help,
      registers,
      async collect() {
        const now = await current();
        if (now) this.set(read(now));
      },
    });
  const counter = (name: string, help: string, read: (stats: WorkerStats) => number) =>
    new Counter({
      name: `tocsin_metrics_${name}`,
      help,
      registers,
      async collect() {
        const now = await current();
        if (!now) return;
        this.reset();
        this.inc(read(now));
      },
    });
  counter("samples_appended_total", "Samples taken since the start.", ({ appended }) => appended);
  counter(
    "samples_out_of_order_total",
    "Samples taken that were older than their series' newest one.",
    ({ outOfOrder }) => outOfOrder,
  );
  new Counter({
    name: "tocsin_metrics_samples_refused_total",
    help: "Samples not taken, by reason.",
    labelNames: ["reason"],
    registers,
    async collect() {
      const now = await current();
      if (!now) return;
      this.reset();
      for (const [reason, count] of Object.entries(now.refused)) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: "tocsin_metrics_cardinality_limit_reached",
    help: "1 for each metric that has as many active series as one may have.",
    labelNames: ["metric"],
    registers,
    async collect() {
      const now = await current();
      if (!now) return;
      this.reset();
      for (const metric of now.fullMetrics.slice(0, MAX_FULL_METRICS)) this.set({ metric }, 1);
    },
  });
  gauge("active_series", "Series with samples in memory.", ({ activeSeries }) => activeSeries);
  gauge("series", "Series within retention.", ({ series }) => series);
  gauge("head_samples", "Samples in memory.", ({ headSamples }) => headSamples);
  gauge("head_bytes", "Memory set aside for samples.", ({ headBytes }) => headBytes);
  gauge("blocks", "Blocks on disk.", ({ blocks }) => blocks);
  gauge("block_bytes", "Size of the blocks on disk.", ({ blockBytes }) => blockBytes);
  gauge("wal_bytes", "Size of the write-ahead log.", ({ walBytes }) => walBytes);
  gauge("corrupt_blocks", "Blocks set aside at the last start.", ({ corruptBlocks }) => corruptBlocks);
  gauge("active_queries", "Queries being evaluated.", ({ activeQueries }) => activeQueries);
  gauge("queued_queries", "Queries waiting for their turn.", ({ queuedQueries }) => queuedQueries);
  return {
    dropped: new Counter({
      name: "tocsin_metrics_otlp_dropped_total",
      help: "OTLP data points that have no form as samples, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    duration: new Histogram({
      name: "tocsin_metrics_query_duration_seconds",
      help: "How long queries took, waiting and the way to the store's thread included.",
      labelNames: ["type", "lane"],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 120],
      registers,
    }),
    samples: new Counter({
      name: "tocsin_metrics_query_samples_total",
      help: "Samples loaded by queries.",
      labelNames: ["lane"],
      registers,
    }),
    failures: new Counter({
      name: "tocsin_metrics_query_failures_total",
      help: "Queries that gave no answer, by kind.",
      labelNames: ["kind"],
      registers,
    }),
  };
}
