import type { Exemplar, Labels, Matcher, MetricMetadata, UnixMs, WriteRequest } from "@tocsin/model";
import { decodeMetrics, OtlpDecodeError, otlpToSamples } from "@tocsin/model";
import { serveWorker, systemClock, TocsinError, transfer } from "@tocsin/platform/thread";
import type { StoreLog } from "./disk/block-set.ts";
import type { QueryResult, SeriesData } from "@tocsin/promql";
import {
  type JsonOptions,
  type Query,
  type QueryOutcome,
  QueryRunner,
  type QueryRunnerOptions,
} from "./query/query-runner.ts";
import type { Cardinality } from "./cardinality.ts";
import type { MatcherSets } from "./sample-reader.ts";
import { SampleStore, type StoreStats } from "./sample-store.ts";
import type { AppendResult } from "./sample-writer.ts";
import type { OpenReport, SampleStoreOptions } from "./storage.ts";

/** What the worker is started with: everything of the options that can cross threads. */
export interface WorkerOptions {
  store: Omit<SampleStoreOptions, "log">;
  query: Omit<QueryRunnerOptions, "now">;
  promoteResourceAttributes: string[];
}

/** Payload of the event `log`. */
export interface WorkerLog {
  level: "warn" | "error";
  fields: Record<string, unknown>;
  message: string;
}

export type WorkerStats = StoreStats & { activeQueries: number; queuedQueries: number };

/** What became of OTLP bytes; poison is what can never be taken. */
export type OtlpAppend =
  | ({ status: "ok"; dropped: Record<string, number> } & AppendResult)
  | { status: "poison"; reason: string };

let opened: { store: SampleStore; runner: QueryRunner; options: WorkerOptions } | undefined;
const running = new Map<number, AbortController>();

function use() {
  if (!opened) throw new TocsinError("TOCSIN_UNAVAILABLE", "the sample store is not open");
  return opened;
}

/** Runs a query that `cancel` can stop. */
async function cancellable<T>(id: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    return await run(controller.signal);
  } finally {
    running.delete(id);
  }
}

const handlers = {
  async open(options: WorkerOptions): Promise<OpenReport> {
    const { store, report } = await SampleStore.open({ ...options.store, log });
    const runner = new QueryRunner(store, { ...options.query, now: () => systemClock.now() });
    opened = { store, runner, options };
    return report;
  },

  async close(): Promise<void> {
    for (const controller of running.values()) controller.abort();
    await opened?.store.close();
    opened = undefined;
  },

  append: (request: WriteRequest, nowMs: UnixMs): Promise<AppendResult> => use().store.append(request, nowMs),

  async appendOtlp(value: Uint8Array, nowMs: UnixMs): Promise<OtlpAppend> {
    const { store, options } = use();
    let converted: ReturnType<typeof otlpToSamples>;
    try {
      converted = otlpToSamples(decodeMetrics(value), { promoteResourceAttributes: options.promoteResourceAttributes });
    } catch (error) {
      if (error instanceof OtlpDecodeError) return { status: "poison", reason: error.message };
      throw error;
    }
    return { status: "ok", dropped: converted.dropped, ...(await store.append(converted.request, nowMs)) };
  },

  query: (id: number, query: Query): Promise<QueryOutcome<{ result: QueryResult }>> =>
    cancellable(id, (signal) => use().runner.run(query, signal)),

  async queryJson(
    id: number,
    query: Query,
    json: JsonOptions,
  ): Promise<QueryOutcome<{ body: Uint8Array<ArrayBuffer> }>> {
    const outcome = await cancellable(id, (signal) => use().runner.runJson(query, json, signal));
    return outcome.ok ? transfer(outcome, [outcome.body.buffer]) : outcome;
  },

  cancel(id: number): void {
    running.get(id)?.abort();
  },

  select: (matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs, maxSamples: number): Promise<SeriesData[]> =>
    use().store.select(matchers, fromMs, toMs, { maxSamples }),

  series: (sets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): Labels[] => use().store.series(sets, fromMs, toMs),

  labelNames: (sets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): string[] => use().store.labelNames(sets, fromMs, toMs),

  labelValues: (name: string, sets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): string[] =>
    use().store.labelValues(name, sets, fromMs, toMs),

  metadata: (metric?: string): MetricMetadata[][] => use().store.metadata(metric),

  exemplars: (sets: MatcherSets, fromMs: UnixMs, toMs: UnixMs): { labels: Labels; exemplars: Exemplar[] }[] =>
    use().store.exemplars(sets, fromMs, toMs),

  maintain: (nowMs: UnixMs): Promise<void> => use().store.maintain(nowMs),
  expire: (beforeMs: UnixMs): Promise<void> => use().store.expire(beforeMs),
  cardinality: (limit: number): Cardinality => use().store.cardinality(limit),

  stats(): WorkerStats {
    const { store, runner } = use();
    return { ...store.stats(), activeQueries: runner.lanes.running, queuedQueries: runner.lanes.queued };
  },
};
export type MetricsWorkerHandlers = typeof handlers;

const emit = serveWorker(handlers);

/** The logger lives in the other thread. */
function log(...[level, fields, message]: Parameters<StoreLog>): void {
  emit("log", { level, fields, message } satisfies WorkerLog);
}
