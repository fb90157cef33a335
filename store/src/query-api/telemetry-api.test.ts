import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  LogFacets,
  LogHistogram,
  LogPage,
  ServiceDetail,
  ServiceGraph,
  ServiceList,
  TraceLogs,
  TracePage,
  tracesFromJson,
} from "@tocsin/model";
import { createHttpServer, Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TelemetryStoreConfig } from "../config.ts";
import { createTelemetryStore, type TelemetryStore } from "../telemetry-store.ts";
import { BASE_MS, id, logRecord, span } from "../testing/builders.ts";
import { telemetryApi } from "./telemetry-api.ts";

let dataDir: string;
let store: TelemetryStore;
let app: FastifyInstance;
const clock = new ManualClock(BASE_MS + 61_000);

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-api-"));
  const config = TelemetryStoreConfig.parse({ readers: 1 });
  store = createTelemetryStore({ dataDir, config, clock, logger: silentLogger, registry: new Registry() });
  await store.start();
  app = createHttpServer({ logger: silentLogger });
  await app.register(telemetryApi, { store, clock });
  const traceId = id(1, 32);
  await store.logs.append([
    logRecord({ atMs: BASE_MS, body: '=cmd(), "quoted"', service: "api", traceId, spanId: id(1, 16) }),
    logRecord({
      atMs: BASE_MS + 10,
      body: "order refused",
      service: "sms",
      severityNumber: 17,
      traceId,
      attributes: { provider: "alpha" },
    }),
  ]);
  await store.traces.append([
    span({
      traceId,
      spanId: id(1, 16),
      atMs: BASE_MS,
      durationMs: 100,
      name: "GET /orders",
      service: "api",
      resource: { "service.version": "1.2.0" },
    }),
    span({
      traceId,
      spanId: id(2, 16),
      parentSpanId: id(1, 16),
      atMs: BASE_MS + 10,
      durationMs: 50,
      name: "POST /send",
      service: "sms",
      status: 2,
    }),
  ]);
});

afterAll(async () => {
  await app.close();
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const get = async (path: string) => {
  const response = await app.inject({ url: `/api/tocsin/v1/${path}` });
  return {
    status: response.statusCode,
    body: response.body,
    json: () => response.json() as unknown,
    headers: response.headers,
  };
};

test("searches logs of the last hour unless told otherwise", async () => {
  const page = LogPage.parse((await get("logs?q=refused")).json());
  expect(page.items.map(({ message, service }) => [message, service])).toEqual([["order refused", "sms"]]);
  const before = LogPage.parse((await get(`logs?to=${BASE_MS / 1000}`)).json());
  expect(before.items).toEqual([]);
});

test("pages with limit and cursor", async () => {
  const first = LogPage.parse((await get("logs?limit=1")).json());
  const second = LogPage.parse((await get(`logs?limit=1&cursor=${first.cursor}`)).json());
  expect([...first.items, ...second.items].map(({ service }) => service)).toEqual(["sms", "api"]);
  expect(second.cursor).toBeUndefined();
});

test("begins with the oldest on request, for what surrounds a record", async () => {
  const { items } = LogPage.parse((await get("logs?order=oldest")).json());
  expect(items.map(({ service }) => service)).toEqual(["api", "sms"]);
});

test.each([
  [
    "logs?q=level:loud",
    "q",
    'q: "loud" is no severity (write trace, debug, info, warn, error, fatal, unset, or a number) (at character 7)',
  ],
  [
    "logs?from=yesterday",
    "from",
    'from: cannot parse "yesterday" as a time (write 2026-01-31T12:00:00Z, Unix seconds, now or now-15m)',
  ],
  ["logs?from=now&to=now-1h", "from", "from: must be before to"],
  ["logs?limit=0", "limit", "limit: Too small: expected number to be >=1"],
  ["logs?limit=ten", "limit", "limit: must be a whole number"],
  ["logs?cursor=nonsense", undefined, "cursor: not a cursor of this API"],
  ["traces?q=duration:>soon", "q", 'q: "soon" is no duration (write 250ms, 1.5s or 2m) (at character 10)'],
  ["traces/xyz", "traceId", "traceId: a trace id has 32 hexadecimal digits"],
])("answers 400 with the place to %s", async (path, parameter, detail) => {
  const { status, json } = await get(path);
  const problem = json() as { detail: string; errors?: { path: string }[] };
  expect([status, problem.errors?.[0]?.path, problem.detail]).toEqual([400, parameter, detail]);
});

test("counts logs by time and by field", async () => {
  const histogram = LogHistogram.parse(
    (await get(`logs/histogram?from=${BASE_MS / 1000}&to=${BASE_MS / 1000 + 60}&buckets=6`)).json(),
  );
  expect(histogram.stepMs).toBe(10_000);
  expect(histogram.buckets[0]).toEqual({ startMs: BASE_MS, total: 2, levels: { info: 1, error: 1 } });
  const { facets } = LogFacets.parse((await get("logs/facets?fields=service,provider")).json());
  expect(facets).toEqual([
    {
      field: "service",
      values: [
        { value: "api", count: 1 },
        { value: "sms", count: 1 },
      ],
    },
    { field: "provider", values: [{ value: "alpha", count: 1 }] },
  ]);
});

test("exports logs as JSON lines and as CSV that no spreadsheet runs", async () => {
  const jsonl = await get("logs/export");
  expect(jsonl.headers["content-type"]).toBe("application/x-ndjson; charset=utf-8");
  expect(
    jsonl.body
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { service: string }).service),
  ).toEqual(["sms", "api"]);
  const csv = await get("logs/export?format=csv&q=service:api");
  expect(csv.body).toBe(
    "time,service,severity,message,trace_id,span_id,attributes,resource\r\n" +
      `2026-01-10T07:00:00.000Z,api,info,"'=cmd(), ""quoted""",${id(1, 32)},${id(1, 16)},{},"{""service.name"":""api""}"\r\n`,
  );
});

test("lists traces, gives one as OTLP JSON and its logs oldest first", async () => {
  const { items } = TracePage.parse((await get("traces?q=status:error")).json());
  expect(items.map(({ traceId, spanCount, errorCount }) => [traceId, spanCount, errorCount])).toEqual([
    [id(1, 32), 2, 1],
  ]);
  const spans = tracesFromJson((await get(`traces/${id(1, 32).toUpperCase()}`)).json());
  expect(spans.map(({ name }) => name)).toEqual(["GET /orders", "POST /send"]);
  const logs = TraceLogs.parse((await get(`traces/${id(1, 32)}/logs`)).json());
  expect(logs.items.map(({ service }) => service)).toEqual(["api", "sms"]);
  expect((await get(`traces/${id(9, 32)}`)).status).toBe(404);
});

test("tells how services do and whom they call", async () => {
  const range = `from=${BASE_MS / 1000}&to=${BASE_MS / 1000 + 10}`;
  const { items } = ServiceList.parse((await get(`services?${range}`)).json());
  expect(items.map(({ name, version, rate, errorRatio, state }) => [name, version, rate, errorRatio, state])).toEqual([
    ["api", "1.2.0", 0.1, 0, "healthy"],
    ["sms", "", 0.1, 1, "degraded"],
  ]);
  const sms = ServiceDetail.parse((await get(`services/sms?${range}`)).json());
  expect(sms.operations.map(({ name, errorRatio }) => [name, errorRatio])).toEqual([["POST /send", 1]]);
  expect(sms.red).toHaveLength(60);
  const graph = ServiceGraph.parse((await get(`services/graph?${range}`)).json());
  expect(graph.nodes.map(({ name, kind }) => [name, kind])).toEqual([
    ["api", "service"],
    ["sms", "service"],
  ]);
  expect(graph.edges.map(({ source, target, rate }) => [source, target, rate])).toEqual([["api", "sms", 0.1]]);
  expect((await get("services/nobody")).status).toBe(404);
});

test("streams new matching logs, and lets go when the client leaves", async () => {
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/api/tocsin/v1/logs/tail?q=level:error`, {
    signal: leaving.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader.read()).value).toBe(": connected\n\n");
  // The subscription has reached the writer once this later call is answered.
  await store.logs.append([logRecord({ body: "quiet" })]);
  await store.logs.append([logRecord({ body: "loud", severityNumber: 17 })]);
  const event = (await reader.read()).value ?? "";
  expect(event).toMatch(/^event: log\nid: \S+\ndata: \{.*"message":"loud".*\}\n\n$/);
  leaving.abort();
  await expect(reader.read()).rejects.toThrow();
});
