import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  matchesLog,
  matchesSpan,
  parseQuery,
  serviceName,
  severityLevel,
  type AttributeValue,
  type LogRecord,
  type Query,
  type Span,
  type SpanKind,
  type StatusCode,
} from "@tocsin/model";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogBlock } from "../logs/log-block.ts";
import { logFacets, logHistogram, searchLogs } from "../logs/log-queries.ts";
import { redRows } from "../services/red.ts";
import { SpanBlock } from "../spans/span-block.ts";
import { searchTraces } from "../spans/trace-queries.ts";
import { BASE_MS, id, logRecord, span } from "../testing/builders.ts";
import { logKind, spanKind, type RecordKind } from "../writers/record-kind.ts";
import { SignalWriter } from "../writers/signal-writer.ts";
import { FileCache } from "./read-file.ts";
import type { DamagedRead, Deadline } from "./scan.ts";

const HOUR = 3_600_000;
const LIMITS = { maxFileRecords: 900, maxFileBytes: 2 ** 30, maxTailAgeMs: 60_000, fsync: false };
const NO_DEADLINE: Deadline = { passed: () => false };
let dir: string;

beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "tocsin-search-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Writes batches of odd sizes over three hours, so that blocks, files and an open block are all met. */
function write<R>(kind: RecordKind<R>, records: readonly R[]): SignalWriter<R> {
  const writer = new SignalWriter(dir, kind, LIMITS, () => {});
  writer.open();
  for (let at = 0, batch = 0; at < records.length; batch++) {
    const part = records.slice(at, at + 1 + ((batch * 37) % 400));
    const clock = BASE_MS + Math.floor((at / records.length) * 3 * HOUR);
    writer.write([{ records: part, bytes: part.length * 300, id: Buffer.from(`batch ${batch}`) }], clock);
    at += part.length;
  }
  return writer;
}

const at = fc.integer({ min: 0, max: 3 * HOUR }).map((ms) => BASE_MS + ms);
const service = fc.constantFrom("api", "sms", "Mail");
const vocabulary = ["order", "refused", "Café", "送信に失敗", "10.0.0.1", "t_1", "ok"];
const message = fc
  .array(fc.constantFrom(...vocabulary, "/orders/42", "-"), { maxLength: 5 })
  .map((words) => words.join(" "));
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.constantFrom<AttributeValue>(
    "alpha",
    "Alpha",
    "500",
    500,
    500.5,
    2n ** 60n,
    true,
    null,
    "",
    Number.NaN,
    ["alpha", 500],
    { a: 1 },
  ),
  fc.integer({ min: 0, max: 3 }),
);
const attributes = fc.dictionary(fc.constantFrom("k", "code", "http.route", "__proto__"), value, { maxKeys: 3 });
const severity = fc.constantFrom(0, 1, 9, 13, 17, 24);
const trace = fc.constantFrom("", id(1, 32), id(2, 32));

const log: fc.Arbitrary<LogRecord> = fc
  .record({
    atMs: at,
    body: fc.oneof({ weight: 9, arbitrary: message }, { weight: 1, arbitrary: value }),
    service,
    severityNumber: severity,
    attributes,
    traceId: trace,
  })
  .map((fields) => logRecord({ ...fields, resource: { zone: fields.service === "api" ? "a" : 1 } }));

const logSearch = fc.oneof(
  ...[
    "refused",
    "ord*",
    '"order refused"',
    "cafe",
    "送信",
    "失",
    "送敗",
    "*fus*",
    "/orders/42",
    "t_1",
    "10.0.0.1",
    "-",
  ].map((text) => fc.constant(text)),
  ...[
    "service:api",
    "service:mail",
    "service:*a*",
    "level:error",
    "level:>=warn",
    "severity:0",
    "k:alpha",
    "k:*",
    "code:500",
    "code:>1",
  ].map((text) => fc.constant(text)),
  ...[
    "http.route:500.0",
    "k:al*",
    "zone:a",
    "resource.zone:1",
    "attributes.zone:a",
    `trace:${id(1, 32)}`,
    "trace:*",
    "scope:test",
    "event:x",
    "k:true",
    "code:[1 TO 2}",
  ].map((text) => fc.constant(text)),
);
const { search: logQuery } = fc.letrec<{ search: string }>((tie) => ({
  search: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    logSearch,
    tie("search").map((inner) => `-(${inner})`),
    fc.tuple(tie("search"), tie("search")).map(([a, b]) => `(${a} ${b})`),
    fc.tuple(tie("search"), tie("search")).map(([a, b]) => `(${a} OR ${b})`),
  ),
}));

const range = fc.tuple(at, at).map(([a, b]) => ({ fromMs: Math.min(a, b), toMs: Math.max(a, b) + 1 }));

const order = fc.constantFrom("newest" as const, "oldest" as const);

test("answers every search as reading each record would", { timeout: 60_000 }, () => {
  const records = fc
    .sample(log, { numRuns: 3000, seed: 7 })
    .map((record, i) => ({ ...record, eventName: `n${i}`, flags: i }));
  const writer = write(logKind, records);
  const damaged: DamagedRead[] = [];
  const cache = new FileCache((parts) => new LogBlock(parts), { maxFiles: 2, maxBytes: 2_000_000 });
  const reading = { files: writer.files(), cache, deadline: NO_DEADLINE, damaged };
  expect(reading.files.length).toBeGreaterThan(2);
  const expected = (query: Query, fromMs: number, toMs: number) =>
    records.filter((record) => {
      const ms = Number(record.timeUnixNano / 1_000_000n);
      return ms >= fromMs && ms < toMs && matchesLog(query, record);
    });
  fc.assert(
    fc.property(logQuery, range, fc.integer({ min: 300, max: 1000 }), order, (text, { fromMs, toMs }, limit, order) => {
      const query = parseQuery(text, "logs");
      const wanted = expected(query, fromMs, toMs);
      const found: string[] = [];
      let cursor: string | undefined;
      const times: number[] = [];
      do {
        const asked = { query, fromMs, toMs, limit, order, ...(cursor !== undefined && { cursor }) };
        const page = searchLogs(asked, reading);
        for (const item of page.items) {
          times.push(Date.parse(item.time));
          found.push(item.id);
        }
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(times).toEqual(times.toSorted((a, b) => (order === "oldest" ? a - b : b - a)));
      expect(found).toHaveLength(wanted.length);
      expect(new Set(found).size).toBe(found.length);

      const { buckets } = logHistogram({ query, fromMs, toMs, buckets: 30 }, reading);
      expect(buckets.reduce((sum, { total }) => sum + total, 0)).toBe(wanted.length);
      const [facet] = logFacets({ query, fromMs, toMs, fields: ["severity"], top: 10 }, reading).facets;
      const levels = Map.groupBy(wanted, (record) => severityLevel(record.severityNumber));
      expect(new Map(facet?.values.map(({ value, count }) => [value, count]))).toEqual(
        new Map([...levels].map(([level, all]) => [level, all.length])),
      );
    }),
    { numRuns: 60 },
  );
  expect(damaged).toEqual([]);
  cache.close(reading.files.map(({ path }) => path));
  writer.close();
});

test("gives every field of a record back", () => {
  const records = fc
    .sample(log, { numRuns: 1200, seed: 3 })
    .map((record, i) => ({ ...record, flags: i, traceId: id(i + 1, 32) }));
  const writer = write(logKind, records);
  const cache = new FileCache((parts) => new LogBlock(parts), { maxFiles: 2, maxBytes: 2_000_000 });
  const stored = writer.files().flatMap(({ path }) => {
    const file = cache.file(path);
    return file.units().flatMap((unit) => {
      const block = cache.block(file, unit);
      return Array.from({ length: unit.n }, (_, row) => block.record(row));
    });
  });
  expect(stored).toEqual(records);
  cache.close(writer.files().map(({ path }) => path));
  writer.close();
});

const spanArbitrary: fc.Arbitrary<Span> = fc
  .record({
    atMs: at,
    traceNumber: fc.integer({ min: 1, max: 400 }),
    durationMs: fc.constantFrom(0, 0.5, 10, 600, -3),
    name: message,
    service,
    kind: fc.integer({ min: 0, max: 5 }) as fc.Arbitrary<SpanKind>,
    status: fc.integer({ min: 0, max: 2 }) as fc.Arbitrary<StatusCode>,
    attributes,
  })
  .map(({ traceNumber, atMs, ...fields }) => {
    // The spans of a trace lie within a few seconds, as they do in life.
    const start = BASE_MS + ((traceNumber * 26_000) % (3 * HOUR)) + (atMs % 4000);
    return span({ ...fields, atMs: start, traceId: id(traceNumber, 32) });
  });

const spanSearch = fc.constantFrom(
  "",
  "refused",
  "ord*",
  "cafe",
  "失",
  "*fus*",
  "service:api",
  "kind:server",
  "status:error",
  "duration:>500ms",
  "duration:<1ms",
  "k:alpha",
  "code:>1",
  "service:sms status:error",
  "-status:error",
  "kind:client OR duration:[5 TO 20]",
  `trace:${id(3, 32)}`,
  "parent:*",
);

test("finds every trace with a matching span, once over all pages", { timeout: 60_000 }, () => {
  const spans = fc
    .sample(spanArbitrary, { numRuns: 2500, seed: 11 })
    .map((item, i) => ({ ...item, spanId: id(i + 1, 16) }));
  const writer = write(spanKind, spans);
  const cache = new FileCache((parts) => new SpanBlock(parts), { maxFiles: 2, maxBytes: 2_000_000 });
  const reading = { files: writer.files(), cache, deadline: NO_DEADLINE, damaged: [] };
  fc.assert(
    fc.property(spanSearch, range, fc.integer({ min: 40, max: 200 }), (text, { fromMs, toMs }, limit) => {
      const query = parseQuery(text, "traces");
      const wanted = new Set<string>();
      for (const item of spans) {
        const ms = Number(item.startTimeUnixNano / 1_000_000n);
        if (ms >= fromMs && ms < toMs && matchesSpan(query, item)) wanted.add(item.traceId);
      }
      const found: string[] = [];
      let cursor: string | undefined;
      do {
        const page = searchTraces({ query, fromMs, toMs, limit, ...(cursor !== undefined && { cursor }) }, reading);
        found.push(...page.items.map(({ traceId }) => traceId));
        for (const { traceId, spanCount } of page.items) {
          expect(spanCount).toBe(spans.filter((item) => item.traceId === traceId).length);
        }
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(found.toSorted()).toEqual([...wanted].toSorted());
    }),
    { numRuns: 60 },
  );
  cache.close(reading.files.map(({ path }) => path));
  writer.close();
});

test("counts requests of any range as reading each span would", { timeout: 60_000 }, () => {
  const spans = fc
    .sample(spanArbitrary, { numRuns: 4000, seed: 5 })
    .map((item, i) => ({ ...item, spanId: id(i + 1, 16), startTimeUnixNano: BigInt(BASE_MS + i * 2500) * 1_000_000n }));
  const writer = write(spanKind, spans);
  const cache = new FileCache((parts) => new SpanBlock(parts), { maxFiles: 2, maxBytes: 2_000_000 });
  const reading = { files: writer.files(), cache, deadline: NO_DEADLINE, damaged: [] };
  fc.assert(
    fc.property(
      range,
      fc.constantFrom("service", "operation"),
      fc.integer({ min: 1, max: 40 }),
      ({ fromMs, toMs }, by, steps) => {
        const wanted = new Map<string, [number, number]>();
        for (const item of spans) {
          const ms = Number(item.startTimeUnixNano / 1_000_000n);
          if (ms < fromMs || ms >= toMs || (item.kind !== 2 && item.kind !== 5)) continue;
          const key = `${serviceName(item.resource)} ${by === "operation" ? item.name : ""}`;
          const [count, errors] = wanted.get(key) ?? [0, 0];
          wanted.set(key, [count + 1, errors + (item.status.code === 2 ? 1 : 0)]);
        }
        const { rows } = redRows({ fromMs, toMs, steps, by }, reading);
        const found = rows.map((row) => [`${row.service} ${row.operation}`, [row.count, row.errors]] as const);
        expect(new Map(found)).toEqual(wanted);
        for (const row of rows) expect(row.steps.reduce((sum, step) => sum + step.count, 0)).toBe(row.count);
      },
    ),
    { numRuns: 60 },
  );
  cache.close(reading.files.map(({ path }) => path));
  writer.close();
});

test("takes records with thousands of different keys in its stride", () => {
  const many = Array.from({ length: 1000 }, (_, i) =>
    logRecord({ attributes: Object.fromEntries(Array.from({ length: 40 }, (_, k) => [`key ${i} ${k}`, k])) }),
  );
  const writer = write(logKind, many);
  const cache = new FileCache((parts) => new LogBlock(parts), { maxFiles: 2, maxBytes: 2_000_000 });
  const reading = { files: writer.files(), cache, deadline: NO_DEADLINE, damaged: [] };
  const search = (text: string) =>
    searchLogs({ fromMs: 0, toMs: 8e15, query: parseQuery(text, "logs"), limit: 10 }, reading).items;
  expect(search('"key 500 7":7').map(({ attributes }) => attributes)).toEqual([many[500]?.attributes]);
  expect(search('"key 500 7":8')).toEqual([]);
  const { facets } = logFacets(
    { fromMs: 0, toMs: 8e15, query: parseQuery("", "logs"), fields: ["key 3 3"], top: 5 },
    reading,
  );
  expect(facets).toEqual([{ field: "key 3 3", values: [{ value: "3", count: 1 }] }]);
  cache.close(reading.files.map(({ path }) => path));
  writer.close();
});

test.each(["newest", "oldest"] as const)(
  "a search from the %s that runs out of time says how far it got, and its cursor goes on from there",
  (order) => {
    const body = (i: number) => (i % 100 === 0 ? "needle" : "hay");
    // Every tenth record came late, so that blocks overlap.
    const time = (i: number) => BASE_MS + (i % 10 === 0 ? Math.max(0, i - 1500) : i) * 10;
    const records = Array.from({ length: 8000 }, (_, i) =>
      logRecord({ atMs: time(i), body: body(i), attributes: { i } }),
    );
    const writer = write(logKind, records);
    const cache = new FileCache((parts) => new LogBlock(parts), { maxFiles: 3, maxBytes: 2_000_000 });
    const query = parseQuery("*eedle", "logs");
    const found: number[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      let units = 0;
      const deadline = { passed: () => units++ >= 2 };
      const reading = { files: writer.files(), cache, deadline, damaged: [] };
      const asked = { fromMs: 0, toMs: BASE_MS * 2, query, limit: 1000, order };
      const page = searchLogs({ ...asked, ...(cursor !== undefined && { cursor }) }, reading);
      if (page.cursor !== undefined) expect(page.searchedToMs).toBeTypeOf("number");
      found.push(...page.items.map(({ attributes }) => attributes["i"] as number));
      cursor = page.cursor;
      expect(++pages).toBeLessThan(100);
    } while (cursor !== undefined);
    expect(pages).toBeGreaterThan(3);
    const all = Array.from({ length: 80 }, (_, i) => i * 100);
    expect(new Set(found)).toEqual(new Set(all));
    expect(found).toHaveLength(80);
    const times = found.map(time);
    expect(times).toEqual(times.toSorted((a, b) => (order === "oldest" ? a - b : b - a)));
    cache.close(writer.files().map(({ path }) => path));
    writer.close();
  },
);
