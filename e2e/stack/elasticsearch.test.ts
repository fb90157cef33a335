import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { DeadLetter } from "@tocsin/bus";
import { encodeLogs, encodeTraces, matchesLog, parseQuery, type LogRecord, type Span } from "@tocsin/model";
import { Registry, systemClock, type Clock } from "@tocsin/platform";
import { createElasticsearchStore, ElasticsearchConfig, type TelemetryStore } from "@tocsin/store";
import { eventually, silentLogger } from "@tocsin/testing";
import { BASE_MS, id, logRecord, span } from "../../store/src/testing/builders.ts";
import { logStoreContract } from "../../store/src/testing/log-store-contract.ts";
import { traceStoreContract } from "../../store/src/testing/trace-store-contract.ts";
import { createSearchServer, type SearchServer } from "../support/search-server.ts";

const DAY = 86_400_000;
const ALL_TIME = { fromMs: 0, toMs: 8e15 };
/** Real time, but as if it were the day of the sample records. */
const skewMs = systemClock.now() - BASE_MS;
const clock: Clock = { now: () => systemClock.now() - skewMs, schedule: systemClock.schedule };

let stores: TelemetryStore[] = [];
let prefixes = 0;

interface Opening {
  url: string;
  prefix?: string;
  config?: object;
  at?: Clock;
  letters?: DeadLetter[];
}

async function open({ url, prefix, config, at, letters }: Opening): Promise<TelemetryStore> {
  const store = createElasticsearchStore({
    config: ElasticsearchConfig.parse({
      nodes: [url],
      index_prefix: prefix ?? `t${process.pid}-${prefixes++}`,
      tail_interval: "100ms",
      ...config,
    }),
    clock: at ?? clock,
    logger: silentLogger,
    registry: new Registry(),
    ...(letters && { deadLetters: { add: async (letter) => void letters.push(letter) } }),
  });
  stores.push(store);
  await store.start();
  return store;
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
});

const otlpLogs = (records: readonly LogRecord[]) => ({
  topic: "otlp_logs" as const,
  key: "api",
  value: encodeLogs(records),
  records: records.length,
});
const otlpSpans = (spans: readonly Span[]) => ({
  topic: "otlp_spans" as const,
  key: "api",
  value: encodeTraces(spans),
  records: spans.length,
});
const messagesOf = async (store: TelemetryStore, text = "") =>
  (await store.logs.search({ ...ALL_TIME, query: parseQuery(text, "logs"), limit: 1000 })).items.map(
    ({ message }) => message,
  );
const refresh = async (url: string) => void (await fetch(`${url}/_refresh`, { method: "POST" }));

const FLAVORS = [
  { flavor: "elasticsearch", given: process.env["ELASTICSEARCH_URL"] },
  { flavor: "opensearch", given: process.env["OPENSEARCH_URL"] },
] as const;

describe.each(FLAVORS)("$flavor", ({ flavor, given }) => {
  let server: SearchServer | undefined;
  let url: string;

  beforeAll(async () => {
    server = given === undefined ? await createSearchServer(flavor) : undefined;
    await server?.start();
    url = given ?? server?.url ?? "";
  }, 300_000);
  afterAll(() => server?.remove(), 60_000);

  describe("log store", () => {
    for (const { claim, run } of logStoreContract) test(claim, async () => run((await open({ url })).logs));
  });

  describe("trace store", () => {
    for (const { claim, run } of traceStoreContract) test(claim, async () => run((await open({ url })).traces));
  });

  test("answers every search as reading each record would", async () => {
    const store = await open({ url });
    const records = fc.sample(anyLog, { numRuns: 300, seed: 7 });
    await store.logs.append(records);
    for (const text of fc.sample(anySearch, { numRuns: 250, seed: 11 })) {
      const query = parseQuery(text, "logs");
      const expected = records.filter((record) => matchesLog(query, record)).map(({ flags }) => flags);
      const { items } = await store.logs.search({ ...ALL_TIME, query, limit: 1000 });
      expect(items.length, `search ${text}`).toBe(expected.length);
      const { buckets } = await store.logs.histogram({
        fromMs: BASE_MS,
        toMs: BASE_MS + 1000,
        query,
        buckets: 2,
      });
      const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
      expect(total, `histogram ${text}`).toBe(expected.length);
    }
  });

  test("knows services, and what it keeps", async () => {
    const store = await open({ url });
    await store.logs.append([
      logRecord({ atMs: BASE_MS - 5000, service: "api", resource: { "service.version": "1" } }),
      logRecord({ atMs: BASE_MS - 1000, service: "api", resource: { "service.version": "2" } }),
    ]);
    await store.traces.append([span({ atMs: BASE_MS - 9000, service: "sms" })]);
    expect(await store.services()).toEqual([
      { name: "api", version: "2", firstMs: BASE_MS - 5000, lastMs: BASE_MS - 1000 },
      { name: "sms", version: "", firstMs: BASE_MS - 9000, lastMs: BASE_MS - 9000 },
    ]);
  });

  test("files records by their own day, and drops days past retention", async () => {
    const prefix = `t${process.pid}-days`;
    const first = await open({ url, prefix });
    await first.logs.append([BASE_MS, BASE_MS - DAY, 1000].map((atMs) => logRecord({ atMs, body: `at ${atMs}` })));
    const names = async () =>
      Object.keys((await (await fetch(`${url}/${prefix}-logs-*/_settings`)).json()) as object).sort();
    expect(await names()).toEqual([
      `${prefix}-logs-2026.01.09`,
      `${prefix}-logs-2026.01.10`,
      `${prefix}-logs-misdated-2026.01.10`,
    ]);
    const later: Clock = { now: () => clock.now() + 8.4 * DAY, schedule: systemClock.schedule };
    const store = await open({ url, prefix, at: later, config: { logs: { retention: "192h" } } });
    expect(await names()).toEqual([`${prefix}-logs-2026.01.10`, `${prefix}-logs-misdated-2026.01.10`]);
    expect(store.usage().logs).toMatchObject({ files: 2, records: 2, oldestMs: 1000 });
  });

  test("a batch that comes again is written over itself", async () => {
    const store = await open({ url });
    const logs = otlpLogs([logRecord({ body: "a" }), logRecord({ body: "a" })]);
    const spans = otlpSpans([span(), span({ spanId: id(2, 16) })]);
    for (let i = 0; i < 3; i++) {
      expect(await store.writers.logs(logs)).toEqual({ status: "ok" });
      expect(await store.writers.spans(spans)).toEqual({ status: "ok" });
    }
    await refresh(url);
    expect(await messagesOf(store)).toEqual(["a", "a"]);
    expect(await store.traces.trace(id(1, 32))).toHaveLength(2);
  });

  test("only the record that cannot be kept becomes a dead letter", async () => {
    const letters: DeadLetter[] = [];
    const prefix = `t${process.pid}-conflict`;
    const store = await open({ url, prefix, letters });
    await fetch(`${url}/${prefix}-logs-2026.01.10`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ mappings: { properties: { trace_id: { type: "integer" } } } }),
    });
    const conflicting = logRecord({ body: "bad", traceId: id(1, 32) });
    const message = otlpLogs([logRecord({ body: "good" }), conflicting, logRecord({ body: "fine" })]);
    expect(await store.writers.logs(message)).toEqual({ status: "ok" });
    await refresh(url);
    expect((await messagesOf(store)).sort()).toEqual(["fine", "good"]);
    expect(letters.map(({ topic, group, value }) => [topic, group, value])).toEqual([
      ["otlp_logs", "log-writer", encodeLogs([conflicting])],
    ]);
    expect(letters[0]?.reason).toMatch(/failed to parse field \[trace_id\]/);
    const without = await open({ url, prefix });
    expect(await without.writers.logs(message)).toMatchObject({
      status: "poison",
      reason: expect.stringMatching(/^1 of 3 records refused: .*trace_id/) as string,
    });
  });

  test("long attributes are kept whole", async () => {
    const store = await open({ url });
    const stack = "at f (file.js:1)\n".repeat(4000);
    await store.logs.append([logRecord({ attributes: { stack, code: 7 } })]);
    const { items } = await store.logs.search({ ...ALL_TIME, query: parseQuery("code:7", "logs"), limit: 1 });
    expect(items[0]?.attributes).toEqual({ stack, code: 7 });
  });
});

const anyLog: fc.Arbitrary<LogRecord> = fc
  .record({
    atMs: fc.integer({ min: BASE_MS, max: BASE_MS + 999 }),
    body: fc
      .array(
        fc.constantFrom("order", "refused", "Café", "送信に失敗", "10.0.0.1", "t_1", "/orders/42/x", "-", "ёлка", "->"),
        { maxLength: 5 },
      )
      .map((words) => words.join(" ")),
    service: fc.constantFrom("api", "sms", "Mail"),
    severityNumber: fc.constantFrom(0, 1, 9, 13, 17, 24),
    attributes: fc.dictionary(
      fc.constantFrom("k", "code", "http.route", "a=b", "__proto__"),
      fc.constantFrom(
        "alpha",
        "Alpha",
        "500",
        500,
        500.5,
        -3,
        2n ** 60n,
        true,
        null,
        "",
        ["alpha", 500],
        { a: 1 },
        "5*",
      ),
      { maxKeys: 3 },
    ),
    traceId: fc.constantFrom("", id(1, 32), id(2, 32)),
  })
  .map((fields) => logRecord({ ...fields, resource: { zone: fields.service === "api" ? "a" : 1 } }));

const ATOMIC_SEARCHES = [
  "refused",
  "ord*",
  '"order refused"',
  "cafe",
  "送信",
  "失",
  "送敗",
  "信に失",
  "*fus*",
  "/orders/42",
  "елка",
  "t_1",
  "10.0.0.1",
  "-",
  "->",
  "/ord*/42",
  "x?",
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
  "code:<0",
  "code:500.0",
  "k:al*",
  "zone:a",
  "resource.zone:1",
  "attributes.zone:a",
  `trace:${id(1, 32)}`,
  "trace:*",
  "scope:test",
  "event:x",
  "k:true",
  "code:[1 TO 501}",
  '"a=b":500',
  'k:"5*"',
  "code:{500 TO *]",
  "k:null",
  '"order café"',
  "order送信",
  "/*",
];
const { search: anySearch } = fc.letrec<{ search: string }>((tie) => ({
  search: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(...ATOMIC_SEARCHES),
    tie("search").map((inner) => `-(${inner})`),
    fc.tuple(tie("search"), tie("search")).map(([a, b]) => `(${a} ${b})`),
    fc.tuple(tie("search"), tie("search")).map(([a, b]) => `(${a} OR ${b})`),
  ),
}));

describe("elasticsearch that is killed", () => {
  let server: SearchServer;

  beforeAll(async () => {
    server = await createSearchServer("elasticsearch");
  });
  afterAll(() => server.remove(), 60_000);

  test("loses and doubles nothing that was acknowledged", { timeout: 400_000 }, async () => {
    const prefix = `t${process.pid}-killed`;
    // Opened while the server is still away: the store waits for it.
    const store = await open({ url: server.url, prefix, config: { write_timeout: "2m" } });
    await server.start();
    const batches = Array.from({ length: 200 }, (_, b) =>
      Array.from({ length: 100 }, (_, i) => logRecord({ atMs: BASE_MS + b, body: `m${b * 100 + i}` })),
    );
    let acknowledged = 0;
    let killed: Promise<void> | undefined;
    const restart = async () => {
      await server.kill();
      await server.start();
    };
    const senders = Array.from({ length: 8 }, async (_, sender) => {
      for (let b = sender; b < batches.length; b += 8) {
        const message = otlpLogs(batches[b] ?? []);
        await eventually(`batch ${b} is written`, 200_000, async () => {
          const { status } = await store.writers.logs(message);
          return status === "ok";
        });
        acknowledged += message.records;
        if (acknowledged >= 8000) killed ??= restart();
      }
    });
    await Promise.all(senders);
    await killed;
    await refresh(server.url);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const asked = {
        ...ALL_TIME,
        query: parseQuery("", "logs"),
        limit: 1000,
        ...(cursor !== undefined && { cursor }),
      };
      const page = await store.logs.search(asked);
      seen.push(...page.items.map(({ message }) => message));
      cursor = page.cursor;
    } while (cursor !== undefined);
    const found = new Set(seen).size;
    console.log(`sent ${acknowledged} found ${found} doubled ${seen.length - found} lost ${acknowledged - found}`);
    expect([acknowledged, found, seen.length]).toEqual([20_000, 20_000, 20_000]);
  });
});
