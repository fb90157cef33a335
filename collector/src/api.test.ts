import { encodeMetrics, PipelineStatus, RejectList, type Labels } from "@tocsin/model";
import { createHttpServer } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { describe, expect, test } from "vitest";
import { collectorApi, type CollectorApiOptions } from "./api.ts";
import { gauge, requests } from "./testing/records.ts";
import { startCollector } from "./testing/start-collector.ts";

async function get(options: CollectorApiOptions, url: string): Promise<{ status: number; body: unknown }> {
  const app = createHttpServer({ logger: silentLogger });
  await app.register(collectorApi, options);
  const response = await app.inject(url);
  await app.close();
  return { status: response.statusCode, body: response.json() };
}

const post = (url: string, body: Uint8Array | string, type: string) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": type },
    body: typeof body === "string" ? body : new Uint8Array(body),
  });

describe("our own", () => {
  test("pipeline books every record to one place, dead letters and stores included", async () => {
    await using running = await startCollector();
    await post(`${running.http}/v1/logs`, requests.logs, "application/x-protobuf");
    await post(`${running.http}/v1/logs`, "{", "application/json");
    await post(`${running.http}/v1/metrics`, encodeMetrics([gauge("m", 1, 2, 3)]), "application/x-protobuf");
    running.bus.answer = { status: "retry", afterMs: 1, error: "full" };
    await post(`${running.http}/v1/logs`, requests.logs, "application/x-protobuf");
    const options: CollectorApiOptions = {
      collector: running.collector,
      deadLetters: { list: () => [], records: (topic) => (topic === "otlp_logs" ? 1 : 0) },
      writerDropped: async () => ({ metrics: { delta: 2 } }),
      storage: async () => ({ oldest: { logs: "2025-11-21T00:00:00Z" }, bytes: 4096 }),
    };
    const { body } = await get(options, "/api/tocsin/v1/pipeline");
    const status = PipelineStatus.parse(body);
    expect(status.signals[0]).toEqual({
      signal: "logs",
      received: 3,
      rejected: 2,
      queued: 0,
      written: 0,
      deadLettered: 1,
      dropped: {},
    });
    expect(status.signals[2]).toMatchObject({ received: 3, written: 1, dropped: { delta: 2 } });
    expect([status.oldest, status.bytes]).toEqual([{ logs: "2025-11-21T00:00:00Z" }, 4096]);
  });

  test("rejects lists refused requests and dead letters, newest first", async () => {
    await using running = await startCollector();
    await post(`${running.http}/v1/traces`, '{"resourceSpans":1}', "application/json");
    const letter = {
      at: 0,
      topic: "otlp_logs" as const,
      group: "writer",
      key: "sms",
      reason: "not a log",
      records: 1,
      bytes: 3,
      excerpt: Uint8Array.of(0x61, 0, 0x62),
    };
    const { body } = await get(
      { collector: running.collector, deadLetters: { list: () => [letter], records: () => 0 } },
      "/api/tocsin/v1/rejects",
    );
    expect(RejectList.parse(body).items).toEqual([
      {
        at: expect.any(String) as string,
        signal: "traces",
        source: "otlp_http",
        reason: "resourceSpans: expected an array",
        bytes: 19,
        excerpt: '{"resourceSpans":1}',
      },
      {
        at: "1970-01-01T00:00:00.000Z",
        signal: "logs",
        source: "otlp_logs → writer",
        reason: "not a log",
        bytes: 3,
        excerpt: "a.b",
      },
    ]);
  });
});

describe("Prometheus'", () => {
  const prometheus = {
    scrape_configs: [
      {
        job_name: "b",
        static_configs: [{ targets: ["127.0.0.1:1", "127.0.0.1:2"] }],
        relabel_configs: [{ source_labels: ["__address__"], regex: ".*:2", action: "drop" }],
      },
      { job_name: "a", static_configs: [{ targets: ["127.0.0.1:3"] }] },
    ],
  };

  test("targets can be had by state and by pool", async () => {
    await using running = await startCollector({ receivers: { prometheus } });
    const targets = async (query: string) => {
      const { body } = await get({ collector: running.collector }, `/api/v1/targets${query}`);
      const { data } = body as {
        data: { activeTargets: { labels: Labels }[]; droppedTargets: unknown[]; droppedTargetCounts: unknown };
      };
      return [
        data.activeTargets.map(({ labels }) => labels["instance"]),
        data.droppedTargets.length,
        data.droppedTargetCounts,
      ];
    };
    expect(await targets("")).toEqual([["127.0.0.1:3", "127.0.0.1:1"], 1, { a: 0, b: 1 }]);
    expect(await targets("?state=active")).toEqual([["127.0.0.1:3", "127.0.0.1:1"], 0, null]);
    expect(await targets("?state=dropped&scrapePool=b")).toEqual([[], 1, { b: 1 }]);
    expect(await targets("?scrapePool=a")).toEqual([["127.0.0.1:3"], 0, { a: 0 }]);
  });

  test("scrape pools and metadata are lists", async () => {
    await using running = await startCollector({ receivers: { prometheus } });
    const options = { collector: running.collector };
    expect(await get(options, "/api/v1/scrape_pools")).toEqual({
      status: 200,
      body: { status: "success", data: { scrapePools: ["a", "b"] } },
    });
    expect(await get(options, "/api/v1/targets/metadata?match_target={job%3D%22a%22}")).toEqual({
      status: 200,
      body: { status: "success", data: [] },
    });
  });

  test("http_sd_configs reads what the scraper has found, relabelled, by job", async () => {
    await using running = await startCollector({ receivers: { prometheus } });
    const find = (query: string) =>
      get({ collector: running.collector }, `/api/tocsin/v1/discovery/targets${query}`).then(({ body }) => body);
    const group = (job: string, target: string) => ({
      targets: [target],
      labels: { job, instance: target, __scheme__: "http", __metrics_path__: "/metrics" },
    });
    expect(await find("")).toEqual([group("a", "127.0.0.1:3"), group("b", "127.0.0.1:1")]);
    expect(await find("?job=b")).toEqual([group("b", "127.0.0.1:1")]);
    expect(await find("?job=b&job=a")).toHaveLength(2);
    expect(await find("?job=none")).toEqual([]);
  });

  test("a wrong parameter is bad_data", async () => {
    await using running = await startCollector();
    const options = { collector: running.collector };
    expect(await get(options, "/api/v1/targets?state=lost")).toMatchObject({
      status: 400,
      body: { status: "error", errorType: "bad_data" },
    });
    expect(await get(options, "/api/v1/targets/metadata?match_target={job")).toMatchObject({
      status: 400,
      body: { status: "error", errorType: "bad_data" },
    });
  });

  test("lists are empty where the receiver is turned off", async () => {
    await using running = await startCollector({ receivers: { prometheus: { enabled: false } } });
    const { body } = await get({ collector: running.collector }, "/api/v1/targets");
    expect(body).toEqual({
      status: "success",
      data: { activeTargets: [], droppedTargets: [], droppedTargetCounts: {} },
    });
  });
});
