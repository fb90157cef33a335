import {
  encodeLogs,
  encodeTraces,
  type LogItem,
  type Query,
  type Span,
  type TraceSummary,
  type WriteRequest,
} from "@tocsin/model";
import type { BusHandler, ConsumeResult } from "@tocsin/bus";
import {
  Counter,
  every,
  Gauge,
  TocsinError,
  transfer,
  type Clock,
  type Component,
  type Logger,
  type Registry,
  type WorkerHandle,
} from "@tocsin/platform";
import type { TelemetryStoreConfig } from "./config.ts";
import { filesToDrop, type FileInfo } from "./files/file-info.ts";
import { parseFileName } from "./files/file-name.ts";
import type { Facets, Histogram, LogSearch, LogStore, Page, StoreCaps, TailEvent, TimeRange } from "./log-store.ts";
import { ReaderPool } from "./search/reader-pool.ts";
import type { Answer, Asking, StoreReader } from "./search/store-reader.ts";
import { toWriteRequest } from "./services/span-metrics.ts";
import type { EdgeRows, RedQuery, RedRows, ServiceRow, TraceSearch, TraceStore } from "./trace-store.ts";
import { TailQueue } from "./logs/tail-queue.ts";
import { workerThreads, type StoreThreads } from "./threads.ts";
import type { StoredSignal } from "./writers/record-kind.ts";
import type { AppendResult, Committed, DamagedStoreFile, Tailed, StoreWriter } from "./writers/store-writer.ts";

export interface TelemetryStoreOptions {
  dataDir: string;
  config: TelemetryStoreConfig;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Where metrics computed from spans go; without it they are not computed into series. */
  spanMetricsSink?: (request: WriteRequest) => Promise<void>;
  /** Called when a thread of the store ended by itself: nothing can be written or read any more. */
  onLost?: (error: unknown) => void;
  /** Worker threads unless tests say otherwise. */
  threads?: StoreThreads;
}

/** How much is kept, for status pages. */
export interface StoreUsage {
  files: number;
  records: number;
  bytes: number;
  /** Time of the oldest record; undefined when empty. */
  oldestMs: number | undefined;
}

export interface TelemetryStore extends Component {
  readonly logs: LogStore;
  readonly traces: TraceStore;
  /** Consumers for the bus: of `otlp_logs` in LOG_WRITER_GROUP, of `otlp_spans` in SPAN_WRITER_GROUP. */
  readonly writers: { logs: BusHandler; spans: BusHandler };
  /** Every service that spans or logs were received from within retention. */
  services(): Promise<ServiceRow[]>;
  usage(): Record<StoredSignal, StoreUsage>;
}

/** The bus groups of the writers. */
export const LOG_WRITER_GROUP = "log-writer";
export const SPAN_WRITER_GROUP = "span-writer";

const TICK_MS = 5000;
const MAX_FILE_RECORDS = 2_000_000;
const MAX_FILE_BYTES = 512 * 2 ** 20;
const MAX_TAIL_AGE_MS = 60_000;
const HOUR_MS = 3_600_000;
const MAX_TAIL_SUBSCRIBERS = 64;

/** The embedded store of logs and spans: files in `dataDir`, one writer thread, a few reader threads. */
export function createTelemetryStore(options: TelemetryStoreOptions): TelemetryStore {
  return new EmbeddedTelemetryStore(options);
}

class EmbeddedTelemetryStore implements TelemetryStore {
  readonly name = "telemetry-store";
  readonly logs: LogStore;
  readonly traces: TraceStore;
  readonly writers: { logs: BusHandler; spans: BusHandler };
  readonly #options: TelemetryStoreOptions;
  readonly #log: Logger;
  readonly #metrics: StoreMetrics;
  readonly #threads: StoreThreads;
  readonly #pool: ReaderPool;
  readonly #files: Record<StoredSignal, Map<string, FileInfo>> = { logs: new Map(), spans: new Map() };
  readonly #subscribers = new Map<number, TailQueue>();
  #writer: WorkerHandle<StoreWriter> | undefined;
  #timers: Disposable[] = [];
  #pendingBytes = 0;
  #nextSubscriber = 1;

  constructor(options: TelemetryStoreOptions) {
    this.#options = options;
    this.#log = options.logger.child({ component: "telemetry-store" });
    this.#metrics = storeMetrics(options.registry, () => this.usage());
    const { readers, max_waiting_searches: maxWaiting, search_budget: budgetMs } = options.config;
    this.#threads = options.threads ?? workerThreads;
    this.#pool = new ReaderPool({ startReader: () => this.#threads.reader(), readers, maxWaiting, budgetMs });
    this.logs = this.#logStore();
    this.traces = this.#traceStore();
    this.writers = {
      logs: (message) => this.#consume("logs", message.value),
      spans: (message) => this.#consume("spans", message.value),
    };
  }

  async start(): Promise<void> {
    const { config, dataDir } = this.#options;
    const writer = this.#threads.writer();
    this.#writer = writer;
    writer.ended.catch((error: unknown) => this.#lost(error));
    writer.on("committed", (payload) => this.#onCommitted(payload as Committed));
    writer.on("damaged", (payload) => this.#onDamaged(payload as DamagedStoreFile));
    writer.on("tail", (payload) => this.#onTail(payload as Tailed));
    const limits = (maxSize: number) => ({
      maxFileRecords: MAX_FILE_RECORDS,
      maxFileBytes: Math.min(MAX_FILE_BYTES, Math.ceil(maxSize / 8)),
      maxTailAgeMs: MAX_TAIL_AGE_MS,
      fsync: config.fsync,
    });
    const files = await writer.call.open({
      dataDir,
      commitDelayMs: config.commit_delay,
      logs: limits(config.logs.max_size),
      spans: limits(config.spans.max_size),
      maxSpanSeries: config.span_metrics.max_series,
    });
    this.#noteFiles(files);
    this.#pool.start((error) => this.#lost(error));
    this.#repeat(TICK_MS, () => this.#upkeep(), "store upkeep failed");
    const sink = this.#options.spanMetricsSink;
    if (sink)
      this.#repeat(config.span_metrics.interval, () => this.#emitSpanMetrics(sink), "writing span metrics failed");
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers = [];
    for (const queue of this.#subscribers.values()) queue.end();
    this.#subscribers.clear();
    const writer = this.#writer;
    this.#writer = undefined;
    await this.#pool.stop();
    if (!writer) return;
    try {
      await writer.call.close();
    } finally {
      await writer.terminate();
    }
  }

  async services(): Promise<ServiceRow[]> {
    return this.#running().call.services();
  }

  usage(): Record<StoredSignal, StoreUsage> {
    return { logs: usageOf(this.#files.logs.values()), spans: usageOf(this.#files.spans.values()) };
  }

  #repeat(intervalMs: number, task: () => Promise<void>, failure: string): void {
    const onError = (error: unknown) => {
      // A task that stopping cut short did not fail.
      if (this.#writer) this.#log.error({ err: error }, failure);
    };
    this.#timers.push(every(this.#options.clock, intervalMs, task, onError));
  }

  #logStore(): LogStore {
    return {
      caps: CAPS,
      append: (records) => this.#appendRecords("logs", records.length, () => encodeLogs(records)),
      search: (search: LogSearch, signal): Promise<Page<LogItem>> =>
        this.#ask("logs", (call, asking) => call.searchLogs(search, asking), signal),
      histogram: (search, signal): Promise<Histogram> =>
        this.#ask("logs", (call, asking) => call.histogram(search, asking), signal),
      facets: (search, signal): Promise<Facets> =>
        this.#ask("logs", (call, asking) => call.facets(search, asking), signal),
      tail: (query, signal) => this.#tail(query, signal),
    };
  }

  #traceStore(): TraceStore {
    return {
      caps: CAPS,
      append: (spans) => this.#appendRecords("spans", spans.length, () => encodeTraces(spans)),
      search: (search: TraceSearch, signal): Promise<Page<TraceSummary>> =>
        this.#ask("spans", (call, asking) => call.searchTraces(search, asking), signal),
      trace: (traceId, signal): Promise<Span[]> =>
        this.#ask("spans", (call, asking) => call.trace(traceId.toLowerCase(), asking), signal),
      red: (query: RedQuery, signal): Promise<RedRows> =>
        this.#ask("spans", (call, asking) => call.red(query, asking), signal),
      edges: (range: TimeRange, signal): Promise<EdgeRows> =>
        this.#ask("spans", (call, asking) => call.edges(range, asking), signal),
    };
  }

  async #appendRecords(signal: StoredSignal, count: number, encode: () => Uint8Array): Promise<void> {
    if (count === 0) return;
    const result = await this.#append(signal, encode());
    if (result.status === "poison") throw new TocsinError("TOCSIN_BAD_REQUEST", result.reason);
  }

  async #consume(signal: StoredSignal, value: Uint8Array): Promise<ConsumeResult> {
    return this.#append(signal, value);
  }

  /** Rejects when the bytes are not kept; the sender has to come again. */
  async #append(signal: StoredSignal, value: Uint8Array): Promise<AppendResult> {
    const bytes = value.length;
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > this.#options.config.max_pending_bytes) {
      this.#metrics.refused.inc({ signal });
      throw new TocsinError("TOCSIN_OVERLOADED", "the store is behind with writing; send again shortly");
    }
    this.#pendingBytes += bytes;
    try {
      const copy = Uint8Array.from(value);
      return await this.#running().call.append(signal, transfer(copy, [copy.buffer]), this.#options.clock.now());
    } finally {
      this.#pendingBytes -= bytes;
    }
  }

  #running(): WorkerHandle<StoreWriter> {
    if (!this.#writer) throw new TocsinError("TOCSIN_STOPPING", "the store is not running");
    return this.#writer;
  }

  async #ask<T>(
    signal: StoredSignal,
    question: (call: WorkerHandle<StoreReader>["call"], asking: Asking) => Promise<Answer<T>>,
    abort: AbortSignal | undefined,
  ): Promise<T> {
    const { result, damaged } = await this.#pool.ask([...this.#files[signal].values()], question, abort);
    for (const { name, reason } of damaged) await this.#setAside(signal, name, reason);
    return result;
  }

  /** Only once for each file, however many searches met it. */
  async #setAside(signal: StoredSignal, name: string, reason: string): Promise<void> {
    const file = this.#files[signal].get(name);
    if (!file) return;
    this.#files[signal].delete(name);
    this.#reportDamage(signal, name, reason);
    await this.#pool.release([file.path]);
    await this.#running().call.setAside(signal, name);
  }

  #reportDamage(signal: StoredSignal, file: string, reason: string): void {
    this.#metrics.damaged.inc({ signal });
    const err = new TocsinError(
      "TOCSIN_STORE_CORRUPT",
      `${signal}/${file}.db cannot be read and was set aside as ${file}.db.damaged: ${reason}`,
    );
    this.#log.error({ err, signal, file, reason }, "store file set aside");
  }

  async #upkeep(): Promise<void> {
    const { clock, config } = this.#options;
    const now = clock.now();
    this.#noteFiles(await this.#running().call.tick(now));
    for (const signal of ["logs", "spans"] as const) {
      const { retention: retentionMs, max_size: maxBytes } = config[signal];
      const files = [...this.#files[signal].values()].map((file) => ({ ...file, endMs: endOf(file) }));
      const doomed = filesToDrop(files, now, { retentionMs, maxBytes });
      if (doomed.length > 0) await this.#drop(signal, doomed);
    }
  }

  async #drop(signal: StoredSignal, doomed: readonly { name: string; reason: "age" | "size" }[]): Promise<void> {
    const files = doomed.flatMap(({ name }) => this.#files[signal].get(name) ?? []);
    for (const { name, reason } of doomed) {
      this.#files[signal].delete(name);
      this.#metrics.dropped.inc({ signal, reason });
    }
    await this.#pool.release(files.map(({ path }) => path));
    await this.#running().call.drop(
      signal,
      doomed.map(({ name }) => name),
    );
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    this.#log.info({ signal, files: doomed.map(({ name }) => name), bytes }, "old store files dropped");
  }

  async #emitSpanMetrics(sink: (request: WriteRequest) => Promise<void>): Promise<void> {
    const snapshot = await this.#running().call.spanMetrics();
    this.#metrics.overflowed.set(snapshot.overflowed);
    this.#metrics.unpaired.set(snapshot.unpaired);
    if (snapshot.series.length > 0) await sink(toWriteRequest(snapshot, this.#options.clock.now()));
  }

  #onCommitted({ signal, file, records, repeated, invalid }: Committed): void {
    this.#files[signal].set(file.name, file);
    this.#metrics.written.inc({ signal }, records);
    if (repeated > 0) this.#metrics.leftOut.inc({ signal, reason: "repeated" }, repeated);
    if (invalid > 0) this.#metrics.leftOut.inc({ signal, reason: "invalid" }, invalid);
  }

  /** The writer has set the file aside already. */
  #onDamaged({ signal, name, reason }: DamagedStoreFile): void {
    const file = this.#files[signal].get(name);
    this.#files[signal].delete(name);
    this.#reportDamage(signal, name, reason);
    if (file) void this.#pool.release([file.path]);
  }

  #noteFiles(files: Record<StoredSignal, FileInfo[]>): void {
    for (const signal of ["logs", "spans"] as const)
      for (const file of files[signal]) this.#files[signal].set(file.name, file);
  }

  #onTail({ subscriber, items, dropped }: Tailed): void {
    this.#subscribers.get(subscriber)?.push(items, dropped);
  }

  /** Refuses at once, and not when the first event is asked for. */
  #tail(query: Query, signal: AbortSignal): AsyncIterable<TailEvent> {
    this.#running();
    if (this.#subscribers.size >= MAX_TAIL_SUBSCRIBERS) {
      throw new TocsinError("TOCSIN_OVERLOADED", `${MAX_TAIL_SUBSCRIBERS} live views are open already`);
    }
    return this.#tailEvents(query, signal);
  }

  async *#tailEvents(query: Query, signal: AbortSignal): AsyncGenerator<TailEvent> {
    const id = this.#nextSubscriber++;
    const queue = new TailQueue((count) => this.#metrics.tailDropped.inc(count));
    const onAbort = () => queue.end();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) queue.end();
    this.#subscribers.set(id, queue);
    try {
      await this.#running().call.subscribe(id, query);
      yield* queue.events();
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#subscribers.delete(id);
      await this.#writer?.call.unsubscribe(id);
    }
  }

  #lost(error: unknown): void {
    this.#log.fatal({ err: error }, "store thread ended");
    this.#options.onLost?.(error);
  }
}

const CAPS: StoreCaps = { approximateFacets: false, exactPercentiles: false, tail: "push" };

/** A file takes records until the hour it was begun in is over. */
const endOf = (file: FileInfo): number => (parseFileName(file.name)?.hourMs ?? 0) + HOUR_MS;

function usageOf(files: Iterable<FileInfo>): StoreUsage {
  const usage: StoreUsage = { files: 0, records: 0, bytes: 0, oldestMs: undefined };
  for (const { records, bytes, t0 } of files) {
    usage.files++;
    usage.records += records;
    usage.bytes += bytes;
    if (records > 0 && (usage.oldestMs === undefined || t0 < usage.oldestMs)) usage.oldestMs = t0;
  }
  return usage;
}

type StoreMetrics = ReturnType<typeof storeMetrics>;

function storeMetrics(registry: Registry, usage: () => Record<StoredSignal, StoreUsage>) {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (usage: StoreUsage) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["signal"],
      registers,
      collect() {
        for (const [signal, of] of Object.entries(usage())) this.set({ signal }, read(of));
      },
    });
  gauge("tocsin_store_files", "Files of the embedded store.", ({ files }) => files);
  gauge("tocsin_store_bytes", "Bytes of the embedded store on disk.", ({ bytes }) => bytes);
  gauge("tocsin_store_records", "Records in the embedded store.", ({ records }) => records);
  return {
    written: new Counter({
      name: "tocsin_store_written_records_total",
      help: "Records written.",
      labelNames: ["signal"],
      registers,
    }),
    leftOut: new Counter({
      name: "tocsin_store_left_out_records_total",
      help: "Records not written because they came before (repeated) or are not valid (invalid).",
      labelNames: ["signal", "reason"],
      registers,
    }),
    refused: new Counter({
      name: "tocsin_store_refused_batches_total",
      help: "Batches refused because too much was pending.",
      labelNames: ["signal"],
      registers,
    }),
    dropped: new Counter({
      name: "tocsin_store_dropped_files_total",
      help: "Files dropped by age or for size.",
      labelNames: ["signal", "reason"],
      registers,
    }),
    damaged: new Counter({
      name: "tocsin_store_damaged_files_total",
      help: "Files set aside because they could not be read.",
      labelNames: ["signal"],
      registers,
    }),
    tailDropped: new Counter({
      name: "tocsin_store_tail_dropped_records_total",
      help: "Records that slow live views missed.",
      registers,
    }),
    overflowed: new Gauge({
      name: "tocsin_store_span_metrics_overflowed_spans",
      help: "Spans counted together because there were too many combinations.",
      registers,
    }),
    unpaired: new Gauge({
      name: "tocsin_store_service_graph_unpaired_spans",
      help: "Spans left out of the service graph because too many waited.",
      registers,
    }),
  };
}
