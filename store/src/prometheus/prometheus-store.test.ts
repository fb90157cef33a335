import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Registry, systemClock } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { createMetricWriter } from "../metrics/metric-writer.ts";
import { PrometheusStoreConfig } from "./config.ts";
import { createPrometheusStore, type PrometheusMetricStore } from "./prometheus-store.ts";

let server: Server;
let store: PrometheusMetricStore;
let registry: Registry;
let asked: { path: string; form: URLSearchParams }[];
let answer: { status: number; body: string };

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: '{"status":"success","data":[]}' };
  server = createServer((request, response) => {
    let form = "";
    request.on("data", (chunk: Buffer) => (form += chunk.toString()));
    request.on("end", () => {
      asked.push({ path: request.url ?? "", form: new URLSearchParams(form) });
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  registry = new Registry();
  store = createPrometheusStore({
    config: PrometheusStoreConfig.parse({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant/`,
      query_timeout: "90s",
    }),
    clock: systemClock,
    logger: silentLogger,
    registry,
  });
  await store.start();
});
afterEach(async () => {
  await store.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test("a query goes to the API below the configured path, with its limits", async () => {
  answer.body = '{"status":"success","data":{"resultType":"vector","result":[]}}';
  await store.instant("up", 1500, { timeoutMs: 5000, lookbackMs: 60_000 });
  expect(asked[0]?.path).toBe("/tenant/api/v1/query");
  expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
    query: "up",
    time: "1.5",
    timeout: "5000ms",
    lookback_delta: "60000ms",
  });
  await store.instant("up", 0, { timeoutMs: 500_000 });
  expect(asked[1]?.form.get("timeout")).toBe("90000ms");
});

test("a limit holds also where the server does not know it", async () => {
  const series = (name: string) => `{"metric":{"a":"${name}"},"value":[1,"1"]}`;
  answer.body = `{"status":"success","data":{"resultType":"vector","result":[${series("x")},${series("y")}]}}`;
  const body = Buffer.from(await store.instantJson("up", 0, { limit: 1, stats: false })).toString();
  expect(JSON.parse(body)).toEqual({
    status: "success",
    data: { resultType: "vector", result: [{ metric: { a: "x" }, value: [1, "1"] }] },
    warnings: ["results truncated due to limit"],
  });
  const whole = await store.instantJson("up", 0, { limit: 0, stats: false });
  expect(Buffer.from(whole).toString()).toBe(answer.body);
});

test("open ends of a range are left to the server; no matchers mean every series", async () => {
  await store.series({ matcherSets: [], fromMs: -Infinity, toMs: Infinity });
  expect([...(asked[0]?.form ?? [])]).toEqual([["match[]", '{__name__=~".+"}']]);
  await store.labelValues("service.name", { matcherSets: [], fromMs: 1000, toMs: Infinity });
  expect(asked[1]?.path).toBe("/tenant/api/v1/label/U__service_2e_name/values?start=1");
});

test.each([
  [422, "execution", "too many samples"],
  [503, "timeout", "query timed out"],
  [400, "bad_data", "1:5: parse error"],
])("%s %s is the query's own failure", async (status, errorType, error) => {
  answer = { status, body: JSON.stringify({ status: "error", errorType, error }) };
  await expect(store.instant("up", 0)).rejects.toMatchObject({ name: "QueryError", kind: errorType, message: error });
  expect(await registry.metrics()).toContain(`tocsin_prometheus_query_failures_total{kind="${errorType}"} 1\n`);
});

test("what is no answer of a Prometheus, or none at all, is an outage", async () => {
  answer = { status: 502, body: "<html>Bad Gateway" };
  await expect(store.instant("up", 0)).rejects.toMatchObject({
    code: "TOCSIN_UNAVAILABLE",
    message: expect.stringMatching(/\/tenant\/api\/v1\/query answers 502: <html>Bad Gateway$/),
  });
  answer = { status: 200, body: "not snappy" };
  await expect(store.instant("up", 0)).rejects.toMatchObject({
    code: "TOCSIN_UNAVAILABLE",
    message: "store.prometheus.url answers, but not as a Prometheus does",
  });
  await expect(store.select([], 0, 1)).rejects.toMatchObject({ code: "TOCSIN_UNAVAILABLE" });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(store.instant("up", 0)).rejects.toMatchObject({
    code: "TOCSIN_UNAVAILABLE",
    message: expect.stringContaining("does not answer"),
  });
  server.listen(0);
});

test("a query that nobody waits for any more ends as canceled", async () => {
  const leaving = new AbortController();
  server.removeAllListeners("request");
  server.on("request", () => leaving.abort());
  await expect(store.instant("up", 0, { signal: leaving.signal })).rejects.toMatchObject({ kind: "canceled" });
});

test("what is no OTLP is poison and goes nowhere", async () => {
  const message = { topic: "otlp_metrics" as const, key: "", value: Uint8Array.of(255, 255), records: 1 };
  expect(await createMetricWriter(store)(message)).toMatchObject({ status: "poison" });
  expect(asked).toEqual([]);
});
