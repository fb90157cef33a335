import { strict as assert } from "node:assert";
import type { LogItem, LogRecord } from "@tocsin/model";
import { parseQuery } from "@tocsin/model";
import type { LogStore } from "../log-store.ts";
import { BASE_MS, logRecord } from "./builders.ts";
import type { ContractCase } from "./contract.ts";

const MINUTE = 60_000;
const RANGE = { fromMs: BASE_MS - 3_600_000, toMs: BASE_MS + 3_600_000 };

/** What every LogStore has to do, whatever stands behind it. */
export const logStoreContract: readonly ContractCase<LogStore>[] = [
  {
    claim: "finds what was appended, newest first, with every field",
    async run(store) {
      const older = logRecord({ atMs: BASE_MS, body: "payment accepted", service: "sms", severityNumber: 9 });
      const newer = logRecord({
        atMs: BASE_MS + 5,
        body: "payment refused",
        service: "api",
        severityNumber: 17,
        attributes: { "http.route": "/orders/:id", "http.status_code": 502, cached: false, tags: ["a", "b"] },
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      });
      await store.append([older, newer]);
      const { items } = await store.search({ ...RANGE, query: parseQuery("", "logs"), limit: 10 });
      assert.deepEqual(
        items.map(({ id, ...item }) => (assert.notEqual(id, ""), item)),
        [
          {
            time: "2026-01-10T07:00:00.005Z",
            timeUnixNano: "1768028400005000000",
            service: "api",
            severity: "error",
            severityNumber: 17,
            message: "payment refused",
            attributes: { "http.route": "/orders/:id", "http.status_code": 502, cached: false, tags: ["a", "b"] },
            resource: { "service.name": "api" },
            scope: "test",
            traceId: "0af7651916cd43dd8448eb211c80319c",
            spanId: "b7ad6b7169203331",
          },
          {
            time: "2026-01-10T07:00:00.000Z",
            timeUnixNano: "1768028400000000000",
            service: "sms",
            severity: "info",
            severityNumber: 9,
            message: "payment accepted",
            attributes: {},
            resource: { "service.name": "sms" },
            scope: "test",
            traceId: "",
            spanId: "",
          },
        ],
      );
    },
  },
  {
    claim: "searches by words, phrases, prefixes, fields, ranges and their combinations",
    async run(store) {
      await store.append(SAMPLE);
      for (const [search, expected] of SEARCHES) {
        const { items } = await store.search({ ...RANGE, query: parseQuery(search, "logs"), limit: 100 });
        assert.deepEqual(messages(items).sort(), [...expected].sort(), `search ${search}`);
      }
    },
  },
  {
    claim: "keeps to the time range, its beginning in and its end out",
    async run(store) {
      await store.append([0, 1, 2, 3].map((i) => logRecord({ atMs: BASE_MS + i, body: `m${i}` })));
      const { items } = await store.search({
        fromMs: BASE_MS + 1,
        toMs: BASE_MS + 3,
        query: parseQuery("", "logs"),
        limit: 10,
      });
      assert.deepEqual(messages(items), ["m2", "m1"]);
    },
  },
  {
    claim: "pages through everything once, also where many records share one instant",
    async run(store) {
      await store.append(
        Array.from({ length: 25 }, (_, i) => logRecord({ atMs: BASE_MS + Math.floor(i / 10), body: `m${i}` })),
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.search({
          ...RANGE,
          query: parseQuery("", "logs"),
          limit: 4,
          ...(cursor !== undefined && { cursor }),
        });
        assert.ok(page.items.length <= 4);
        seen.push(...messages(page.items));
        cursor = page.cursor;
      } while (cursor !== undefined);
      assert.equal(seen.length, 25);
      assert.equal(new Set(seen).size, 25);
    },
  },
  {
    claim: "ranks by words, recency and severity, a page at a time",
    async run(store) {
      await store.append([
        logRecord({ atMs: BASE_MS, body: "timeout while sending the order to the provider, will retry" }),
        logRecord({ atMs: BASE_MS + 1, body: "timeout timeout" }),
        logRecord({ atMs: BASE_MS + 2, body: "timeout while sending", severityNumber: 17 }),
        logRecord({ atMs: BASE_MS - 50 * MINUTE, body: "timeout while waiting", severityNumber: 17 }),
        logRecord({ atMs: BASE_MS + 3, body: "all is well" }),
      ]);
      const range = { fromMs: BASE_MS - 60 * MINUTE, toMs: BASE_MS + 1000 };
      const asked = { ...range, query: parseQuery("timeout", "logs"), limit: 3, order: "relevance" as const };
      const first = await store.search(asked);
      assert.deepEqual(messages(first.items), ["timeout while sending", "timeout timeout", "timeout while waiting"]);
      assert.ok(first.cursor !== undefined);
      const second = await store.search({ ...asked, cursor: first.cursor });
      assert.deepEqual(messages(second.items), ["timeout while sending the order to the provider, will retry"]);
      assert.equal(second.cursor, undefined);
    },
  },
  {
    claim: "ranks by recency and severity where no words are searched for",
    async run(store) {
      await store.append([
        logRecord({ atMs: BASE_MS - 30 * MINUTE, body: "old error", severityNumber: 17 }),
        logRecord({ atMs: BASE_MS, body: "new error", severityNumber: 17 }),
        logRecord({ atMs: BASE_MS, body: "new debug", severityNumber: 5 }),
      ]);
      const range = { fromMs: BASE_MS - 60 * MINUTE, toMs: BASE_MS };
      const query = parseQuery("service:api", "logs");
      const { items } = await store.search({ ...range, toMs: range.toMs + 1, query, limit: 3, order: "relevance" });
      assert.deepEqual(messages(items), ["new error", "old error", "new debug"]);
    },
  },
  {
    claim: "gives every record an id of its own that stays the same",
    async run(store) {
      await store.append(Array.from({ length: 10 }, (_, i) => logRecord({ atMs: BASE_MS, body: `m${i}` })));
      const ids = async () =>
        (await store.search({ ...RANGE, query: parseQuery("", "logs"), limit: 100 })).items.map(({ id }) => id);
      const before = await ids();
      await store.append([logRecord({ atMs: BASE_MS + 1, body: "later" })]);
      assert.equal(new Set(before).size, 10);
      assert.deepEqual((await ids()).slice(1), before);
    },
  },
  {
    claim: "counts by level in equal steps",
    async run(store) {
      await store.append([
        logRecord({ atMs: BASE_MS, severityNumber: 17 }),
        logRecord({ atMs: BASE_MS + 1, severityNumber: 9 }),
        logRecord({ atMs: BASE_MS + MINUTE, severityNumber: 9 }),
      ]);
      const range = { fromMs: BASE_MS, toMs: BASE_MS + 2 * MINUTE };
      const { buckets, stepMs } = await store.histogram({ ...range, query: parseQuery("", "logs"), buckets: 2 });
      assert.equal(stepMs, MINUTE);
      assert.deepEqual(buckets, [
        { startMs: BASE_MS, total: 2, levels: { error: 1, info: 1 } },
        { startMs: BASE_MS + MINUTE, total: 1, levels: { info: 1 } },
      ]);
    },
  },
  {
    claim: "counts only what matches and lies in the range",
    async run(store) {
      await store.append(SAMPLE);
      const range = { fromMs: BASE_MS + 1000, toMs: BASE_MS + 4000 };
      const { buckets } = await store.histogram({ ...range, query: parseQuery("service:api", "logs"), buckets: 3 });
      const { items } = await store.search({ ...range, query: parseQuery("service:api", "logs"), limit: 100 });
      assert.equal(items.length, 2);
      assert.equal(
        buckets.reduce((sum, { total }) => sum + total, 0),
        2,
      );
    },
  },
  {
    claim: "lists the most frequent values of known fields and attributes",
    async run(store) {
      await store.append(SAMPLE);
      const { facets } = await store.facets({
        ...RANGE,
        query: parseQuery("", "logs"),
        fields: ["service", "severity", "http.status_code"],
        top: 2,
      });
      assert.deepEqual(facets, [
        {
          field: "service",
          values: [
            { value: "api", count: 4 },
            { value: "sms", count: 3 },
          ],
        },
        {
          field: "severity",
          values: [
            { value: "info", count: 4 },
            { value: "error", count: 3 },
          ],
        },
        {
          field: "http.status_code",
          values: [
            { value: "502", count: 2 },
            { value: "200", count: 1 },
          ],
        },
      ]);
    },
  },
  {
    claim: "hands new matching records to a live view until it is closed",
    async run(store) {
      const closing = new AbortController();
      const events = store.tail(parseQuery("level:error", "logs"), closing.signal)[Symbol.asyncIterator]();
      const first = events.next();
      // The subscription is in place once a later call has been answered.
      await store.search({ ...RANGE, query: parseQuery("", "logs"), limit: 1 });
      await store.append([
        logRecord({ body: "quiet", severityNumber: 9 }),
        logRecord({ body: "loud", severityNumber: 17 }),
      ]);
      const { value, done } = await first;
      assert.equal(done, false);
      assert.deepEqual(messages(value.items), ["loud"]);
      closing.abort();
      assert.equal((await events.next()).done, true);
    },
  },
  {
    claim: "rejects a search that was aborted, with the reason",
    async run(store) {
      const reason = new Error("gone");
      await assert.rejects(
        store.search({ ...RANGE, query: parseQuery("", "logs"), limit: 1 }, AbortSignal.abort(reason)),
        reason,
      );
    },
  },
];

const messages = (items: readonly LogItem[]): string[] => items.map(({ message }) => message);

const SAMPLE: readonly LogRecord[] = [
  logRecord({
    atMs: BASE_MS,
    body: "connection refused by provider alpha",
    service: "sms",
    severityNumber: 17,
    attributes: { provider: "Alpha" },
  }),
  logRecord({
    atMs: BASE_MS + 1000,
    body: "provider alpha timed out",
    service: "sms",
    severityNumber: 13,
    attributes: { provider: "alpha", ms: 1500 },
  }),
  logRecord({
    atMs: BASE_MS + 2000,
    body: "GET /orders/42 502",
    service: "api",
    severityNumber: 17,
    attributes: { "http.status_code": 502, route: "/orders/:id" },
  }),
  logRecord({
    atMs: BASE_MS + 3000,
    body: "GET /orders/43 200",
    service: "api",
    severityNumber: 9,
    attributes: { "http.status_code": 200, route: "/orders/:id" },
  }),
  logRecord({
    atMs: BASE_MS + 4000,
    body: "refused connection from 10.0.0.9",
    service: "api",
    severityNumber: 9,
    attributes: { "http.status_code": "502" },
  }),
  logRecord({
    atMs: BASE_MS + 5000,
    body: "Café ouvert",
    service: "api",
    severityNumber: 9,
    resource: { "host.name": "web-1" },
  }),
  logRecord({
    atMs: BASE_MS + 6000,
    body: { event: "login", user: "zoë" },
    service: "sms",
    severityNumber: 17,
    attributes: { tags: ["new", "EU"] },
  }),
  logRecord({ atMs: BASE_MS + 7000, body: "注文の送信に失敗しました", service: "mail", severityNumber: 9 }),
];

const text = (i: number): string => {
  const body = SAMPLE[i]?.body;
  return typeof body === "string" ? body : JSON.stringify(body);
};
const of = (...indexes: number[]): string[] => indexes.map(text);

const SEARCHES: readonly [string, string[]][] = [
  ["", of(0, 1, 2, 3, 4, 5, 6, 7)],
  ["refused", of(0, 4)],
  ["REFUSED connection", of(0, 4)],
  ['"connection refused"', of(0)],
  ["refus*", of(0, 4)],
  ['"provider al*"', []],
  ["orders/42", of(2)],
  ["*fused", of(0, 4)],
  ["10.0.0.9", of(4)],
  ["cafe", of(5)],
  ["送信に失敗", of(7)],
  ["失", of(7)],
  ["失信", []],
  ["service:sms", of(0, 1, 6)],
  ["service:s*", of(0, 1, 6)],
  ["level:error", of(0, 2, 6)],
  ["level:>=warn", of(0, 1, 2, 6)],
  ["severity:13", of(1)],
  ["service:api level:error", of(2)],
  ["provider:alpha", of(0, 1)],
  ["provider:*", of(0, 1)],
  ["http.status_code:502", of(2, 4)],
  ["http.status_code:>=500", of(2, 4)],
  ["http.status_code:[200 TO 299]", of(3)],
  ["ms:>1000", of(1)],
  ["tags:eu", of(6)],
  ["host.name:web-1", of(5)],
  ["resource.host.name:web-1", of(5)],
  ["attributes.host.name:web-1", []],
  ["route:/orders/*", of(2, 3)],
  ["-service:api", of(0, 1, 6, 7)],
  ["NOT refused", of(1, 2, 3, 5, 6, 7)],
  ["refused OR timed", of(0, 1, 4)],
  ["refused (service:sms OR cafe)", of(0)],
  ["service:(sms OR mail) -level:error", of(1, 7)],
  ["nowhere", []],
  ["login zoe", of(6)],
];
