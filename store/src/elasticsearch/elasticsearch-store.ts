import {
  decodeLogs,
  decodeTraces,
  encodeLogs,
  encodeTraces,
  OtlpDecodeError,
  type LogRecord,
  type Span,
  type WriteRequest,
} from "@tocsin/model";
import type { BusHandler, BusMessage, ConsumeResult, DeadLetterSink } from "@tocsin/bus";
import { errorMessage, every, TocsinError, type Clock, type Logger, type Registry } from "@tocsin/platform";
import { SpanMetrics, toWriteRequest } from "../services/span-metrics.ts";
import { LOG_WRITER_GROUP, SPAN_WRITER_GROUP, type StoreUsage, type TelemetryStore } from "../telemetry-store.ts";
import type { ServiceRow } from "../trace-store.ts";
import { spanKind, type StoredSignal } from "../writers/record-kind.ts";
import { BulkWriter, type BulkDocument, type BulkOutcome } from "./bulk-writer.ts";
import type { ElasticsearchConfig } from "./config.ts";
import { Connection, ServerRefused, type ServerFeatures } from "./connection.ts";
import { ElasticLogs } from "./elastic-logs.ts";
import { ElasticTraces } from "./elastic-traces.ts";
import { indexEndMs, indexNamer, indexPattern } from "./index-names.ts";
import { indexTemplate, lifecyclePolicy } from "./index-templates.ts";
import { logDocuments } from "./log-document.ts";
import { Searcher } from "./searcher.ts";
import { elasticServices } from "./services.ts";
import { spanDocuments } from "./span-document.ts";
import { elasticMetrics, type ElasticMetrics } from "./self-metrics.ts";

export interface ElasticsearchStoreOptions {
  config: ElasticsearchConfig;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Where metrics computed from spans go; without it they are not computed. */
  spanMetricsSink?: (request: WriteRequest) => Promise<void>;
  /**
   * Where single records go that Elasticsearch will never take, each as an export request of its own. Without it the whole
   * message is reported as poison, with what was refused in the reason; the rest of it is written all the same.
   */
  deadLetters?: DeadLetterSink;
}

const UPKEEP_MS = 30_000;
const RETRY_MS = 2000;
/** Different reasons that are told of one message. */
const MAX_REASONS = 3;
const GROUPS: Record<StoredSignal, string> = { logs: LOG_WRITER_GROUP, spans: SPAN_WRITER_GROUP };
const SIGNALS = ["logs", "spans"] as const;

/**
 * Logs and spans in Elasticsearch or OpenSearch: daily indices, written by `_bulk`, searched by the same queries as the
 * embedded store. It starts also while the server is away; until it is there, writers give their messages back and searches
 * fail with TOCSIN_UNAVAILABLE. Any number of processes may have one, for writing or for asking.
 */
export function createElasticsearchStore(options: ElasticsearchStoreOptions): TelemetryStore {
  return new ElasticsearchStore(options);
}

class ElasticsearchStore implements TelemetryStore {
  readonly name = "elasticsearch-store";
  readonly logs: ElasticLogs;
  readonly traces: ElasticTraces;
  readonly writers: { logs: BusHandler; spans: BusHandler };
  readonly #options: ElasticsearchStoreOptions;
  readonly #log: Logger;
  readonly #connection: Connection;
  readonly #bulk: BulkWriter;
  readonly #metrics: ElasticMetrics;
  readonly #searchers: Record<StoredSignal, Searcher>;
  readonly #spanMetrics: SpanMetrics;
  readonly #usage: Record<StoredSignal, StoreUsage> = { logs: emptyUsage(), spans: emptyUsage() };
  #features: ServerFeatures | undefined;
  #settingUp: Promise<ServerFeatures> | undefined;
  #away = false;
  #timers: Disposable[] = [];
  #pendingBytes = 0;
  #stopped = false;

  constructor(options: ElasticsearchStoreOptions) {
    const { config, clock, registry } = options;
    this.#options = options;
    this.#log = options.logger.child({ component: this.name });
    this.#metrics = elasticMetrics(registry, () => this.usage());
    this.#connection = new Connection(config);
    this.#bulk = new BulkWriter({
      connection: this.#connection,
      clock,
      maxBytes: config.max_bulk_bytes,
      concurrency: config.concurrent_bulks,
      timeoutMs: config.write_timeout,
      onRetry: (reason) => this.#metrics.retried.inc({ reason }),
    });
    const searcher = (signal: StoredSignal) =>
      new Searcher({
        connection: this.#connection,
        ready: () => this.#ready(),
        clock,
        indices: indexPattern(config.index_prefix, signal),
        timeoutMs: config.search_timeout,
      });
    this.#searchers = { logs: searcher("logs"), spans: searcher("spans") };
    this.#spanMetrics = new SpanMetrics(config.span_metrics.max_series);
    this.logs = new ElasticLogs({
      searcher: this.#searchers.logs,
      clock,
      write: ({ records, bytes }) => this.#append("logs", this.#logDocuments(records, bytes)),
      countsAttributes: async () => (await this.#ready()).flavor === "elasticsearch",
      tailIntervalMs: config.tail_interval,
      onTailDropped: (count) => this.#metrics.tailDropped.inc(count),
    });
    this.traces = new ElasticTraces({
      searcher: this.#searchers.spans,
      write: (spans) => this.#append("spans", this.#spanDocuments(spans)),
    });
    this.writers = {
      logs: (message) => this.#consume("logs", message),
      spans: (message) => this.#consume("spans", message),
    };
  }

  async start(): Promise<void> {
    const { clock, config, spanMetricsSink: sink } = this.#options;
    await this.#ready().catch(() => {});
    this.#repeat(UPKEEP_MS, () => this.#upkeep(), "store upkeep failed");
    this.#repeat(RETRY_MS, () => this.#comeBack(), "setting up indices failed");
    if (sink)
      this.#repeat(config.span_metrics.interval, () => this.#emitSpanMetrics(sink), "writing span metrics failed");
    if (this.#features) await this.#refreshUsage(clock.now());
  }

  /** Gives up what is not written yet; its messages were not acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers = [];
    await this.#bulk.stop();
    await this.#connection.close();
  }

  async services(): Promise<ServiceRow[]> {
    return elasticServices(Object.values(this.#searchers));
  }

  usage(): Record<StoredSignal, StoreUsage> {
    return this.#usage;
  }

  #repeat(intervalMs: number, task: () => Promise<void>, failure: string): void {
    const onError = (error: unknown) => {
      if (!this.#stopped) this.#log.error({ err: error }, failure);
    };
    this.#timers.push(every(this.#options.clock, intervalMs, task, onError));
  }

  /** What the server is, once templates are in place. Rejects while it is away. */
  async #ready(): Promise<ServerFeatures> {
    if (this.#stopped) throw new TocsinError("TOCSIN_STOPPING", "the store is stopped");
    if (this.#features) return this.#features;
    this.#settingUp ??= this.#setUp().finally(() => (this.#settingUp = undefined));
    return this.#settingUp;
  }

  async #setUp(): Promise<ServerFeatures> {
    const { config } = this.#options;
    try {
      const features = await this.#connection.features();
      if (config.manage_templates) for (const signal of SIGNALS) await this.#install(signal, features);
      this.#features = features;
      this.#away = false;
      this.#log.info({ ...features, nodes: config.nodes }, "elasticsearch found");
      return features;
    } catch (error) {
      if (!this.#away) this.#log.warn({ err: error, nodes: config.nodes }, "elasticsearch cannot be used yet");
      this.#away = true;
      if (!(error instanceof ServerRefused)) throw error;
      throw new TocsinError("TOCSIN_UNAVAILABLE", `Elasticsearch refuses to be set up: ${error.message}`, {
        cause: error,
      });
    }
  }

  async #install(signal: StoredSignal, features: ServerFeatures): Promise<void> {
    const { config } = this.#options;
    const name = `${config.index_prefix}-${signal}`;
    if (features.ilm) {
      const body = lifecyclePolicy(config[signal].retention);
      await this.#connection.request({ method: "PUT", path: `/_ilm/policy/${name}`, body });
    }
    const body = indexTemplate(signal, config, features);
    await this.#connection.request({ method: "PUT", path: `/_index_template/${name}`, body });
  }

  /** Waits for a server that was away at the start. */
  async #comeBack(): Promise<void> {
    if (this.#features) return;
    await this.#ready().catch(() => {});
  }

  async #consume(signal: StoredSignal, message: BusMessage): Promise<ConsumeResult> {
    const bytes = message.value.length;
    this.#takeIn(signal, bytes);
    try {
      await this.#ready();
      const read = signal === "logs" ? () => this.#readLogs(message.value) : () => this.#readSpans(message.value);
      const prepared = prepare(read);
      if (prepared.status === "poison") return prepared;
      const { documents, onWritten, encode } = prepared.batch;
      const outcomes = await this.#bulk.write(documents, { refresh: false });
      this.#count(signal, outcomes);
      onWritten?.(outcomes);
      return await this.#setAside(signal, message, outcomes, encode);
    } finally {
      this.#pendingBytes -= bytes;
    }
  }

  #takeIn(signal: StoredSignal, bytes: number): void {
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#options.config.max_pending_bytes) {
      this.#metrics.refused.inc({ signal });
      throw new TocsinError("TOCSIN_OVERLOADED", "the store is behind with writing; send again shortly");
    }
    this.#pendingBytes += bytes;
  }

  #readLogs(value: Uint8Array): Batch {
    const records = decodeLogs(value);
    return {
      documents: this.#logDocuments(records, value),
      encode: (at) => encodeLogs([records[at] as LogRecord]),
    };
  }

  #readSpans(value: Uint8Array): Batch {
    const spans = this.#admitted(decodeTraces(value));
    const count = (outcomes: readonly BulkOutcome[]) => {
      const fresh = spans.filter((_, i) => outcomes[i]?.status === "created");
      this.#spanMetrics.add(fresh, this.#options.clock.now());
    };
    return {
      documents: this.#spanDocuments(spans),
      encode: (at) => encodeTraces([spans[at] as Span]),
      ...(this.#options.spanMetricsSink && { onWritten: count }),
    };
  }

  /** OTLP: a span without a valid trace id and span id is not one. */
  #admitted(received: readonly Span[]): Span[] {
    const now = this.#options.clock.now();
    const spans = received.flatMap((span) => spanKind.admit(span, now) ?? []);
    if (spans.length < received.length) {
      this.#metrics.leftOut.inc({ signal: "spans", reason: "invalid" }, received.length - spans.length);
    }
    return spans;
  }

  #logDocuments(records: readonly LogRecord[], bytes: Uint8Array): BulkDocument[] {
    return logDocuments({ records, bytes }, this.#namer("logs"), this.#options.clock.now());
  }

  #spanDocuments(spans: readonly Span[]): BulkDocument[] {
    return spanDocuments(spans, this.#namer("spans"), this.#options.clock.now());
  }

  #namer(signal: StoredSignal): (ms: number) => string {
    const { config, clock } = this.#options;
    return indexNamer(config.index_prefix, signal, { now: clock.now(), retentionMs: config[signal].retention });
  }

  async #append(signal: StoredSignal, documents: readonly BulkDocument[]): Promise<void> {
    await this.#ready();
    const outcomes = await this.#bulk.write(documents, { refresh: true });
    this.#count(signal, outcomes);
    const refused = refusals(outcomes);
    if (refused.length > 0) throw new TocsinError("TOCSIN_BAD_REQUEST", reasonOf(refused, outcomes.length));
  }

  #count(signal: StoredSignal, outcomes: readonly BulkOutcome[]): void {
    const of = (status: BulkOutcome["status"]) => outcomes.filter((outcome) => outcome.status === status).length;
    const { written, leftOut } = this.#metrics;
    written.inc({ signal }, of("created"));
    if (of("replaced") > 0) leftOut.inc({ signal, reason: "repeated" }, of("replaced"));
    if (of("refused") > 0) leftOut.inc({ signal, reason: "refused" }, of("refused"));
  }

  /** Only the records that were refused become dead letters, where there is a place for them. */
  async #setAside(
    signal: StoredSignal,
    { topic, key }: BusMessage,
    outcomes: readonly BulkOutcome[],
    encode: (at: number) => Uint8Array,
  ): Promise<ConsumeResult> {
    const refused = refusals(outcomes);
    if (refused.length === 0) return { status: "ok" };
    const { deadLetters, clock } = this.#options;
    if (!deadLetters) return { status: "poison", reason: reasonOf(refused, outcomes.length) };
    for (const { at, reason } of refused) {
      const letter = { at: clock.now(), topic, group: GROUPS[signal], key, reason, value: encode(at) };
      await deadLetters.add(letter, 1);
    }
    return { status: "ok" };
  }

  async #upkeep(): Promise<void> {
    if (!this.#features) return;
    const now = this.#options.clock.now();
    this.#spanMetrics.expire(now);
    if (this.#options.config.manage_templates) await this.#keepTemplates(this.#features);
    await this.#refreshUsage(now);
  }

  /** A cluster that was made anew behind the same address has to get its templates before it gets a new day's index. */
  async #keepTemplates(features: ServerFeatures): Promise<void> {
    for (const signal of SIGNALS) {
      const path = `/_index_template/${this.#options.config.index_prefix}-${signal}`;
      try {
        await this.#connection.request({ method: "GET", path, query: { filter_path: "index_templates.name" } });
      } catch (error) {
        if (!(error instanceof ServerRefused && error.status === 404)) throw error;
        await this.#install(signal, features);
        this.#log.warn({ signal }, "index template was missing and is installed again");
      }
    }
  }

  /** Counts what there is, and drops days that are past retention. */
  async #refreshUsage(now: number): Promise<void> {
    for (const signal of SIGNALS) {
      const { config } = this.#options;
      const indices = await this.#indices(signal);
      const isOver = (name: string) => (indexEndMs(name) ?? Infinity) + config[signal].retention < now;
      for (const { name } of indices.filter(({ name }) => isOver(name))) await this.#drop(signal, name);
      const kept = indices.filter(({ name }) => !isOver(name));
      this.#usage[signal] = {
        files: kept.length,
        records: kept.reduce((sum, { records }) => sum + records, 0),
        bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
        oldestMs: await this.#oldest(signal),
      };
    }
  }

  async #indices(signal: StoredSignal): Promise<{ name: string; records: number; bytes: number }[]> {
    const pattern = encodeURIComponent(indexPattern(this.#options.config.index_prefix, signal));
    const { indices = {} } = await this.#connection.request<IndexStats>({
      method: "GET",
      path: `/${pattern}/_stats/docs,store`,
      query: { filter_path: "indices.*.primaries.docs.count,indices.*.total.store.size_in_bytes" },
    });
    return Object.entries(indices).map(([name, { primaries, total }]) => ({
      name,
      records: primaries.docs.count,
      bytes: total?.store?.size_in_bytes ?? 0,
    }));
  }

  async #oldest(signal: StoredSignal): Promise<number | undefined> {
    type Oldest = { oldest: { value: number | null } } | undefined;
    const aggs = { oldest: { min: { field: "@timestamp" } } };
    const counted = await this.#searchers[signal].aggregate<Oldest>([], aggs);
    return counted?.oldest.value ?? undefined;
  }

  async #drop(signal: StoredSignal, name: string): Promise<void> {
    try {
      await this.#connection.request({ method: "DELETE", path: `/${encodeURIComponent(name)}` });
      this.#metrics.dropped.inc({ signal, reason: "age" });
      this.#log.info({ signal, index: name }, "old index dropped");
    } catch (error) {
      // Another process may have been first.
      if (!(error instanceof ServerRefused && error.status === 404)) throw error;
    }
  }

  async #emitSpanMetrics(sink: (request: WriteRequest) => Promise<void>): Promise<void> {
    const snapshot = this.#spanMetrics.snapshot();
    this.#metrics.overflowed.set(snapshot.overflowed);
    this.#metrics.unpaired.set(snapshot.unpaired);
    if (snapshot.series.length > 0) await sink(toWriteRequest(snapshot, this.#options.clock.now()));
  }
}

/** A message's records, ready to be written. */
interface Batch {
  documents: BulkDocument[];
  /** The export request of a single record. */
  encode: (at: number) => Uint8Array;
  onWritten?: (outcomes: readonly BulkOutcome[]) => void;
}

/** A message that cannot be read, for whatever reason, must not hold up those behind it. */
function prepare(read: () => Batch): { status: "ready"; batch: Batch } | { status: "poison"; reason: string } {
  try {
    return { status: "ready", batch: read() };
  } catch (error) {
    if (error instanceof OtlpDecodeError) return { status: "poison", reason: error.message };
    return { status: "poison", reason: `cannot be stored: ${errorMessage(error)}` };
  }
}

interface IndexStats {
  indices?: Record<string, { primaries: { docs: { count: number } }; total?: { store?: { size_in_bytes: number } } }>;
}

interface Refusal {
  at: number;
  reason: string;
}

const refusals = (outcomes: readonly BulkOutcome[]): Refusal[] =>
  outcomes.flatMap((outcome, at) => (outcome.status === "refused" ? [{ at, reason: outcome.reason }] : []));

const reasonOf = (refused: readonly Refusal[], of: number): string => {
  const reasons = [...new Set(refused.map(({ reason }) => reason))].slice(0, MAX_REASONS).join("; ");
  return `${refused.length} of ${of} records refused: ${reasons}`;
};

const emptyUsage = (): StoreUsage => ({ files: 0, records: 0, bytes: 0, oldestMs: undefined });
