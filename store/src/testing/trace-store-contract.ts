import { strict as assert } from "node:assert";
import { parseQuery, type Span } from "@tocsin/model";
import type { TraceStore } from "../trace-store.ts";
import { BASE_MS, id, span } from "./builders.ts";
import type { ContractCase } from "./contract.ts";

const RANGE = { fromMs: BASE_MS - 3_600_000, toMs: BASE_MS + 3_600_000 };

/** gateway (server) → gateway (client) → sms (server) → sms (client, database); the sms call fails. */
function orderTrace(n: number, atMs: number): Span[] {
  const traceId = id(n, 32);
  const of = (k: number) => id(n * 10 + k, 16);
  return [
    span({
      traceId,
      spanId: of(1),
      atMs,
      durationMs: 100,
      name: "POST /orders",
      service: "gateway",
      kind: 2,
      status: 2,
    }),
    span({
      traceId,
      spanId: of(2),
      parentSpanId: of(1),
      atMs: atMs + 10,
      durationMs: 80,
      name: "POST",
      service: "gateway",
      kind: 3,
      status: 2,
      attributes: { "server.address": "sms.local" },
    }),
    span({
      traceId,
      spanId: of(3),
      parentSpanId: of(2),
      atMs: atMs + 20,
      durationMs: 60,
      name: "POST /send",
      service: "sms",
      kind: 2,
      status: 2,
      attributes: { provider: "alpha" },
    }),
    span({
      traceId,
      spanId: of(4),
      parentSpanId: of(3),
      atMs: atMs + 30,
      durationMs: 5,
      name: "INSERT",
      service: "sms",
      kind: 3,
      attributes: { "db.system.name": "postgresql", "db.namespace": "outbox" },
    }),
  ];
}

const health = (n: number, atMs: number): Span =>
  span({
    traceId: id(n, 32),
    spanId: id(n * 10, 16),
    atMs,
    durationMs: 1,
    name: "GET /health",
    service: "gateway",
    status: 1,
  });

/** What every TraceStore has to do, whatever stands behind it. */
export const traceStoreContract: readonly ContractCase<TraceStore>[] = [
  {
    claim: "gives a trace back by its id, every span with every field, by start",
    async run(store) {
      const full: Span = {
        ...span({
          traceId: id(7, 32),
          spanId: id(71, 16),
          parentSpanId: id(70, 16),
          atMs: BASE_MS + 1,
          durationMs: 12.345678,
        }),
        traceState: "vendor=1",
        attributes: {
          text: "a",
          number: 1.5,
          big: 2n ** 60n,
          flag: true,
          list: ["x", 1],
          bytes: new Uint8Array([1, 2]),
          map: { k: "v" },
        },
        events: [{ timeUnixNano: 1768028400001000001n, name: "exception", attributes: { "exception.type": "Error" } }],
        links: [{ traceId: id(9, 32), spanId: id(9, 16), traceState: "", attributes: { why: "batch" } }],
        status: { code: 2, message: "refused" },
        scope: { name: "lib", version: "1.2", attributes: { s: 1 } },
      };
      const root = span({ traceId: id(7, 32), spanId: id(70, 16), atMs: BASE_MS });
      await store.append([full, root, health(8, BASE_MS)]);
      assert.deepEqual(await store.trace(id(7, 32)), [root, full]);
      assert.deepEqual(await store.trace(id(99, 32)), []);
    },
  },
  {
    claim: "lists traces by their newest matching span, with a summary of the whole",
    async run(store) {
      await store.append([...orderTrace(1, BASE_MS), health(2, BASE_MS + 5000), ...orderTrace(3, BASE_MS + 9000)]);
      const { items } = await store.search({ ...RANGE, query: parseQuery("service:sms", "traces"), limit: 10 });
      assert.deepEqual(items, [
        {
          traceId: id(3, 32),
          rootService: "gateway",
          rootName: "POST /orders",
          startTime: "2026-01-10T07:00:09.000Z",
          durationMs: 100,
          spanCount: 4,
          errorCount: 3,
          services: ["gateway", "sms"],
        },
        {
          traceId: id(1, 32),
          rootService: "gateway",
          rootName: "POST /orders",
          startTime: "2026-01-10T07:00:00.000Z",
          durationMs: 100,
          spanCount: 4,
          errorCount: 3,
          services: ["gateway", "sms"],
        },
      ]);
    },
  },
  {
    claim: "finds traces by name, kind, status, duration, service and attributes of one of their spans",
    async run(store) {
      await store.append([...orderTrace(1, BASE_MS), health(2, BASE_MS + 5000)]);
      const searches: [string, number[]][] = [
        ["", [1, 2]],
        ["health", [2]],
        ["name:orders", [1]],
        ["name:ord*", [1]],
        ["/send", [1]],
        ["status:error", [1]],
        ["status:ok", [2]],
        ["kind:client", [1]],
        ["kind:consumer", []],
        ["duration:>50ms", [1]],
        ["duration:<2ms", [2]],
        ["duration:[90 TO 110]", [1]],
        ["provider:alpha", [1]],
        ["service:gateway status:error", [1]],
        ["service:sms duration:>80ms", []],
        ["-service:sms", [1, 2]],
        [`trace:${id(2, 32)}`, [2]],
        [`parent:${id(11, 16)}`, [1]],
        ["resource.service.name:sms", [1]],
      ];
      for (const [search, expected] of searches) {
        const { items } = await store.search({ ...RANGE, query: parseQuery(search, "traces"), limit: 10 });
        assert.deepEqual(
          items.map(({ traceId }) => traceId).sort(),
          expected.map((n) => id(n, 32)).sort(),
          `search ${search}`,
        );
      }
    },
  },
  {
    claim: "pages through traces, each of them once",
    async run(store) {
      await store.append(Array.from({ length: 9 }, (_, i) => orderTrace(i + 1, BASE_MS + i * 25)).flat());
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.search({
          ...RANGE,
          query: parseQuery("", "traces"),
          limit: 2,
          ...(cursor !== undefined && { cursor }),
        });
        seen.push(...page.items.map(({ traceId }) => traceId));
        cursor = page.cursor;
      } while (cursor !== undefined);
      assert.equal(seen.length, 9);
      assert.equal(new Set(seen).size, 9);
    },
  },
  {
    claim: "keeps a span once however often it comes",
    async run(store) {
      await store.append(orderTrace(1, BASE_MS));
      await store.append(orderTrace(1, BASE_MS).toReversed());
      assert.equal((await store.trace(id(1, 32))).length, 4);
      const {
        rows: [row],
      } = await store.red({ ...RANGE, steps: 1, by: "service", service: "sms" });
      assert.equal(row?.count, 1);
    },
  },
  {
    claim: "counts requests, errors and durations of what services serve, by step and by operation",
    async run(store) {
      const served = (n: number, atMs: number, durationMs: number, status: 0 | 2 = 0) =>
        span({
          traceId: id(n, 32),
          spanId: id(n, 16),
          atMs,
          durationMs,
          name: n % 2 === 0 ? "GET /a" : "GET /b",
          service: "api",
          kind: 2,
          status,
        });
      await store.append([
        ...Array.from({ length: 100 }, (_, i) => served(i + 1, BASE_MS + i, i + 1)),
        served(200, BASE_MS + 1500, 40, 2),
        span({ traceId: id(300, 32), spanId: id(300, 16), service: "api", kind: 3, name: "out" }),
      ]);
      const range = { fromMs: BASE_MS, toMs: BASE_MS + 2000 };
      const {
        rows: [api, ...others],
      } = await store.red({ ...range, steps: 2, by: "service" });
      assert.deepEqual(others, []);
      assert.deepEqual([api?.service, api?.operation, api?.count, api?.errors], ["api", "", 101, 1]);
      near(api?.p50Ms, 50);
      near(api?.p99Ms, 99);
      assert.deepEqual(
        api?.steps.map(({ count, errors }) => [count, errors]),
        [
          [100, 0],
          [1, 1],
        ],
      );
      const { rows: operations } = await store.red({ ...range, steps: 1, by: "operation", service: "api" });
      assert.deepEqual(operations.map(({ operation, count }) => [operation, count]).sort(byText), [
        ["GET /a", 51],
        ["GET /b", 50],
      ]);
    },
  },
  {
    claim: "draws calls between services, and to databases and hosts that send no spans",
    async run(store) {
      const outside = span({
        traceId: id(5, 32),
        spanId: id(50, 16),
        atMs: BASE_MS,
        durationMs: 20,
        service: "sms",
        kind: 3,
        attributes: { "server.address": "api.provider.example" },
      });
      await store.append([...orderTrace(1, BASE_MS), ...orderTrace(2, BASE_MS + 1000), outside]);
      const { edges } = await store.edges(RANGE);
      assert.deepEqual(
        edges.map(({ source, target, kind, count, errors }) => [source, target, kind, count, errors]).sort(byText),
        [
          ["gateway", "sms", "service", 2, 2],
          ["sms", "api.provider.example", "external", 1, 0],
          ["sms", "outbox", "database", 2, 0],
        ],
      );
      near(edges.find(({ target }) => target === "sms")?.p95Ms, 60);
    },
  },
];

const byText = (a: readonly unknown[], b: readonly unknown[]): number => (a.join() < b.join() ? -1 : 1);

/** Quantiles may be estimates. */
function near(actual: number | null | undefined, expected: number): void {
  assert.ok(
    typeof actual === "number" && Math.abs(actual - expected) <= expected * 0.03,
    `${actual} is not near ${expected}`,
  );
}
