import { encodeTraces, matchesSpan, type Span, type TraceSummary } from "@tocsin/model";
import type { Page, StoreCaps, TimeRange } from "../log-store.ts";
import { formatCursor, parseCursor, type Place } from "../search/cursor.ts";
import { joinCalls, type Call, type OutCall } from "../services/edges.ts";
import type { EdgeRows, RedQuery, RedRow, RedRows, RedStats, TraceSearch, TraceStore } from "../trace-store.ts";
import type { Json } from "./connection.ts";
import { toFilter } from "./query-dsl.ts";
import { newerThan, placeOf, rangeFilter, type Hit, type Searcher } from "./searcher.ts";
import { toSpan, type StoredSpan } from "./span-document.ts";

export interface ElasticTracesOptions {
  searcher: Searcher;
  /** Writes so that a search finds it at once. */
  write: (spans: readonly Span[], bytes: Uint8Array) => Promise<void>;
}

const CAPS: StoreCaps = { approximateFacets: true, exactPercentiles: true, tail: "poll" };

/** The spans of a trace that begin within this time of a matching one are looked for. */
const TRACE_REACH_MS = 3_600_000;
/** Spans of one trace, and of all traces of a page, that are read. */
const MAX_TRACE_SPANS = 50_000;
const MAX_PAGE_SPANS = 100_000;
/** Matching spans that are looked through for one page of traces. */
const MAX_LOOKED_THROUGH = 50_000;
/** The newest calls that a service graph is drawn from. */
const MAX_CALLS = 100_000;
const MAX_PARENTS = 50_000;
const BIG_PAGE = 5000;
const MAX_SERVICES = 500;
/** Buckets of one answer; the server stops at 65,536. */
const MAX_BUCKETS = 40_000;

export class ElasticTraces implements TraceStore {
  readonly caps = CAPS;
  readonly #searcher: Searcher;
  readonly #options: ElasticTracesOptions;

  constructor(options: ElasticTracesOptions) {
    this.#options = options;
    this.#searcher = options.searcher;
  }

  async append(spans: readonly Span[]): Promise<void> {
    if (spans.length > 0) await this.#options.write(spans, encodeTraces(spans));
  }

  /**
   * A trace belongs to the page where its newest matching span falls; on later pages, reached by its older matches, it is
   * left out, so that a page can be shorter than its limit.
   */
  async search(search: TraceSearch, signal?: AbortSignal): Promise<Page<TraceSummary>> {
    signal?.throwIfAborted();
    const after = search.cursor === undefined ? undefined : parseCursor(search.cursor);
    const { traces, end, more } = await this.#newestTraces(search, after, signal);
    const earlier = after ? await this.#tracesBefore(search, [...traces.keys()], after, signal) : new Set<string>();
    const fresh = [...traces].filter(([traceId]) => !earlier.has(traceId));
    const items = await this.#summaries(fresh, signal);
    if (!more || !end) return { items };
    const stopped = traces.size <= search.limit && more === "budget";
    return { items, cursor: formatCursor(end), ...(stopped && { searchedToMs: end.ms }) };
  }

  async trace(traceId: string, signal?: AbortSignal): Promise<Span[]> {
    const filters = [{ term: { trace_id: traceId.toLowerCase() } }];
    const spans: Span[] = [];
    for await (const hits of this.#searcher.pages<StoredSpan>(filters, { direction: "asc", size: BIG_PAGE }, signal)) {
      for (const hit of hits) spans.push(toSpan(hit._source));
      if (spans.length >= MAX_TRACE_SPANS) break;
    }
    return spans;
  }

  async red(query: RedQuery, signal?: AbortSignal): Promise<RedRows> {
    const filters: Json[] = [rangeFilter(query), SERVED];
    if (query.service !== undefined) filters.push({ term: { service: query.service } });
    const steps = stepRanges(query);
    const byStep = { steps: { date_range: { field: "@timestamp", ranges: steps }, aggs: STATS } };
    const operations = Math.max(1, Math.min(1000, Math.floor(MAX_BUCKETS / (steps.length * 2))));
    const size = Math.min(MAX_SERVICES, operations);
    const byOperation = { operations: { terms: { field: "name", size: operations }, aggs: { ...STATS, ...byStep } } };
    const perService =
      query.by === "service"
        ? { terms: { field: "service", size }, aggs: { ...STATS, ...byStep } }
        : { terms: { field: "service", size: query.service === undefined ? 20 : 1 }, aggs: byOperation };
    type Counted = { services: { buckets: ServiceBucket[] } } | undefined;
    const counted = await this.#searcher.aggregate<Counted>(filters, { services: perService }, signal);
    const rows = (counted?.services.buckets ?? []).flatMap((service) =>
      query.by === "service"
        ? [redRow(service, service.key, "")]
        : (service.operations?.buckets ?? []).map((operation) => redRow(operation, service.key, operation.key)),
    );
    return { rows };
  }

  /** Joined from the newest calls of the range, because the server cannot join. */
  async edges(range: TimeRange, signal?: AbortSignal): Promise<EdgeRows> {
    const served: Call<string>[] = [];
    const outgoing: OutCall<string>[] = [];
    const serviceOfSpan = new Map<string, string>();
    let searchedToMs: number | undefined;
    const filters = [rangeFilter(range), CALLS];
    const options = { direction: "desc", size: BIG_PAGE, source: CALL_SOURCE } as const;
    for await (const hits of this.#searcher.pages<StoredSpan>(filters, options, signal)) {
      for (const { _source: span } of hits) collectCall(span, { served, outgoing, serviceOfSpan });
      if (serviceOfSpan.size < MAX_CALLS) continue;
      searchedToMs = placeOf(hits.at(-1) as Hit<StoredSpan>).ms;
      break;
    }
    await this.#findParents(range, served, serviceOfSpan, signal);
    const edges = joinCalls(serviceOfSpan, served, outgoing);
    return { edges, ...(searchedToMs !== undefined && { searchedToMs }) };
  }

  /** The services of callers that are no client spans themselves. */
  async #findParents(
    range: TimeRange,
    served: readonly Call<string>[],
    serviceOfSpan: Map<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const missing = new Set(served.map(({ parent }) => parent).filter((id) => id !== "" && !serviceOfSpan.has(id)));
    const ids = [...missing].slice(0, MAX_PARENTS);
    const reach = { fromMs: range.fromMs - TRACE_REACH_MS, toMs: range.toMs };
    for (let at = 0; at < ids.length; at += BIG_PAGE) {
      const filters = [rangeFilter(reach), { terms: { span_id: ids.slice(at, at + BIG_PAGE) } }];
      const options = { direction: "desc", size: BIG_PAGE, source: ["span_id", "service"] } as const;
      for await (const hits of this.#searcher.pages<StoredSpan>(filters, options, signal))
        for (const { _source: span } of hits) serviceOfSpan.set(span.span_id, span.service);
    }
  }

  /** The traces of a page by their newest matching span, and where the next page begins. */
  async #newestTraces(search: TraceSearch, after: Place | undefined, signal: AbortSignal | undefined) {
    const { query, limit } = search;
    const filter = toFilter(query, "traces");
    const traces = new Map<string, Place>();
    let end: Place | undefined;
    let looked = 0;
    const options = {
      direction: "desc" as const,
      after,
      size: Math.min(BIG_PAGE, limit * 10),
      ...(filter.exact && { source: ["trace_id"] }),
    };
    for await (const hits of this.#searcher.pages<StoredSpan>([rangeFilter(search), filter.dsl], options, signal)) {
      for (const hit of hits) {
        const traceId = hit._source.trace_id;
        if (!traces.has(traceId) && (filter.exact || matchesSpan(query, toSpan(hit._source)))) {
          if (traces.size === limit) return { traces, end, more: "traces" as const };
          traces.set(traceId, placeOf(hit));
        }
        end = placeOf(hit);
      }
      looked += hits.length;
      if (looked >= MAX_LOOKED_THROUGH) return { traces, end, more: "budget" as const };
    }
    return { traces, end, more: undefined };
  }

  /** Which of these traces have a matching span on an earlier page. */
  async #tracesBefore(
    search: TraceSearch,
    traceIds: readonly string[],
    after: Place,
    signal: AbortSignal | undefined,
  ): Promise<Set<string>> {
    const before = new Set<string>();
    if (traceIds.length === 0) return before;
    const { query } = search;
    const filter = toFilter(query, "traces");
    const filters = [rangeFilter(search), filter.dsl, { terms: { trace_id: traceIds } }, newerThan(after)];
    if (filter.exact) {
      type Counted = { traces: { buckets: { key: string }[] } } | undefined;
      const aggs = { traces: { terms: { field: "trace_id", size: traceIds.length } } };
      const counted = await this.#searcher.aggregate<Counted>(filters, aggs, signal);
      for (const { key } of counted?.traces.buckets ?? []) before.add(key);
      return before;
    }
    for await (const hits of this.#searcher.pages<StoredSpan>(filters, { direction: "desc" }, signal))
      for (const { _source: span } of hits) if (matchesSpan(query, toSpan(span))) before.add(span.trace_id);
    return before;
  }

  async #summaries(page: readonly [string, Place][], signal: AbortSignal | undefined): Promise<TraceSummary[]> {
    if (page.length === 0) return [];
    const times = page.map(([, { ms }]) => ms);
    const range = { fromMs: Math.min(...times) - TRACE_REACH_MS, toMs: Math.max(...times) + TRACE_REACH_MS };
    const filters = [rangeFilter(range), { terms: { trace_id: page.map(([traceId]) => traceId) } }];
    const spans = new Map<string, SummarySpan[]>();
    let read = 0;
    const options = { direction: "asc", size: BIG_PAGE, source: SUMMARY_SOURCE } as const;
    for await (const hits of this.#searcher.pages<StoredSpan>(filters, options, signal)) {
      for (const hit of hits) {
        const known = spans.get(hit._source.trace_id);
        const span = { ...hit._source, place: placeOf(hit) };
        if (known) known.push(span);
        else spans.set(hit._source.trace_id, [span]);
      }
      read += hits.length;
      if (read >= MAX_PAGE_SPANS) break;
    }
    return page.flatMap(([traceId]) => {
      const [first, ...rest] = spans.get(traceId) ?? [];
      return first ? [summarize(traceId, first, [first, ...rest])] : [];
    });
  }
}

type SummarySpan = StoredSpan & { place: Place };
const SUMMARY_SOURCE = [
  "trace_id",
  "parent_span_id",
  "service",
  "name",
  "status",
  "@timestamp",
  "nanos",
  "duration_ms",
];
const CALL_SOURCE = ["span_id", "parent_span_id", "service", "kind", "status", "duration_ms", "peer"];

const SERVED: Json = { terms: { kind: ["server", "consumer"] } };
const CALLS: Json = { terms: { kind: ["server", "consumer", "client", "producer"] } };

/** The root is the span without a parent, else the earliest. */
function summarize(traceId: string, start: SummarySpan, spans: readonly SummarySpan[]): TraceSummary {
  const root = spans.find(({ parent_span_id: parent }) => parent === undefined) ?? start;
  const msOf = ({ place }: SummarySpan): number => place.ms - start.place.ms + place.nanos / 1e6;
  const endMs = spans.reduce((max, span) => Math.max(max, msOf(span) + span.duration_ms), 0);
  return {
    traceId,
    rootService: root.service,
    rootName: root.name,
    startTime: new Date(start.place.ms).toISOString(),
    durationMs: Math.round((endMs - msOf(start)) * 1e6) / 1e6,
    spanCount: spans.length,
    errorCount: spans.filter(({ status }) => status === "error").length,
    services: [...new Set(spans.map(({ service }) => service))].sort(),
  };
}

function collectCall(
  span: StoredSpan & { peer?: OutCall<string>["peer"] },
  into: { served: Call<string>[]; outgoing: OutCall<string>[]; serviceOfSpan: Map<string, string> },
): void {
  const { span_id: spanId, service, duration_ms: durationMs, peer } = span;
  const failed = span.status === "error";
  into.serviceOfSpan.set(spanId, service);
  if (span.kind === "server" || span.kind === "consumer") {
    into.served.push({ service, parent: span.parent_span_id ?? "", durationMs, failed });
  } else if (peer) into.outgoing.push({ service, spanId, peer, durationMs, failed });
}

const PERCENTS = [50, 95, 99] as const;
const STATS: Json = {
  failed: { filter: { term: { status: "error" } } },
  durations: { percentiles: { field: "duration_ms", percents: PERCENTS, keyed: false } },
};

interface StatsBucket {
  doc_count: number;
  failed: { doc_count: number };
  durations: { values: { key: number; value: number | null }[] };
}

type GroupBucket = StatsBucket & { key: string; steps: { buckets: StatsBucket[] } };
type ServiceBucket = GroupBucket & { operations?: { buckets: GroupBucket[] } };

/** Each step in whole milliseconds, named so that they come back in order. */
function stepRanges({ fromMs, toMs, steps }: RedQuery): { from: number; to: number; key: string }[] {
  const at = (step: number): number => Math.ceil(fromMs + ((toMs - fromMs) * step) / steps);
  return Array.from({ length: steps }, (_, step) => ({
    key: String(step).padStart(4, "0"),
    from: at(step),
    to: at(step + 1),
  }));
}

function redRow(bucket: GroupBucket, service: string, operation: string): RedRow {
  return { service, operation, ...stats(bucket), steps: bucket.steps.buckets.map(stats) };
}

function stats({ doc_count: count, failed, durations }: StatsBucket): RedStats {
  const [p50Ms, p95Ms, p99Ms] = PERCENTS.map((percent) => {
    const found = durations.values.find(({ key }) => key === percent)?.value;
    return typeof found === "number" && Number.isFinite(found) ? found : null;
  }) as [number | null, number | null, number | null];
  return { count, errors: failed.doc_count, p50Ms, p95Ms, p99Ms };
}
