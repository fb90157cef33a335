import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRuleManager, toQueryAnswer } from "@tocsin/alerting";
import type { NativeHistogram, PostableAlert, Sample, WriteRequest } from "@tocsin/model";
import { createHttpServer, Registry, systemClock } from "@tocsin/platform";
import {
  createMetricStore,
  createPrometheusStore,
  type EmbeddedMetricStore,
  MetricStoreConfig,
  type PrometheusMetricStore,
  prometheusQueryApi,
  PrometheusStoreConfig,
  remoteWriteApi,
} from "@tocsin/store";
import { eventually, silentLogger } from "@tocsin/testing";
import { createPrometheusServer, type PrometheusServer } from "../support/prometheus-server.ts";

const CONFIG = "storage: {tsdb: {out_of_order_time_window: 10m}}\n";
/** Within what a Prometheus takes: now, on whole seconds. */
const T0 = Math.floor(Date.now() / 1000) * 1000 - 120_000;

let prometheus: PrometheusServer;
let registry: Registry;
let store: PrometheusMetricStore;

beforeAll(async () => {
  prometheus = await createPrometheusServer(CONFIG);
  await prometheus.start();
});
afterAll(() => prometheus.remove());
beforeEach(() => {
  store = openStore();
});
afterEach(() => store.stop());

function openStore(config: object = {}): PrometheusMetricStore {
  registry = new Registry();
  return createPrometheusStore({
    config: PrometheusStoreConfig.parse({ url: prometheus.url, ...config }),
    clock: systemClock,
    logger: silentLogger,
    registry,
  });
}

const write = (name: string, samples: Sample[], labels: Record<string, string> = {}): WriteRequest => ({
  series: [{ labels: { __name__: name, job: "t", ...labels }, samples }],
});
const at = (seconds: number, value: number): Sample => ({ timestampMs: T0 + seconds * 1000, value });

const histogram: NativeHistogram = {
  schema: 0,
  count: 12,
  sum: 18.4,
  zeroThreshold: 0.001,
  zeroCount: 2,
  positiveOffset: 0,
  positiveBuckets: [1, 2, 0, 0, 0, 0, 3],
  negativeOffset: 1,
  negativeBuckets: [4],
  customValues: [],
  counterReset: "unknown",
};

describe("samples in a Prometheus", () => {
  test("are found by queries as soon as the append has resolved", async () => {
    await store.append(write("found_total", [at(0, 1), at(15, 5)], { route: 'a"b\\c\nd' }));
    expect(await store.instant("found_total * 2", T0 + 15_000)).toMatchObject({
      type: "vector",
      timestampMs: T0 + 15_000,
      samples: [{ labels: { job: "t", route: 'a"b\\c\nd' }, value: 10 }],
    });
    const { series } = await store.range("found_total", T0, T0 + 30_000, 15_000);
    expect(series.map(({ values }) => [...values])).toEqual([[1, 5, 5]]);
    const body = Buffer.from(await store.instantJson("found_total", T0 + 15_000, { limit: 0, stats: false }));
    expect(JSON.parse(body.toString())).toMatchObject({
      status: "success",
      data: { result: [{ value: [T0 / 1000 + 15, "5"] }] },
    });
  });

  test("have their labels, series and exemplars listed", async () => {
    const exemplars = [{ labels: { trace_id: "abc" }, value: 3, timestampMs: T0 + 1000 }];
    await store.append({
      series: [{ labels: { __name__: "listed_total", job: "t", code: "200" }, samples: [at(1, 3)], exemplars }],
      metadata: [{ metric: "listed_total", type: "counter", unit: "", help: "How many." }],
    });
    const matchers = [{ name: "__name__", type: "=", value: "listed_total" }] as const;
    const scope = { matcherSets: [matchers], fromMs: T0, toMs: T0 + 60_000 };
    const labels = { __name__: "listed_total", job: "t", code: "200" };
    expect(await store.series(scope)).toEqual([labels]);
    expect(await store.labelNames(scope)).toEqual(["__name__", "code", "job"]);
    expect(await store.labelValues("code", scope)).toEqual(["200"]);
    expect(await store.exemplars(scope)).toEqual([{ labels, exemplars }]);
    expect(await store.metadata("listed_total")).toEqual([
      [{ metric: "listed_total", type: "counter", unit: "", help: "How many." }],
    ]);
  });

  test("come back raw: from is excluded, to is included, the end of a series is told", async () => {
    const stale = { timestampMs: T0 + 3000, value: 0, stale: true };
    await store.append(write("raw", [at(0, 1), at(1, 2), at(2, 3), stale, at(4, 5)]));
    const [series] = await store.select([{ name: "__name__", type: "=", value: "raw" }], T0, T0 + 3000);
    expect(series?.labels).toEqual({ __name__: "raw", job: "t" });
    expect([...(series?.timestamps ?? [])]).toEqual([T0 + 1000, T0 + 2000, T0 + 3000]);
    expect([...(series?.values.subarray(0, 2) ?? [])]).toEqual([2, 3]);
    expect([...(series?.stale ?? [])]).toEqual([0, 0, 1]);
    expect(await store.instant("raw", T0 + 3500)).toMatchObject({ samples: [] });
  });

  test("may be native histograms", async () => {
    await store.append(write("latency", [{ timestampMs: T0, value: 0, histogram }]));
    const result = await store.instant("latency", T0);
    expect(result).toMatchObject({ samples: [{ histogram: { ...histogram, counterReset: "gauge" } }] });
    const { series } = await store.range("latency", T0, T0, 1000);
    expect(series[0]?.histograms).toMatchObject([{ timestampMs: T0, histogram: { sum: 18.4, negativeBuckets: [4] } }]);
  });

  test("a query that cannot be is refused in Prometheus' own words, said once", async () => {
    await expect(store.instant("sum(", T0)).rejects.toMatchObject({
      name: "QueryError",
      kind: "bad_data",
      message: expect.stringMatching(/^1:5: parse error/),
    });
    await expect(store.instant('{a="b"} * on(x) {a="c"}[1m]', T0)).rejects.toMatchObject({ kind: "bad_data" });
    await expect(store.instant("up", T0, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  test("one bad sample does not take the others with it", async () => {
    await store.append(write("bad", [at(0, 1)], { i: "7" }));
    const series = Array.from({ length: 20 }, (_, i) => ({
      labels: { __name__: "bad", job: "t", i: String(i) },
      // Another value at a time that has one already, and one far older than the window.
      samples: i === 7 ? [at(0, 2)] : i === 8 ? [at(-3600 * 5, 1)] : [at(0, i)],
    }));
    await store.append({ series });
    expect(await store.instant("count(bad)", T0)).toMatchObject({ samples: [{ value: 19 }] });
    expect(await store.instant('bad{i="7"}', T0)).toMatchObject({ samples: [{ value: 1 }] });
    expect(await registry.metrics()).toContain("tocsin_prometheus_write_samples_total 19\n");
    expect(await registry.metrics()).toMatch(/dropped_samples_total\{reason="status_\d+"\} \d\n/);
  });

  test("2.0 is offered and 1.0 spoken where that is all the receiver knows", async () => {
    const negotiating = openStore({ remote_write_version: "auto" });
    await negotiating.append(write("negotiated", [at(0, 4)]));
    await negotiating.append(write("negotiated", [at(1, 5)]));
    expect(await negotiating.instant("negotiated", T0 + 1000)).toMatchObject({ samples: [{ value: 5 }] });
    expect(await negotiating.instant("count_over_time(negotiated[1m])", T0 + 1000)).toMatchObject({
      samples: [{ value: 2 }],
    });
    await negotiating.stop();
  });
});

describe("what stands on the store", () => {
  test("the Prometheus HTTP API answers from it", async () => {
    await store.append(write("api_total", [at(0, 3)]));
    const app = createHttpServer({ logger: silentLogger });
    await app.register(prometheusQueryApi, {
      store,
      clock: systemClock,
      version: "0.1.0",
      retention: "15d",
      configText: () => "",
      flags: () => ({}),
    });
    const get = async (path: string) => {
      const { statusCode, body } = await app.inject(`/api/v1/${path}`);
      return { statusCode, ...(JSON.parse(body) as { data: unknown }) };
    };
    const time = T0 / 1000;
    expect(await get(`query?query=api_total&time=${time}`)).toMatchObject({
      statusCode: 200,
      data: { resultType: "vector", result: [{ metric: { __name__: "api_total", job: "t" }, value: [time, "3"] }] },
    });
    expect(await get(`query_range?query=api_total&start=${time}&end=${time + 10}&step=10`)).toMatchObject({
      data: { result: [{ values: [[time, "3"], [time + 10, "3"]] }] },
    }); // prettier-ignore
    expect(await get("series?match[]=api_total")).toMatchObject({ data: [{ __name__: "api_total", job: "t" }] });
    expect(await get("label/__name__/values?match[]=api_total")).toMatchObject({ data: ["api_total"] });
    expect(await get("query?query=sum(")).toMatchObject({
      statusCode: 400,
      errorType: "bad_data",
      error: expect.stringMatching(/^invalid parameter "query": 1:5: parse error/),
    });
    expect(await get("status/tsdb?limit=2")).toMatchObject({ data: { headStats: { numSeries: expect.any(Number) } } });
    expect(await get("status/runtimeinfo")).toMatchObject({ data: { corruptionCount: 0 } });
    await app.close();
  });

  test("rules are evaluated on it: what they record is there to query, what they find is told", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tocsin-prometheus-rules-"));
    const file = join(folder, "rules.yml");
    writeFileSync(
      file,
      `groups: [{name: g, interval: 1s, rules: [
        {record: "job:rule_in:sum", expr: "sum by (job) (rule_in)"},
        {alert: TooMany, expr: "job:rule_in:sum > 5", labels: {severity: page}}]}]`,
    );
    const told: PostableAlert[] = [];
    const rules = createRuleManager({
      clock: systemClock,
      logger: silentLogger,
      registry: new Registry(),
      files: [file],
      queries: {
        instant: async (expr, at, signal) => toQueryAnswer(await store.instant(expr, at, { signal, lane: "rules" })),
      },
      output: store,
      alerts: { send: async (alerts) => void told.push(...alerts) },
      alertmanagers: [],
      externalUrl: "http://tocsin.example",
      onDecision: () => {},
    });
    const now = Date.now();
    const samples = [2, 7].map((value, i) => ({ labels: { __name__: "rule_in", job: "t", i: String(i) }, value }));
    await store.append({
      series: samples.map(({ labels, value }) => ({ labels, samples: [{ timestampMs: now, value }] })),
    });
    await rules.start();
    const alert = await eventually("an alert", 15_000, async () => told[0]);
    expect(alert.labels).toEqual({ alertname: "TooMany", job: "t", severity: "page" });
    const state = await eventually("the alert's series", 15_000, async () => {
      const result = await store.instant('ALERTS{alertstate="firing"}', Date.now());
      return result.type === "vector" ? result.samples[0] : undefined;
    });
    expect(state).toMatchObject({ labels: { alertname: "TooMany", job: "t" }, value: 1 });
    expect(await store.instant("job:rule_in:sum", Date.now())).toMatchObject({ samples: [{ value: 9 }] });
    await rules.stop();
    rmSync(folder, { recursive: true });
  });
});

test("everything accepted is found once although Prometheus is killed in the middle", async () => {
  const SERIES = 200;
  const ROUNDS = 100;
  let accepted = 0;
  const round = async (i: number) => {
    const samples = [{ timestampMs: T0 + i * 500, value: i }];
    const series = Array.from({ length: SERIES }, (_, n) => ({
      labels: { __name__: "survives", n: String(n) },
      samples,
    }));
    await store.append({ series });
    accepted += SERIES;
  };
  let killed: Promise<void> | undefined;
  for (let i = 0; i < ROUNDS; i += 2) {
    // Two appends at a time, as two partitions of the bus would bring them.
    await Promise.all([round(i), round(i + 1)]);
    if (i === 40) killed = prometheus.kill().then(() => prometheus.start());
  }
  await killed;
  const matchers = [{ name: "__name__", type: "=", value: "survives" }] as const;
  const series = await store.select(matchers, T0 - 1, T0 + ROUNDS * 500);
  const expected = Array.from({ length: ROUNDS }, (_, i) => i);
  const found = series.reduce((sum, { values }) => sum + new Set(values).size, 0);
  const all = series.reduce((sum, { values }) => sum + values.length, 0);
  console.log(`sent ${accepted} found ${found} doubled ${all - found} lost ${accepted - found}`);
  expect(accepted).toBe(SERIES * ROUNDS);
  expect(series.length).toBe(SERIES);
  for (const { values } of series) expect([...values]).toEqual(expected);
  expect(await registry.metrics()).toMatch(/tocsin_prometheus_write_retries_total [1-9]/);
});

describe("remote write into the embedded store", () => {
  let folder: string;
  let embedded: EmbeddedMetricStore;
  let app: ReturnType<typeof createHttpServer>;
  let receiver: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tocsin-remote-write-"));
    embedded = createMetricStore({
      dataDir: folder,
      config: MetricStoreConfig.parse({}),
      clock: systemClock,
      logger: silentLogger,
      registry: new Registry(),
    });
    await embedded.start();
    app = createHttpServer({ logger: silentLogger });
    await app.register(remoteWriteApi, { store: embedded });
    await app.listen({ host: "127.0.0.1", port: 0 });
    receiver = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/write`;
  });
  afterAll(async () => {
    await app.close();
    await embedded.stop();
    rmSync(folder, { recursive: true });
  });

  test("a Prometheus writes what it scrapes into it", async () => {
    const scraping = await createPrometheusServer(`
global: {scrape_interval: 1s, external_labels: {replica: a}}
scrape_configs: [{job_name: self, static_configs: [{targets: ["${new URL(prometheus.url).host}"]}]}]
remote_write: [{url: "${receiver}", send_exemplars: true, send_native_histograms: true, metadata_config: {send_interval: 1s}}]
`);
    await scraping.start();
    const scraped = await eventually("scraped samples", 30_000, async () => {
      const result = await embedded.instant("count_over_time(up[1m]) > 2", Date.now());
      return result.type === "vector" ? result.samples[0] : undefined;
    });
    expect(scraped.labels).toEqual({ job: "self", replica: "a", instance: new URL(prometheus.url).host });
    const [variants] = await eventually("metadata", 10_000, async () => {
      const found = await embedded.metadata("prometheus_http_requests_total");
      return found.length > 0 && found;
    });
    expect(variants).toMatchObject([{ type: "counter", help: "Counter of HTTP requests." }]);
    await scraping.remove();
  });

  test.each(["1.0", "auto"] as const)("our own writer (%s) and receiver understand one another", async (version) => {
    const writer = openStore({ remote_write_url: receiver, remote_write_version: version });
    const name = `own_${version === "auto" ? "v2" : "v1"}`;
    const now = Math.floor(Date.now() / 1000) * 1000;
    const exemplars = [{ labels: { trace_id: "abc" }, value: 3, timestampMs: now }];
    await writer.append({
      series: [
        {
          labels: { __name__: name, b: "é", a: "1" },
          samples: [{ timestampMs: now - 1000, value: 1.5 }, { timestampMs: now, value: 0, stale: true }],
          exemplars,
        },
        { labels: { __name__: `${name}_latency` }, samples: [{ timestampMs: now, value: 0, histogram }] },
      ],
      metadata: [{ metric: name, type: "gauge", unit: "seconds", help: "Own." }],
    }); // prettier-ignore
    const matchers = [{ name: "__name__", type: "=~", value: `${name}.*` }] as const;
    const found = await embedded.select(matchers, now - 60_000, now);
    expect(found.map(({ labels }) => labels)).toEqual([
      { __name__: name, b: "é", a: "1" },
      { __name__: `${name}_latency` },
    ]);
    expect([...(found[0]?.stale ?? [])]).toEqual([0, 1]);
    expect(found[0]?.values[0]).toBe(1.5);
    expect(found[1]?.histograms).toEqual([histogram]);
    expect(await embedded.exemplars({ matcherSets: [matchers], fromMs: now - 60_000, toMs: now })).toMatchObject([
      { exemplars },
    ]);
    expect(await embedded.metadata(name)).toEqual([[{ metric: name, type: "gauge", unit: "seconds", help: "Own." }]]);
    expect(await registry.metrics()).toContain("tocsin_prometheus_write_samples_total 3\n");
    await writer.stop();
  });
});
