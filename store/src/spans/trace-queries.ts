import type { Span, TraceSummary } from "@tocsin/model";
import { ROWS_PER_BLOCK } from "../blocks/block.ts";
import { traceToken } from "../blocks/tokens.ts";
import type { FileInfo } from "../files/file-info.ts";
import type { Page } from "../log-store.ts";
import { compileQuery } from "../search/compile.ts";
import { formatCursor, newestFirst, parseCursor, type Place } from "../search/cursor.ts";
import { spanIndexPlan } from "../search/index-plan.ts";
import type { FileCache, Unit } from "../search/read-file.ts";
import { Scan, SearchAborted, type DamagedRead, type Deadline } from "../search/scan.ts";
import type { TraceSearch } from "../trace-store.ts";
import type { SpanBlock } from "./span-block.ts";

export interface SpanReading {
  files: readonly FileInfo[];
  cache: FileCache<SpanBlock>;
  deadline: Deadline;
  damaged: DamagedRead[];
}

/** Where a span stands. */
interface SpanPlace extends Place {
  block: SpanBlock;
  at: number;
}

/** The spans of a trace that begin within this time of a matching one are looked for. */
const TRACE_REACH_MS = 3_600_000;

/**
 * Traces in order of their newest matching span. A trace belongs to the page where that span falls; on later pages,
 * reached by its older matches, it is left out, so that a page can be shorter than its limit.
 */
export function searchTraces(search: TraceSearch, reading: SpanReading): Page<TraceSummary> {
  const after = search.cursor === undefined ? undefined : parseCursor(search.cursor);
  const toMs = after ? Math.min(search.toMs, after.ms + 1) : search.toMs;
  const { files, cache, deadline } = reading;
  const plan = spanIndexPlan(search.query);
  const scan = new Scan({ files, cache, deadline, fromMs: search.fromMs, toMs, query: search.query, plan });
  const newest = new Map<string, SpanPlace>();
  for (const { file, unit, block, mask, restMs } of scan.hits()) {
    for (const place of placesOf(file, unit, block, mask)) {
      if (after && newestFirst(after, place) >= 0) continue;
      const traceId = block.traceId(place.at);
      const known = newest.get(traceId);
      if (!known || newestFirst(place, known) < 0) newest.set(traceId, place);
    }
    if (newest.size > search.limit && restMs < nth(newest, search.limit).ms) break;
  }
  reading.damaged.push(...scan.damaged);
  const stoppedAtMs = scan.stoppedAtMs;
  const found = [...newest].sort(([, a], [, b]) => newestFirst(a, b));
  const sure = stoppedAtMs === undefined ? found : found.filter(([, place]) => place.ms > stoppedAtMs);
  const page = sure.slice(0, search.limit);
  const items = summaries(page, search, after, reading);
  const last = page.at(-1)?.[1];
  if (sure.length > search.limit && last) return { items, cursor: formatCursor(last) };
  if (stoppedAtMs === undefined) return { items };
  // Right before every span of that millisecond.
  const end = { ms: stoppedAtMs, nanos: 1e6, file: "", row: 0 };
  return { items, cursor: formatCursor(end), searchedToMs: stoppedAtMs };
}

/** The place of the trace with number `n`, counting from 0 in order of the page. */
function nth(newest: ReadonlyMap<string, SpanPlace>, n: number): SpanPlace {
  return [...newest.values()].sort(newestFirst)[n] as SpanPlace;
}

function placesOf(file: FileInfo, unit: Unit, block: SpanBlock, mask: Uint8Array): SpanPlace[] {
  const places: SpanPlace[] = [];
  const base = unit.block * ROWS_PER_BLOCK + unit.i0;
  mask.forEach((bit, at) => {
    if (bit === 0) return;
    places.push({
      ms: block.ms[at] as number,
      nanos: block.nanos[at] as number,
      file: file.name,
      row: base + at,
      block,
      at,
    });
  });
  return places;
}

function summaries(
  page: readonly [string, SpanPlace][],
  search: TraceSearch,
  after: Place | undefined,
  reading: SpanReading,
): TraceSummary[] {
  if (page.length === 0) return [];
  const times = page.map(([, { ms }]) => ms);
  const fromMs = times.reduce((a, b) => Math.min(a, b)) - TRACE_REACH_MS;
  const toMs = times.reduce((a, b) => Math.max(a, b)) + TRACE_REACH_MS;
  const spans = findSpans(new Set(page.map(([traceId]) => traceId)), { ...reading, fromMs, toMs });
  const filter = compileQuery(search.query);
  const cameBefore = (place: SpanPlace): boolean => {
    if (!after || newestFirst(place, after) > 0 || place.ms < search.fromMs || place.ms >= search.toMs) return false;
    const mask = new Uint8Array(place.block.n);
    mask[place.at] = 1;
    return filter(place.block, mask)[place.at] === 1;
  };
  return page.flatMap(([traceId]) => {
    const places = spans.get(traceId) ?? [];
    return places.some(cameBefore) ? [] : [summarize(traceId, places)];
  });
}

/** The root is the span without a parent, else the earliest. */
function summarize(traceId: string, places: readonly SpanPlace[]): TraceSummary {
  const byStart = places.toSorted((a, b) => newestFirst(b, a));
  const start = byStart[0] as SpanPlace;
  const root = byStart.find(({ block, at }) => block.parentSpanId(at) === "") ?? start;
  const startMs = start.ms + start.nanos / 1e6;
  const endMs = byStart.reduce(
    (max, { block, at, ms, nanos }) => Math.max(max, ms + nanos / 1e6 + (block.durationMs[at] as number)),
    startMs,
  );
  return {
    traceId,
    rootService: root.block.service(root.at),
    rootName: root.block.text(root.at),
    startTime: new Date(start.ms).toISOString(),
    durationMs: Math.round((endMs - startMs) * 1e6) / 1e6,
    spanCount: byStart.length,
    errorCount: byStart.filter(({ block, at }) => block.statuses[at] === ERROR).length,
    services: [...new Set(byStart.map(({ block, at }) => block.service(at)))].sort(),
  };
}

const ERROR = 2;
/** Traces are asked of the index this many at a time. */
const TRACES_PER_LOOKUP = 64;

/** Every span of the given traces once, whatever block it is in. */
function findSpans(
  traceIds: ReadonlySet<string>,
  reading: SpanReading & { fromMs: number; toMs: number },
): Map<string, SpanPlace[]> {
  const found = new Map<string, SpanPlace[]>();
  const met = new Set<string>();
  const expressions = chunks([...traceIds], TRACES_PER_LOOKUP).map((ids) =>
    ids.map((id) => `"${traceToken(id)}"`).join(" OR "),
  );
  for (const info of reading.files) {
    if (info.t1 < reading.fromMs || info.t0 >= reading.toMs) continue;
    reading.deadline.passed();
    try {
      collectSpans(info, expressions, traceIds, reading, (traceId, place) => {
        const identity = traceId + place.block.spanId(place.at);
        if (met.has(identity)) return;
        met.add(identity);
        const places = found.get(traceId);
        if (places) places.push(place);
        else found.set(traceId, [place]);
      });
    } catch (error) {
      if (error instanceof SearchAborted) throw error;
      reading.damaged.push({ name: info.name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return found;
}

function collectSpans(
  info: FileInfo,
  expressions: readonly string[],
  traceIds: ReadonlySet<string>,
  { cache }: SpanReading,
  add: (traceId: string, place: SpanPlace) => void,
): void {
  const file = cache.file(info.path);
  file.begin();
  try {
    const blocks = new Set(expressions.flatMap((expression) => [...file.blocks(expression)]));
    for (const unit of file.units()) {
      if (unit.closed && !blocks.has(unit.block)) continue;
      const block = cache.block(file, unit);
      for (const place of placesOf(info, unit, block, new Uint8Array(block.n).fill(1))) {
        const traceId = block.traceId(place.at);
        if (traceIds.has(traceId)) add(traceId, place);
      }
    }
  } finally {
    file.end();
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** All spans of one trace by start; a span kept twice is given once. */
export function findTrace(traceId: string, reading: SpanReading): Span[] {
  const places = findSpans(new Set([traceId]), { ...reading, fromMs: -Infinity, toMs: Infinity }).get(traceId) ?? [];
  return places.sort((a, b) => newestFirst(b, a)).map(({ block, at }) => block.record(at));
}
