import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAlertmanagerSink } from "./alertmanager-sink.ts";
import { createPrometheusQuerySource } from "./prometheus-query-source.ts";

let app: FastifyInstance;
let url: string;
let answer: { status: number; body: unknown };
let received: { path: string; body: unknown }[];

beforeEach(async () => {
  received = [];
  app = fastify({ forceCloseConnections: true });
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );
  app.post("/*", async (request, reply) => {
    received.push({ path: request.url, body: request.body });
    return reply.code(answer.status).send(answer.body);
  });
  url = await app.listen({ port: 0, host: "127.0.0.1" });
});
afterEach(() => app.close());

const ask = (expr = "up") =>
  createPrometheusQuerySource({ url: `${url}/prom/` }).instant(expr, 1_500_000_000_123, new AbortController().signal);
const success = (data: unknown) => ({ status: 200, body: { status: "success", data } });

test("asks as Prometheus' API wants it and reads a vector", async () => {
  answer = success({
    resultType: "vector",
    result: [
      { metric: { job: "x" }, value: [1_500_000_000.123, "2.5"] },
      { metric: {}, value: [1_500_000_000.123, "+Inf"] },
    ],
  });
  expect(await ask("up > 1")).toEqual({
    type: "vector",
    samples: [
      { labels: { job: "x" }, timestampMs: 1_500_000_000_123, value: 2.5 },
      { labels: {}, timestampMs: 1_500_000_000_123, value: Infinity },
    ],
  });
  expect(received).toEqual([{ path: "/prom/api/v1/query", body: { query: "up > 1", time: "1500000000.123" } }]);
});

test("reads scalars and matrices", async () => {
  answer = success({ resultType: "scalar", result: [1, "NaN"] });
  expect(await ask()).toEqual({ type: "scalar", timestampMs: 1000, value: Number.NaN });
  answer = success({ resultType: "matrix", result: [{ metric: { a: "b" }, values: [[1, "2"]] }] });
  expect(await ask()).toEqual({
    type: "matrix",
    series: [{ labels: { a: "b" }, samples: [{ timestampMs: 1000, value: 2 }] }],
  });
});

test("an error keeps Prometheus' own words", async () => {
  answer = { status: 422, body: { status: "error", errorType: "execution", error: "found duplicate series" } };
  await expect(ask()).rejects.toThrow(/^found duplicate series$/);
});

test("an answer that is no Prometheus' is an error that names the address", async () => {
  answer = { status: 502, body: "<html>bad gateway</html>" };
  await expect(ask()).rejects.toThrow(`${url}/prom/api/v1/query answered 502`);
});

test("native histograms are refused rather than misread", async () => {
  answer = success({ resultType: "vector", result: [{ metric: {}, histogram: [1, { count: "1", sum: "2" }] }] });
  await expect(ask()).rejects.toThrow("native histograms");
});

const alert = { labels: { alertname: "A" }, startsAt: "2026-01-01T00:00:00Z" };

test("alerts are taken when one Alertmanager takes them", async () => {
  answer = { status: 200, body: "" };
  await createAlertmanagerSink({ urls: ["http://127.0.0.1:1", `${url}/am`] }).send([alert]);
  expect(received).toEqual([{ path: "/am/api/v2/alerts", body: [alert] }]);
});

test("alerts that nobody takes are an error that says why", async () => {
  answer = { status: 400, body: "bad label" };
  await expect(createAlertmanagerSink({ urls: [url] }).send([alert])).rejects.toThrow(
    `no Alertmanager took the alerts: Error: ${url}/api/v2/alerts answered 400: bad label`,
  );
});
