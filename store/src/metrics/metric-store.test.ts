import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeMetrics, type WriteRequest } from "@tocsin/model";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { MetricStoreConfig } from "./config.ts";
import { createMetricStore, type EmbeddedMetricStore } from "./metric-store.ts";
import { createMetricWriter } from "./metric-writer.ts";

const T0 = Date.UTC(2026, 0, 10);

let dataDir: string;
let store: EmbeddedMetricStore;
let registry: Registry;
const clock = new ManualClock(T0);

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-metric-store-"));
  clock.jumpTo(T0);
  store = await openStore();
});
afterEach(async () => {
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function openStore(config: object = {}): Promise<EmbeddedMetricStore> {
  registry = new Registry();
  const opened = createMetricStore({
    dataDir,
    config: MetricStoreConfig.parse(config),
    clock,
    logger: silentLogger,
    registry,
  });
  await opened.start();
  return opened;
}

const up = (value: number, atMs = T0): WriteRequest => ({
  series: [{ labels: { __name__: "up", job: "api" }, samples: [{ timestampMs: atMs, value }] }],
});

describe("the embedded metric store", () => {
  test("answers queries over what was appended, also after a restart", async () => {
    await store.append(up(1));
    const expected = { type: "vector", samples: [{ labels: { __name__: "up", job: "api" }, value: 1 }] };
    expect(await store.instant("up", T0 + 1000)).toMatchObject(expected);
    await store.stop();
    store = await openStore();
    expect(await store.instant("up", T0 + 1000)).toMatchObject(expected);
  });

  test("a range query gives a matrix", async () => {
    await store.append(up(1));
    await store.append(up(3, T0 + 60_000));
    const { series } = await store.range("up * 2", T0, T0 + 60_000, 60_000);
    expect(series.map(({ values }) => [...values])).toEqual([[2, 6]]);
  });

  test("a bad expression rejects with the parser's error, positions included", async () => {
    await expect(store.instant("sum(", T0)).rejects.toMatchObject({ name: "ParseError", range: { start: 4 } });
  });

  test("an aborted query rejects as canceled", async () => {
    const controller = new AbortController();
    const query = store.instant("up", T0, { signal: controller.signal });
    controller.abort();
    await expect(
      query.then(
        () => "answered",
        (error: Error) => error.name,
      ),
    ).resolves.toMatch(/answered|QueryError/);
    await expect(store.instant("up", T0, { signal: controller.signal })).rejects.toThrow(/abort/i);
  });

  test("tells of itself in metrics", async () => {
    await store.append(up(1));
    await store.append(up(2));
    await store.instant("up", T0);
    const text = await registry.metrics();
    expect(text).toContain("tocsin_metrics_samples_appended_total 1\n");
    expect(text).toContain('tocsin_metrics_samples_refused_total{reason="duplicate"} 1\n');
    expect(text).toContain("tocsin_metrics_active_series 1\n");
    expect(text).toContain('tocsin_metrics_query_duration_seconds_count{type="instant",lane="api"} 1\n');
  });

  test("says that it is not running, before start and after stop", async () => {
    await store.stop();
    await store.stop();
    await expect(store.append(up(1))).rejects.toMatchObject({ code: "TOCSIN_UNAVAILABLE" });
    await expect(store.ended).resolves.toBeUndefined();
  });

  test("a data folder that cannot be used is an error of start", async () => {
    const broken = createMetricStore({
      dataDir: "/dev/null",
      config: MetricStoreConfig.parse({}),
      clock,
      logger: silentLogger,
      registry: new Registry(),
    });
    await expect(broken.start()).rejects.toThrow(/ENOTDIR|EEXIST/);
    await broken.stop();
  });
});

describe("the metric writer", () => {
  const message = (value: Uint8Array) => ({ topic: "otlp_metrics" as const, key: "", value, records: 1 });

  test("writes OTLP as Prometheus series", async () => {
    const point = {
      attributes: { route: "/" },
      startTimeUnixNano: 0n,
      timeUnixNano: BigInt(T0) * 1_000_000n,
      value: 5,
      flags: 0,
      exemplars: [],
    };
    const value = encodeMetrics([
      {
        type: "sum", monotonic: true, temporality: 2, name: "http.requests", description: "Requests.", unit: "", metadata: {},
        resource: { attributes: { "service.name": "api" } }, scope: { name: "", version: "", attributes: {} }, points: [point],
      },
    ]); // prettier-ignore
    expect(await createMetricWriter(store)(message(value))).toEqual({ status: "ok" });
    expect(await store.instant("http_requests_total", T0)).toMatchObject({
      samples: [{ labels: { __name__: "http_requests_total", job: "api", route: "/" }, value: 5 }],
    });
    expect(await store.metadata("http_requests_total")).toHaveLength(1);
  });

  test("what is no OTLP is poison", async () => {
    const outcome = await createMetricWriter(store)(message(Uint8Array.of(255, 255, 255)));
    expect(outcome).toMatchObject({ status: "poison" });
  });

  test("throws when the store cannot take it now", async () => {
    await store.stop();
    await expect(createMetricWriter(store)(message(new Uint8Array()))).rejects.toMatchObject({
      code: "TOCSIN_UNAVAILABLE",
    });
  });
});
