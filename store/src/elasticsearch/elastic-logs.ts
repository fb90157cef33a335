import {
  encodeLogs,
  matchesLog,
  resolveField,
  valueText,
  type Attributes,
  type Field,
  type LogItem,
  type LogRecord,
  type Query,
  type SeverityLevel,
} from "@tocsin/model";
import { sleep, TocsinError, type Clock } from "@tocsin/platform";
import type {
  Facet,
  Facets,
  Histogram,
  HistogramBucket,
  LogSearch,
  LogStore,
  Page,
  StoreCaps,
  TailEvent,
  TimeRange,
} from "../log-store.ts";
import { histogramStep, mostFrequent } from "../logs/log-queries.ts";
import { formatCursor, parseCursor, type Place } from "../search/cursor.ts";
import { formatRankCursor, halfLifeMs, MAX_RANKED, parseRankCursor, SEVERITY_WEIGHTS } from "../search/relevance.ts";
import { RecentIds } from "../writers/recent-ids.ts";
import type { Json } from "./connection.ts";
import { attributesOf, resourceOf } from "./document.ts";
import { toLogItem, toSearchedLog, type LogBatch, type StoredLog } from "./log-document.ts";
import { scoredTokens, scoreQuery, toFilter } from "./query-dsl.ts";
import { placeOf, rangeFilter, type Hit, type Searcher } from "./searcher.ts";

export interface ElasticLogsOptions {
  searcher: Searcher;
  clock: Clock;
  /** Writes so that a search finds it at once. */
  write: (batch: LogBatch) => Promise<void>;
  /** Whether the server can count values of attributes. */
  countsAttributes: () => Promise<boolean>;
  tailIntervalMs: number;
  onTailDropped: (count: number) => void;
}

const CAPS: StoreCaps = { approximateFacets: true, exactPercentiles: true, tail: "poll" };
const SOURCE = { excludes: ["search"] };

/** Where the server cannot decide, so many records are looked through before the answer says how far it got. */
const MAX_LOOKED_THROUGH = 20_000;
/** A record that the writer dated so long ago may still turn up: writers' clocks differ, and shards refresh at their own pace. */
const TAIL_OVERLAP_MS = 10_000;
const MAX_TAIL_ITEMS = 500;
const MAX_TAIL_SUBSCRIBERS = 64;
const TAIL_IDS = 10_000;

export class ElasticLogs implements LogStore {
  readonly caps = CAPS;
  readonly #options: ElasticLogsOptions;
  #subscribers = 0;

  constructor(options: ElasticLogsOptions) {
    this.#options = options;
  }

  async append(records: readonly LogRecord[]): Promise<void> {
    if (records.length > 0) await this.#options.write({ records, bytes: encodeLogs(records) });
  }

  async search(search: LogSearch, signal?: AbortSignal): Promise<Page<LogItem>> {
    signal?.throwIfAborted();
    if (search.order === "relevance") return this.#ranked(search, signal);
    const { query, limit, cursor } = search;
    const direction = search.order === "oldest" ? "asc" : "desc";
    const after = cursor === undefined ? undefined : parseCursor(cursor);
    const filter = toFilter(query, "logs");
    const filters = [rangeFilter(search), filter.dsl];
    const size = filter.exact ? limit + 1 : Math.max(limit + 1, 1000);
    const found: Hit<StoredLog>[] = [];
    let looked = 0;
    for await (const hits of this.#pages(filters, { direction, after, size }, signal)) {
      looked += hits.length;
      found.push(...(filter.exact ? hits : hits.filter((hit) => matchesLog(query, toSearchedLog(hit._source)))));
      if (found.length > limit) break;
      if (looked >= MAX_LOOKED_THROUGH) return toPage(found, limit, placeOf(hits.at(-1) as Hit<StoredLog>));
    }
    return toPage(found, limit);
  }

  async histogram(search: TimeRange & { query: Query; buckets: number }, signal?: AbortSignal): Promise<Histogram> {
    const stepMs = histogramStep(search, search.buckets);
    const fromMs = Math.floor(search.fromMs / stepMs) * stepMs;
    const toMs = Math.ceil(search.toMs / stepMs) * stepMs;
    const buckets: HistogramBucket[] = Array.from({ length: Math.max(0, (toMs - fromMs) / stepMs) }, (_, i) => ({
      startMs: fromMs + i * stepMs,
      total: 0,
      levels: {},
    }));
    const add = (ms: number, level: SeverityLevel, n: number): void => {
      const bucket = buckets[Math.floor((ms - fromMs) / stepMs)];
      if (!bucket) return;
      bucket.total += n;
      bucket.levels[level] = (bucket.levels[level] ?? 0) + n;
    };
    const filter = toFilter(search.query, "logs");
    const searchedToMs = filter.exact
      ? await this.#countSteps(search, filter.dsl, stepMs, add, signal)
      : await this.#lookThrough(search, filter.dsl, (log) => add(timeOf(log), levelOf(log), 1), signal);
    return { fromMs, toMs, stepMs, buckets, ...(searchedToMs !== undefined && { searchedToMs }) };
  }

  async facets(
    search: TimeRange & { query: Query; fields: readonly string[]; top: number },
    signal?: AbortSignal,
  ): Promise<Facets> {
    const filter = toFilter(search.query, "logs");
    const fields = search.fields.map((name) => ({ name, field: resolveField(name, "logs") }));
    const counted =
      filter.exact && (fields.every(({ field }) => field.in === "known") || (await this.#options.countsAttributes()));
    if (counted) return { facets: await this.#countValues(search, filter.dsl, fields, signal) };
    const counters = fields.map(({ name, field }) => ({ name, field, counts: new Map<string, number>() }));
    const searchedToMs = await this.#lookThrough(
      search,
      filter.dsl,
      (log) => {
        for (const { field, counts } of counters)
          for (const text of fieldTexts(log, field)) counts.set(text, (counts.get(text) ?? 0) + 1);
      },
      signal,
    );
    return {
      facets: counters.map(({ name, counts }) => ({ field: name, values: mostFrequent(counts, search.top) })),
      ...(searchedToMs !== undefined && { searchedToMs }),
    };
  }

  /** Looks for what came in lately, every now and then, and leaves out what it has given already. */
  tail(query: Query, signal: AbortSignal): AsyncIterable<TailEvent> {
    if (this.#subscribers >= MAX_TAIL_SUBSCRIBERS) {
      throw new TocsinError("TOCSIN_OVERLOADED", `${MAX_TAIL_SUBSCRIBERS} live views are open already`);
    }
    return this.#tailEvents(query, signal);
  }

  async *#tailEvents(query: Query, signal: AbortSignal): AsyncGenerator<TailEvent> {
    const { clock, tailIntervalMs, onTailDropped } = this.#options;
    this.#subscribers++;
    const sinceMs = clock.now();
    const given = new RecentIds(TAIL_IDS);
    try {
      while (!signal.aborted) {
        const fresh = await this.#receivedIfUp(query, Math.max(sinceMs, clock.now() - TAIL_OVERLAP_MS), signal);
        const items = fresh.filter(({ _id: id }) => !given.has(id)).toReversed();
        for (const { _id: id } of items) given.add(id);
        const dropped = Math.max(0, items.length - MAX_TAIL_ITEMS);
        if (dropped > 0) onTailDropped(dropped);
        if (items.length > 0) {
          yield { items: items.slice(dropped).map((hit) => toLogItem(hit._id, hit._source)), dropped };
        }
        await sleep(clock, tailIntervalMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#subscribers--;
    }
  }

  /** A live view outlasts a server that is away or busy for a while. */
  async #receivedIfUp(query: Query, sinceMs: number, signal: AbortSignal): Promise<Hit<StoredLog>[]> {
    try {
      return await this.#received(query, sinceMs, signal);
    } catch (error) {
      const passing = error instanceof TocsinError && ["TOCSIN_UNAVAILABLE", "TOCSIN_OVERLOADED"].includes(error.code);
      if (!passing) throw error;
      return [];
    }
  }

  /** Newest first, twice as many as a live view takes at once. */
  async #received(query: Query, sinceMs: number, signal: AbortSignal): Promise<Hit<StoredLog>[]> {
    const filter = toFilter(query, "logs");
    const received = { range: { received: { gte: sinceMs, format: "epoch_millis" } } };
    const body = {
      size: 2 * MAX_TAIL_ITEMS,
      query: { bool: { filter: [received, filter.dsl] } },
      sort: [{ received: "desc" }, { order: "desc" }],
      _source: SOURCE,
    };
    const { hits } = (await this.#options.searcher.search<StoredLog>(body, signal)).hits;
    return filter.exact ? hits : hits.filter((hit) => matchesLog(query, toSearchedLog(hit._source)));
  }

  /** The server ranks all that match; as many as the embedded store ranks can be paged through. */
  async #ranked(search: LogSearch, signal: AbortSignal | undefined): Promise<Page<LogItem>> {
    const { query, limit, fromMs } = search;
    const { offset, toMs } =
      search.cursor === undefined ? { offset: 0, toMs: search.toMs } : parseRankCursor(search.cursor);
    const range = { fromMs, toMs };
    const filter = toFilter(query, "logs");
    const size = Math.min(limit + 1, MAX_RANKED - offset);
    if (size <= 0) return { items: [] };
    const body = {
      // Where the server's answer is looked through again, all that can be ranked is asked for at once.
      ...(filter.exact ? { from: offset, size } : { size: MAX_RANKED }),
      query: rankedQuery(query, [rangeFilter(range), filter.dsl], range),
      sort: [{ _score: "desc" }, { "@timestamp": "desc" }, { nanos: "desc" }, { order: "desc" }],
      _source: SOURCE,
    };
    const { hits } = (await this.#options.searcher.search<StoredLog>(body, signal)).hits;
    const ranked = filter.exact
      ? hits
      : hits.filter((hit) => matchesLog(query, toSearchedLog(hit._source))).slice(offset, offset + size);
    const items = ranked.slice(0, limit).map((hit) => toLogItem(hit._id, hit._source));
    return { items, ...(ranked.length > limit && { cursor: formatRankCursor({ offset: offset + limit, toMs }) }) };
  }

  #pages(
    filters: readonly Json[],
    options: { direction: "asc" | "desc"; after?: Place | undefined; size?: number },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Hit<StoredLog>[]> {
    return this.#options.searcher.pages<StoredLog>(filters, options, signal);
  }

  async #countSteps(
    search: TimeRange,
    filter: Json,
    stepMs: number,
    add: (ms: number, level: SeverityLevel, n: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<undefined> {
    type Steps = { steps: { buckets: { key: number; levels: TermCounts }[] } };
    const aggs = {
      steps: {
        date_histogram: { field: "@timestamp", fixed_interval: `${stepMs}ms`, min_doc_count: 1 },
        aggs: { levels: { terms: { field: "severity", size: 7 } } },
      },
    };
    const { steps } = orNone(
      await this.#options.searcher.aggregate<Steps | undefined>([rangeFilter(search), filter], aggs, signal),
      { steps: { buckets: [] } },
    );
    for (const { key, levels } of steps.buckets)
      for (const level of levels.buckets) add(key, level.key as SeverityLevel, level.doc_count);
  }

  async #countValues(
    search: TimeRange & { top: number },
    filter: Json,
    fields: readonly { name: string; field: Field }[],
    signal: AbortSignal | undefined,
  ): Promise<Facet[]> {
    const size = search.top * 2 + 20;
    const aggs: Json = {};
    const paths = fields.map(({ field }) => fieldPaths(field));
    for (const path of paths.flat()) aggs[path] = { terms: { field: path, size } };
    const counted = orNone(
      await this.#options.searcher.aggregate<Record<string, TermCounts> | undefined>(
        [rangeFilter(search), filter],
        aggs,
        signal,
      ),
      {},
    );
    return fields.map(({ name }, i) => {
      const counts = new Map<string, number>();
      for (const path of paths[i] ?? []) {
        for (const { key, doc_count: n } of counted[path]?.buckets ?? []) counts.set(key, (counts.get(key) ?? 0) + n);
      }
      return { field: name, values: mostFrequent(counts, search.top) };
    });
  }

  /** Visits what matches, newest first; returns how far it got when there was too much. */
  async #lookThrough(
    search: TimeRange & { query: Query },
    filter: Json,
    visit: (log: StoredLog) => void,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    let looked = 0;
    for await (const hits of this.#pages([rangeFilter(search), filter], { direction: "desc" }, signal)) {
      for (const { _source: log } of hits) if (matchesLog(search.query, toSearchedLog(log))) visit(log);
      looked += hits.length;
      if (looked >= MAX_LOOKED_THROUGH) return placeOf(hits.at(-1) as Hit<StoredLog>).ms;
    }
    return undefined;
  }
}

interface TermCounts {
  buckets: { key: string; doc_count: number }[];
}

/** Where there is no index yet, the answer has no aggregations. */
const orNone = <T>(counted: T | undefined, none: T): T => counted ?? none;

const timeOf = (log: StoredLog): number => Date.parse(log["@timestamp"]);
const levelOf = (log: StoredLog): SeverityLevel => toLogItem("", log).severity;

/** With `stoppedAt`, nothing behind that place was looked at, and the next page begins there. */
function toPage(found: readonly Hit<StoredLog>[], limit: number, stoppedAt?: Place): Page<LogItem> {
  const page = found.slice(0, limit);
  const items = page.map((hit) => toLogItem(hit._id, hit._source));
  const last = page.at(-1);
  if (found.length > limit && last) return { items, cursor: formatCursor(placeOf(last)) };
  return stoppedAt ? { items, cursor: formatCursor(stoppedAt), searchedToMs: stoppedAt.ms } : { items };
}

/** The same product as the embedded store's: text × recency × severity. */
function rankedQuery(query: Query, filters: readonly Json[], range: TimeRange): Json {
  const tokens = scoredTokens(query);
  const severities = Object.entries(SEVERITY_WEIGHTS).map(([level, weight]) => ({
    filter: { term: { severity: level } },
    weight,
  }));
  return {
    function_score: {
      query: {
        bool:
          tokens.length > 0
            ? { filter: filters, should: [scoreQuery(tokens)] }
            : { must: [{ constant_score: { filter: { bool: { filter: filters } } } }] },
      },
      functions: [
        ...severities,
        { exp: { "@timestamp": { origin: range.toMs, scale: `${Math.ceil(halfLifeMs(range))}ms`, decay: 0.5 } } },
      ],
      score_mode: "multiply",
      boost_mode: "multiply",
    },
  };
}

const KNOWN_PATHS: Record<string, string> = {
  service: "service",
  severity: "severity",
  trace: "trace_id",
  span: "span_id",
  scope: "scope",
  event: "event",
};

function fieldPaths(field: Field): string[] {
  if (field.in === "known") return [KNOWN_PATHS[field.name]].filter((path) => path !== undefined);
  if (field.key === "") return [];
  const holders = { attributes: ["attributes"], resource: ["resource"], any: ["attributes", "resource"] }[field.in];
  return holders.map((holder) => `${holder}.${field.key}`);
}

/** The values of a field as facets show them. */
function fieldTexts(log: StoredLog, field: Field): string[] {
  if (field.in === "known") {
    const value = (log as unknown as Record<string, unknown>)[KNOWN_PATHS[field.name] ?? ""];
    return typeof value === "string" && value !== "" ? [value] : [];
  }
  const own = field.in === "resource" ? [] : [attributesOf(log)];
  const resource = field.in === "attributes" ? [] : [resourceOf(log)];
  return [...own, ...resource].flatMap((attributes) => {
    if (!Object.hasOwn(attributes, field.key)) return [];
    const value = (attributes as Attributes)[field.key] ?? null;
    return Array.isArray(value) ? value.map(valueText) : [valueText(value)];
  });
}
