import {
  messageText,
  plainValue,
  resolveField,
  serviceName,
  severityLevel,
  valueText,
  type Attributes,
  type AttributeValue,
  type Field,
  type LogItem,
  type Query,
} from "@tocsin/model";
import type { BlockView } from "../blocks/block.ts";
import type { Column } from "../blocks/columns.ts";
import type { FileInfo } from "../files/file-info.ts";
import type { Facets, Histogram, HistogramBucket, LogSearch, Page, TimeRange } from "../log-store.ts";
import { compileQuery, type Mask } from "../search/compile.ts";
import { formatCursor, newestFirst, parseCursor, type Place } from "../search/cursor.ts";
import { logIndexPlan } from "../search/index-plan.ts";
import { MinuteCounts, MINUTE_MS } from "../search/minute-counts.ts";
import type { FileCache } from "../search/read-file.ts";
import { Scan, type DamagedRead, type Deadline, type Hits, type UnitFilter } from "../search/scan.ts";
import { ROWS_PER_BLOCK } from "../blocks/block.ts";
import type { LogBlock } from "./log-block.ts";

/** A search in order of time. */
export type LogsByTime = Omit<LogSearch, "order"> & { order?: Order };

/** What a reader has at hand for one question. */
export interface LogReading {
  files: readonly FileInfo[];
  cache: FileCache<LogBlock>;
  deadline: Deadline;
  /** Files that turned out unreadable are added here. */
  damaged: DamagedRead[];
}

type Found = Place & { block: LogBlock; at: number };

export function searchLogs(search: LogsByTime, reading: LogReading): Page<LogItem> {
  const order: Order = search.order === "oldest" ? "oldest" : "newest";
  const compare = order === "oldest" ? (a: Place, b: Place) => newestFirst(b, a) : newestFirst;
  const after = search.cursor === undefined ? undefined : parseCursor(search.cursor);
  const wanted = search.limit + 1;
  const { files, cache, deadline } = reading;
  const range = afterCursor(search, after, order);
  const { query } = search;
  const scan = new Scan({ files, cache, deadline, ...range, query, plan: logIndexPlan(query), order });
  let found: Found[] = [];
  for (const hits of scan.hits()) {
    found.push(...placesOf(hits).filter((place) => !after || compare(after, place) < 0));
    if (found.length <= wanted) continue;
    found = found.sort(compare).slice(0, wanted);
    const last = found.at(-1) as Found;
    if (order === "oldest" ? hits.restMs > last.ms : hits.restMs < last.ms) break;
  }
  reading.damaged.push(...scan.damaged);
  return toPage(found.sort(compare), search.limit, order, scan.stoppedAtMs);
}

/** What comes after the cursor lies on one side of its millisecond. */
function afterCursor({ fromMs, toMs }: TimeRange, after: Place | undefined, order: Order): TimeRange {
  if (!after) return { fromMs, toMs };
  return order === "oldest"
    ? { fromMs: Math.max(fromMs, after.ms), toMs }
    : { fromMs, toMs: Math.min(toMs, after.ms + 1) };
}

function placesOf({ file, unit, block, mask }: Hits<LogBlock>): Found[] {
  const places: Found[] = [];
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

type Order = "newest" | "oldest";

/** When time ran out, what lies at or beyond that point is left to the next page, which begins there. */
function toPage(found: readonly Found[], limit: number, order: Order, stoppedAtMs: number | undefined): Page<LogItem> {
  const isSure = ({ ms }: Place) =>
    stoppedAtMs === undefined || (order === "oldest" ? ms < stoppedAtMs : ms > stoppedAtMs);
  const sure = found.filter(isSure);
  const page = sure.slice(0, limit);
  const items = page.map((place) => toLogItem(place.block, place.at, place));
  const last = page.at(-1);
  if (sure.length > limit && last) return { items, cursor: formatCursor(last) };
  if (stoppedAtMs === undefined) return { items };
  return { items, cursor: formatCursor(placeBefore(stoppedAtMs, order)), searchedToMs: stoppedAtMs };
}

/** The place that, in the order of the search, comes right before every record of this millisecond. */
const placeBefore = (ms: number, order: Order): Place => ({
  ms,
  nanos: order === "oldest" ? -1 : 1e6,
  file: "",
  row: 0,
});

/** Sorts like time within a store: file, then row. */
export const logId = (file: string, row: number): string => `${file}-${row.toString(36).padStart(7, "0")}`;

function toLogItem(block: LogBlock, at: number, { file, row }: Place): LogItem {
  const record = block.record(at);
  return logItem(logId(file, row), record);
}

export function logItem(id: string, record: ReturnType<LogBlock["record"]>): LogItem {
  const time = record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano;
  return {
    id,
    time: new Date(Number(time / 1_000_000n)).toISOString(),
    timeUnixNano: time.toString(),
    service: serviceName(record.resource),
    severity: severityLevel(record.severityNumber),
    severityNumber: record.severityNumber,
    message: messageText(record.body),
    attributes: plainAttributes(record.attributes),
    resource: plainAttributes(record.resource.attributes),
    scope: record.scope.name,
    traceId: record.traceId,
    spanId: record.spanId,
  };
}

const plainAttributes = (attributes: Attributes): Record<string, unknown> =>
  plainValue(attributes) as Record<string, unknown>;

const SECOND = 1000;
const STEPS_MS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  15 * SECOND,
  30 * SECOND,
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE_MS),
];

/** A round step that parts the range into at most `buckets`, whole days where the list ends. */
export function histogramStep({ fromMs, toMs }: TimeRange, buckets: number): number {
  const exact = (toMs - fromMs) / buckets;
  const dayMs = 1440 * MINUTE_MS;
  return STEPS_MS.find((step) => step >= exact) ?? Math.ceil(exact / dayMs) * dayMs;
}

export function logHistogram(search: TimeRange & { query: Query; buckets: number }, reading: LogReading): Histogram {
  const stepMs = histogramStep(search, search.buckets);
  const fromMs = Math.floor(search.fromMs / stepMs) * stepMs;
  const toMs = Math.ceil(search.toMs / stepMs) * stepMs;
  const count = Math.max(0, Math.round((toMs - fromMs) / stepMs));
  const buckets: HistogramBucket[] = Array.from({ length: count }, (_, i) => ({
    startMs: fromMs + i * stepMs,
    total: 0,
    levels: {},
  }));
  const add = (ms: number, severity: number, n: number): void => {
    const bucket = buckets[Math.floor((ms - fromMs) / stepMs)];
    if (!bucket) return;
    const level = severityLevel(severity);
    bucket.total += n;
    bucket.levels[level] = (bucket.levels[level] ?? 0) + n;
  };
  const rolled = stepMs % MINUTE_MS === 0 && isCounted(search.query);
  const stopped = rolled ? countMinutes(search, reading, add) : countRecords(search, reading, add);
  return { fromMs, toMs, stepMs, buckets, ...(stopped !== undefined && { searchedToMs: stopped }) };
}

type Add = (ms: number, severity: number, n: number, service: string) => void;

/** Adds the matching records one by one, except those that minute counts have already. */
function countRecords(
  search: TimeRange & { query: Query },
  reading: LogReading,
  add: Add,
  counted?: MinuteCounts,
): number | undefined {
  const scan = scanFor(search, reading, counted && ((unit, file) => !counted.hasAllOf(unit, file)));
  for (const { file, unit, block, mask } of scan.hits()) {
    mask.forEach((bit, i) => {
      const ms = block.ms[i] as number;
      if (bit === 0 || counted?.has(unit, file, ms) === true) return;
      add(ms, block.severities[i] as number, 1, block.services[(block.serviceRows[i] as number) - 1] as string);
    });
  }
  reading.damaged.push(...scan.damaged);
  return scan.stoppedAtMs;
}

function scanFor(search: TimeRange & { query: Query }, reading: LogReading, onlyUnit?: UnitFilter): Scan<LogBlock> {
  const { files, cache, deadline } = reading;
  const { fromMs, toMs, query } = search;
  return new Scan({ files, cache, deadline, fromMs, toMs, query, plan: logIndexPlan(query), onlyUnit });
}

/** Whole minutes come from the counts kept with each file; their edges, and open blocks, from the records. */
function countMinutes(search: TimeRange & { query: Query }, reading: LogReading, add: Add): number | undefined {
  const filter = compileQuery(search.query);
  const counts = new MinuteCounts(search);
  counts.readFrom(reading, (file, from, to) => {
    const view = new MinuteView(file.minutes(from, to));
    filter(view, new Uint8Array(view.n).fill(1)).forEach((bit, i) => {
      const row = view.rows[i];
      if (bit === 1 && row) add(row.m * MINUTE_MS, row.lvl, row.n, row.service);
    });
  });
  return countRecords(search, reading, add, counts);
}

/** Whether minute counts by service and severity can answer the query. */
function isCounted(query: Query): boolean {
  switch (query.op) {
    case "all":
      return true;
    case "and":
    case "or":
      return query.parts.every(isCounted);
    case "not":
      return isCounted(query.part);
    case "field":
      return isCountedField(query.field);
    case "text":
      return false;
  }
}

const isCountedField = (field: Field): boolean =>
  field.in === "known" && (field.name === "service" || field.name === "severity");

/** Minute counts in the shape of a block, so that the same filter reads them. */
class MinuteView implements BlockView {
  readonly rows: readonly { m: number; service: string; lvl: number; n: number }[];
  readonly n: number;
  readonly ms = new Float64Array(0);
  readonly nanos = new Uint32Array(0);

  constructor(rows: readonly { m: number; service: string; lvl: number; n: number }[]) {
    this.rows = rows;
    this.n = rows.length;
  }

  text(): string {
    return "";
  }

  columns(field: Parameters<BlockView["columns"]>[0]): Column[] {
    if (field.in !== "known") return [];
    if (field.name === "severity") return [{ kind: "numbers", values: this.rows.map(({ lvl }) => lvl) }];
    return [{ kind: "texts", at: (row) => this.rows[row]?.service ?? "" }];
  }
}

/** Beyond this many different values of one field, further new ones are not counted. */
const MAX_FACET_VALUES = 100_000;

export function logFacets(
  search: TimeRange & { query: Query; fields: readonly string[]; top: number },
  reading: LogReading,
): Facets {
  const counters = search.fields.map((name) => ({
    name,
    field: resolveField(name, "logs"),
    counts: new Map<string, number>(),
  }));
  const fromCounts = isCounted(search.query) && counters.every(({ field }) => isCountedField(field));
  const stoppedAtMs = fromCounts
    ? facetsFromCounts(search, reading, counters)
    : facetsFromRecords(search, reading, counters);
  return {
    facets: counters.map(({ name, counts }) => ({ field: name, values: mostFrequent(counts, search.top) })),
    ...(stoppedAtMs !== undefined && { searchedToMs: stoppedAtMs }),
  };
}

type FacetCounter = { field: Field; counts: Map<string, number> };

const isSeverity = (field: Field): boolean => field.in === "known" && field.name === "severity";

function facetsFromCounts(
  search: TimeRange & { query: Query },
  reading: LogReading,
  counters: readonly FacetCounter[],
): number | undefined {
  return countMinutes(search, reading, (_, severity, n, service) => {
    for (const { field, counts } of counters)
      addCount(counts, isSeverity(field) ? severityLevel(severity) : service, n);
  });
}

function facetsFromRecords(
  search: TimeRange & { query: Query },
  reading: LogReading,
  counters: readonly FacetCounter[],
): number | undefined {
  const scan = scanFor(search, reading);
  for (const { block, mask } of scan.hits()) {
    for (const { field, counts } of counters) {
      const format = isSeverity(field) ? severityLevel : String;
      for (const column of block.columns(field)) countColumn(column, mask, counts, format);
    }
  }
  reading.damaged.push(...scan.damaged);
  return scan.stoppedAtMs;
}

function countColumn(column: Column, mask: Mask, counts: Map<string, number>, format: (value: number) => string): void {
  if (column.kind === "dict" || column.kind === "sparse") {
    countValues(column, mask).forEach((n, i) => {
      if (n > 0) addCount(counts, valueText(column.dict[i] as AttributeValue), n);
    });
    return;
  }
  mask.forEach((bit, i) => {
    if (bit === 0) return;
    const text = column.kind === "numbers" ? format(column.values[i] as number) : column.at(i);
    if (text !== "") addCount(counts, text, 1);
  });
}

/** How often each value of the dictionary occurs within the mask. */
function countValues(column: Extract<Column, { kind: "dict" | "sparse" }>, mask: Mask): Uint32Array {
  const counts = new Uint32Array(column.dict.length);
  const count = (at: number) => (counts[at] = (counts[at] as number) + 1);
  if (column.kind === "sparse") {
    column.rows.forEach((row, k) => {
      if (mask[row] === 1) count(column.values[k] as number);
    });
  } else {
    column.rows.forEach((at, row) => {
      if (mask[row] === 1 && at > 0) count(at - 1);
    });
  }
  return counts;
}

function addCount(counts: Map<string, number>, value: string, n: number): void {
  const known = counts.get(value);
  if (known === undefined && counts.size >= MAX_FACET_VALUES) return;
  counts.set(value, (known ?? 0) + n);
}

export function mostFrequent(counts: ReadonlyMap<string, number>, top: number): { value: string; count: number }[] {
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, top);
}
