import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createHttpServer, Registry } from "@tocsin/platform";
import { createMetricStore, type EmbeddedMetricStore, MetricStoreConfig, prometheusQueryApi } from "@tocsin/store";
import { ManualClock, silentLogger } from "@tocsin/testing";

const PROMTOOL = "/usr/bin/promtool";
const T0 = Date.UTC(2026, 0, 10);

/** Prometheus' own client against our query API. */
describe("promtool query", () => {
  let dataDir: string;
  let store: EmbeddedMetricStore;
  let app: FastifyInstance;
  let url: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "tocsin-promtool-"));
    const clock = new ManualClock(T0 + 60_000);
    const config = MetricStoreConfig.parse({});
    store = createMetricStore({ dataDir, config, clock, logger: silentLogger, registry: new Registry() });
    await store.start();
    const samples = [0, 15_000, 30_000, 45_000, 60_000].map((at, i) => ({ timestampMs: T0 + at, value: i * 30 }));
    await store.append({ series: [{ labels: { __name__: "requests_total", job: "api" }, samples }] });
    app = createHttpServer({ logger: silentLogger });
    await app.register(prometheusQueryApi, {
      store,
      clock,
      version: "0.1.0",
      retention: "200h",
      configText: () => "",
      flags: () => ({}),
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await app.close();
    await store.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function promtool(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(PROMTOOL, ["query", ...args], { timeout: 30_000 });
    return stdout.trim();
  }

  test("instant", async () => {
    expect(await promtool("instant", url, "sum by (job) (requests_total) / 60", `--time=${T0 / 1000 + 60}`)).toBe(
      `{job="api"} => 2 @[${T0 / 1000 + 60}]`,
    );
  });

  test("range", async () => {
    const range = [`--start=${T0 / 1000}`, `--end=${T0 / 1000 + 60}`, "--step=30s"];
    expect(await promtool("range", url, "requests_total", ...range)).toBe(
      `requests_total{job="api"} =>\n0 @[${T0 / 1000}]\n60 @[${T0 / 1000 + 30}]\n120 @[${T0 / 1000 + 60}]`,
    );
  });

  test("series and labels", async () => {
    const range = [`--start=${T0 / 1000}`, `--end=${T0 / 1000 + 60}`];
    expect(await promtool("series", "--match=requests_total", ...range, url)).toBe(
      '{__name__="requests_total", job="api"}',
    );
    expect(await promtool("labels", ...range, url, "job")).toBe("api");
  });

  test("an error is told in its own words", async () => {
    await expect(promtool("instant", url, "sum(")).rejects.toThrow(
      /bad_data: invalid parameter "query": 1:5: parse error/,
    );
  });
});
