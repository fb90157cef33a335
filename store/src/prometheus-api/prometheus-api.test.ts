import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHttpServer, Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { MetricStoreConfig } from "../metrics/config.ts";
import { createMetricStore, type EmbeddedMetricStore } from "../metrics/metric-store.ts";
import { prometheusQueryApi } from "./index.ts";

const T0 = Date.UTC(2026, 0, 10);
const SECONDS = T0 / 1000;

let dataDir: string;
let store: EmbeddedMetricStore;
let app: FastifyInstance;
const clock = new ManualClock(T0 + 60_000);

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-api-"));
  const config = MetricStoreConfig.parse({});
  store = createMetricStore({ dataDir, config, clock, logger: silentLogger, registry: new Registry() });
  await store.start();
  const exemplar = { labels: { trace_id: "abc" }, value: 0.25, timestampMs: T0 + 1500 };
  await store.append({
    series: [
      { labels: { __name__: "up", job: "api", instance: "a" }, samples: [{ timestampMs: T0, value: 1 }, { timestampMs: T0 + 30_500, value: 0 }] },
      { labels: { __name__: "up", job: "sms", instance: "b" }, samples: [{ timestampMs: T0 + 30_000, value: 1 }] },
      { labels: { __name__: "odd", v: "tiny" }, samples: [{ timestampMs: T0, value: 1e-7 }] },
      { labels: { __name__: "odd", v: "nan" }, samples: [{ timestampMs: T0, value: NaN }] },
      { labels: { __name__: "odd", v: "inf" }, samples: [{ timestampMs: T0, value: -Infinity }] },
      { labels: { __name__: "requests_total", "http.route": "/x" }, samples: [{ timestampMs: T0, value: 7 }], exemplars: [exemplar] },
      {
        labels: { __name__: "native" },
        samples: [{
          timestampMs: T0, value: 0,
          histogram: {
            schema: 0, count: 7, sum: 10.5, zeroThreshold: 0.001, zeroCount: 1, positiveOffset: 0, positiveBuckets: [2, 0, 3],
            negativeOffset: 1, negativeBuckets: [1], customValues: [], counterReset: "unknown",
          },
        }],
      },
    ],
    metadata: [
      { metric: "up", type: "gauge", unit: "", help: "Whether it is up." },
      { metric: "requests", type: "counter", unit: "", help: "Requests." },
    ],
  }); // prettier-ignore
  app = createHttpServer({ logger: silentLogger });
  await app.register(prometheusQueryApi, {
    store,
    clock,
    version: "0.1.0",
    retention: "200h",
    configText: () => "global: {}\n",
    flags: () => ({ "web.listen-address": "127.0.0.1:9400" }),
  });
});
afterAll(async () => {
  await app.close();
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function get(path: string) {
  const { statusCode, body, headers } = await app.inject({
    url: `/api/v1/${path}`,
    headers: { origin: "http://g.example" },
  });
  expect(headers["content-type"]).toBe("application/json");
  return { statusCode, body, json: JSON.parse(body) as Record<string, unknown> };
}

async function data(path: string): Promise<unknown> {
  const { statusCode, json } = await get(path);
  expect(json).toMatchObject({ status: "success" });
  expect(statusCode).toBe(200);
  return json["data"];
}

const q = encodeURIComponent;

describe("query", () => {
  test("answers a vector, to the letter", async () => {
    const { body } = await get(`query?query=${q('up{job="api"}')}&time=${SECONDS + 1}`);
    expect(body).toBe(
      `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","instance":"a","job":"api"},"value":[${SECONDS + 1},"1"]}]}}`,
    );
  });

  test("takes the time of the clock when none is given, and RFC 3339", async () => {
    expect(await data(`query?query=${q('up{job="api"}')}`)).toMatchObject({ result: [{ value: [SECONDS + 60, "0"] }] });
    expect(await data(`query?query=${q('up{job="api"}')}&time=2026-01-10T00:00:02.5Z`)).toMatchObject({
      result: [{ value: [SECONDS + 2.5, "1"] }],
    });
  });

  test.each([
    ["tiny", "1e-07"],
    ["nan", "NaN"],
    ["inf", "-Inf"],
  ])("writes %s values as Go does", async (v, text) => {
    expect(await data(`query?query=${q(`odd{v="${v}"}`)}&time=${SECONDS}`)).toMatchObject({
      result: [{ value: [SECONDS, text] }],
    });
  });

  test("answers scalars in plain decimals, and strings", async () => {
    expect(await data(`query?query=1e-7&time=1.5`)).toEqual({ resultType: "scalar", result: [1.5, "0.0000001"] });
    expect(await data(`query?query=${q('"x"')}&time=2`)).toEqual({ resultType: "string", result: [2, "x"] });
  });

  test("answers a matrix for a range selector", async () => {
    expect(await data(`query?query=${q('up{job="api"}[1m]')}&time=${SECONDS + 31}`)).toEqual({
      resultType: "matrix",
      result: [{ metric: { __name__: "up", instance: "a", job: "api" }, values: [[SECONDS, "1"], [SECONDS + 30.5, "0"]] }],
    }); // prettier-ignore
  });

  test("writes native histograms with their populated buckets", async () => {
    expect(await data(`query?query=native&time=${SECONDS}`)).toEqual({
      resultType: "vector",
      result: [
        {
          metric: { __name__: "native" },
          histogram: [
            SECONDS,
            {
              count: "7",
              sum: "10.5",
              buckets: [
                [1, "-2", "-1", "1"],
                [3, "-0.001", "0.001", "1"],
                [0, "0.5", "1", "2"],
                [0, "2", "4", "3"],
              ],
            },
          ],
        },
      ],
    });
  });

  test("takes the query from a form", async () => {
    const { body } = await app.inject({
      method: "POST",
      url: `/api/v1/query?time=${SECONDS}`,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: "query=vector(3)&time=5",
    });
    expect(JSON.parse(body)).toMatchObject({ data: { result: [{ metric: {}, value: [5, "3"] }] } });
  });

  test.each(["1e300", "-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z"])(
    "a time as far away as %s is empty, not an error",
    async (time) => {
      expect(await data(`query?query=up&time=${time}`)).toEqual({ resultType: "vector", result: [] });
      expect(await data(`labels?start=-292273086-05-16T16:47:06Z&end=${time}`)).toBeInstanceOf(Array);
    },
  );

  test("cuts the result to the limit and says so", async () => {
    const { json } = await get(`query?query=up&limit=1&time=${SECONDS + 30}`);
    expect(json).toMatchObject({ warnings: ["results truncated due to limit"] });
    expect((json["data"] as { result: unknown[] }).result).toHaveLength(1);
  });

  test("tells how it went when asked", async () => {
    expect(await data(`query?query=up&stats=true&time=${SECONDS + 30}`)).toMatchObject({
      stats: { samples: { totalQueryableSamples: 2 }, timings: { execTotalTime: expect.any(Number) } },
    });
  });

  test.each([
    ["query?query=", 400, "bad_data", /^invalid parameter "query": unknown position: parse error: no expression found in input$/],
    ["query?query=up%20%2B", 400, "bad_data", /^invalid parameter "query": 1:5: parse error: /],
    ["query?query=up&time=noon", 400, "bad_data", /^invalid parameter "time": invalid time value for 'time': cannot parse "noon" to a valid timestamp$/],
    ["query?query=up&timeout=x", 400, "bad_data", /^invalid parameter "timeout": cannot parse "x" to a valid duration$/],
    ["query?query=up&limit=-1", 400, "bad_data", /^invalid parameter "limit": limit must be non-negative$/],
    ["query?query=up&lookback_delta=x", 400, "bad_data", /^error parsing lookback delta duration: cannot parse "x" to a valid duration$/],
    [`query?query=${q("up + on() group_left() up")}&time=${SECONDS + 30}`, 422, "execution", /many-to-many|found duplicate series/],
    ["query_range?query=up&start=1&end=0&step=1", 400, "bad_data", /^invalid parameter "end": end timestamp must not be before start time$/],
    ["query_range?query=up&start=0&end=1&step=0", 400, "bad_data", /^invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer$/],
    ["query_range?query=up&start=&end=1&step=1", 400, "bad_data", /^invalid parameter "start": cannot parse "" to a valid timestamp$/],
    ["query_range?query=up&start=0&end=11001&step=1", 400, "bad_data", /^exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution \(\?step=XX\)$/],
    [`query_range?query=${q("up[1m]")}&start=0&end=1&step=1`, 400, "bad_data", /^invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector$/],
    ["series", 400, "bad_data", /^no match\[\] parameter provided$/],
    [`series?match[]=${q('{job=~".*"}')}`, 400, "bad_data", /^invalid parameter "match\[\]": match\[\] must contain at least one non-empty matcher$/],
    ["series?match[]=up%7B", 400, "bad_data", /^invalid parameter "match\[\]": 1:4: parse error: /],
    ["labels?start=x", 400, "bad_data", /^invalid parameter "start": invalid time value for 'start': cannot parse "x" to a valid timestamp$/],
    ["metadata?limit=x", 400, "bad_data", /^limit must be a number$/],
  ])("%s is %i %s", async (path, status, errorType, message) => {
    const { statusCode, json } = await get(path);
    expect(json).toMatchObject({ status: "error", errorType, error: expect.stringMatching(message) });
    expect(statusCode).toBe(status);
  }); // prettier-ignore
});

describe("query_range", () => {
  test("answers a point for every step that has a value", async () => {
    expect(await data(`query_range?query=${q('up{job="api"}')}&start=${SECONDS - 30}&end=${SECONDS + 31}&step=30s`)).toEqual({
      resultType: "matrix",
      result: [{ metric: { __name__: "up", instance: "a", job: "api" }, values: [[SECONDS, "1"], [SECONDS + 30, "1"]] }],
    }); // prettier-ignore
  });
});

describe("labels and series", () => {
  test("series are found by any of the selectors, in order", async () => {
    expect(await data(`series?match[]=${q('up{job="sms"}')}&match[]=up`)).toEqual([
      { __name__: "up", instance: "a", job: "api" },
      { __name__: "up", instance: "b", job: "sms" },
    ]);
  });

  test("label names and values, restricted or not", async () => {
    expect(await data("labels")).toEqual(["__name__", "http.route", "instance", "job", "v"]);
    expect(await data("labels?match[]=up")).toEqual(["__name__", "instance", "job"]);
    expect(await data("label/job/values")).toEqual(["api", "sms"]);
    expect(await data(`label/job/values?match[]=${q('up{instance="b"}')}`)).toEqual(["sms"]);
    expect(await data(`label/job/values?end=${SECONDS - 1}`)).toEqual([]);
    expect(await data("label/nothing/values")).toEqual([]);
  });

  test("an escaped label name is unescaped", async () => {
    expect(await data("label/U__http_2e_route/values")).toEqual(["/x"]);
  });

  test("a limit cuts and warns", async () => {
    expect(await get("labels?limit=2")).toMatchObject({
      json: { data: ["__name__", "http.route"], warnings: ["results truncated due to limit"] },
    });
  });

  test("metadata by metric", async () => {
    expect(await data("metadata")).toEqual({
      up: [{ type: "gauge", unit: "", help: "Whether it is up." }],
      requests: [{ type: "counter", unit: "", help: "Requests." }],
    });
    expect(await data("metadata?metric=up&limit_per_metric=1")).toEqual({
      up: [{ type: "gauge", unit: "", help: "Whether it is up." }],
    });
    expect(await data("metadata?limit=0")).toEqual({});
  });

  test("exemplars of the series an expression names", async () => {
    expect(
      await data(`query_exemplars?query=${q("rate(requests_total[5m])")}&start=${SECONDS}&end=${SECONDS + 5}`),
    ).toEqual([
      {
        seriesLabels: { __name__: "requests_total", "http.route": "/x" },
        exemplars: [{ labels: { trace_id: "abc" }, value: "0.25", timestamp: SECONDS + 1.5 }],
      },
    ]);
  });
});

describe("expressions as text and tree", () => {
  test("format_query prints", async () => {
    expect(await data(`format_query?query=${q("sum   by(job)(up)")}`)).toBe("sum by (job) (up)");
  });

  test("parse_query gives the tree", async () => {
    expect(await data(`parse_query?query=${q("-1")}`)).toMatchObject({ type: "numberLiteral", val: "-1" });
  });
});

describe("status", () => {
  test("buildinfo names a compatible Prometheus and this version", async () => {
    expect(await data("status/buildinfo")).toMatchObject({ version: "3.15.0", revision: "tocsin-0.1.0" });
  });

  test("config, flags, runtimeinfo, tsdb, walreplay", async () => {
    expect(await data("status/config")).toEqual({ yaml: "global: {}\n" });
    expect(await data("status/flags")).toEqual({ "web.listen-address": "127.0.0.1:9400" });
    expect(await data("status/runtimeinfo")).toMatchObject({
      storageRetention: "200h",
      startTime: "2026-01-10T00:01:00.000Z",
    });
    expect(await data("status/tsdb?limit=1")).toMatchObject({
      headStats: { numSeries: 7, minTime: T0 },
      seriesCountByMetricName: [{ name: "odd", value: 3 }],
    });
    expect(await data("status/walreplay")).toMatchObject({ current: 0 });
  });
});

describe("federate", () => {
  test("tells the newest sample of each series, in the text format", async () => {
    const url = `/federate?match[]=${q('{__name__=~"up|requests_total|native"}')}&match[]=up`;
    const { body, headers } = await app.inject({ url });
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(body).toBe(
      [
        "# TYPE requests_total untyped",
        `requests_total{"http.route"="/x"} 7 ${T0}`,
        "# TYPE up untyped",
        `up{instance="a",job="api"} 0 ${T0 + 30_500}`,
        `up{instance="b",job="sms"} 1 ${T0 + 30_000}`,
        "",
      ].join("\n"),
    );
  });

  test("a bad selector is a plain error", async () => {
    const { statusCode, headers, body } = await app.inject({ url: "/federate?match[]=%7B" });
    expect(statusCode).toBe(400);
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(body).toContain("parse error");
  });
});

test("whatever is asked, the answer is one of the API's", async () => {
  const path = fc.constantFrom(
    "query", "query_range", "series", "labels", "label/job/values", "label/U___/values", "metadata", "format_query",
    "parse_query", "query_exemplars", "status/tsdb",
  ); // prettier-ignore
  const name = fc.constantFrom(
    "query",
    "time",
    "start",
    "end",
    "step",
    "timeout",
    "limit",
    "match[]",
    "stats",
    "lookback_delta",
  );
  const value = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.integer().map(String),
    fc.constantFrom("up", "up[1m]", "{job=~'.+'}", "rate(up[5m])", "sum by (job) (up)", "1h", "0", "-1", "NaN", "Inf", "{__name__=~'('}"),
  ); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(path, fc.array(fc.tuple(name, value), { maxLength: 6 }), async (path, parameters) => {
      const { statusCode, body } = await app.inject({ url: `/api/v1/${path}?${new URLSearchParams(parameters)}` });
      expect(JSON.parse(body)).toHaveProperty("status", statusCode === 200 ? "success" : "error");
      expect([200, 400, 422, 503]).toContain(statusCode);
    }),
    { numRuns: 400 },
  );
});

describe("around it", () => {
  test("answers browsers of other origins, as Prometheus does", async () => {
    const { headers } = await app.inject({ url: "/api/v1/labels", headers: { origin: "http://g.example" } });
    expect(headers["access-control-allow-origin"]).toBe("*");
    const preflight = await app.inject({
      method: "OPTIONS",
      url: "/api/v1/query",
      headers: { origin: "http://g.example" },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-methods"]).toBe("GET, POST, OPTIONS");
    expect((await app.inject({ url: "/api/v1/labels" })).headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("leaves the error shape of other routes alone", async () => {
    const { headers } = await app.inject({ url: "/api/v1/nowhere" });
    expect(headers["content-type"]).toContain("application/problem+json");
  });
});
