import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { encodeLogs, encodeTraces, parseQuery, type WriteRequest } from "@tocsin/model";
import { Registry, Secret } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { afterEach, describe, expect, test } from "vitest";
import type { TelemetryStore } from "../telemetry-store.ts";
import { BASE_MS, logRecord, span } from "../testing/builders.ts";
import { ElasticsearchConfig } from "./config.ts";
import { createElasticsearchStore } from "./elasticsearch-store.ts";

const ELASTICSEARCH = { tagline: "You Know, for Search", version: { number: "9.5.3" } };
const OPENSEARCH = { version: { number: "3.8.0", distribution: "opensearch" } };

interface Asked {
  line: string;
  body: string;
  authorization: string | undefined;
  contentType: string | undefined;
}

/** As much of a search server as a test wants to say; everything else succeeds with an empty answer. */
class FakeServer {
  readonly asked: Asked[] = [];
  readonly answers: Record<string, (body: string) => { status?: number; body: object }> = {};
  readonly #server: Server;

  constructor(info: object) {
    this.answers["GET /"] = () => ({ body: info });
    this.answers["POST /_bulk"] = (body) => ({
      body: { items: Array.from({ length: body.split("\n").length >> 1 }, () => ({ index: { status: 201 } })) },
    });
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status = 200, body }) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      });
    });
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  bodyOf(line: string): unknown {
    return JSON.parse(this.asked.find((asked) => asked.line === line)?.body ?? "null");
  }

  async #answer(request: IncomingMessage): Promise<{ status?: number; body: object }> {
    const line = `${request.method} ${new URL(request.url ?? "", "http://h").pathname}`;
    const body = await text(request);
    const { authorization, "content-type": contentType } = request.headers;
    this.asked.push({ line, body, authorization, contentType });
    return this.answers[line]?.(body) ?? { body: {} };
  }
}

let server: FakeServer;
let store: TelemetryStore;
let clock: ManualClock;
let registry: Registry;

interface Opening {
  info?: object;
  config?: object;
  url?: string;
  sink?: (request: WriteRequest) => Promise<void>;
}

async function open({ info = ELASTICSEARCH, config, url, sink }: Opening = {}): Promise<void> {
  clock = new ManualClock(BASE_MS);
  registry = new Registry();
  server = new FakeServer(info);
  const nodes = [url ?? (await server.listen())];
  store = createElasticsearchStore({
    config: ElasticsearchConfig.parse({ nodes, ...config }),
    clock,
    logger: silentLogger,
    registry,
    ...(sink && { spanMetricsSink: sink }),
  });
  await store.start();
}

afterEach(async () => {
  await store.stop();
  await server.close();
});

const logs = (body = "a") => ({
  topic: "otlp_logs" as const,
  key: "api",
  value: encodeLogs([logRecord({ body })]),
  records: 1,
});

describe("setting up", () => {
  test("installs templates, and a lifecycle where the server knows one", async () => {
    await open();
    expect(server.asked.map(({ line }) => line)).toEqual(
      expect.arrayContaining(["PUT /_ilm/policy/tocsin-logs", "PUT /_index_template/tocsin-spans"]),
    );
    expect(server.bodyOf("PUT /_index_template/tocsin-logs")).toMatchObject({
      index_patterns: ["tocsin-logs-*"],
      template: {
        settings: { "index.lifecycle.name": "tocsin-logs", auto_expand_replicas: "0-1" },
        mappings: {
          dynamic: false,
          properties: { attributes: { type: "flattened" }, message: { type: "text", analyzer: "cjk" } },
        },
      },
    });
  });

  test("does without on OpenSearch, and maps attributes as it can", async () => {
    await open({ info: OPENSEARCH });
    expect(server.asked.some(({ line }) => line.includes("_ilm"))).toBe(false);
    expect(server.bodyOf("PUT /_index_template/tocsin-logs")).toMatchObject({
      template: { mappings: { properties: { attributes: { type: "flat_object" } } } },
    });
  });

  test("puts templates back when they are gone", async () => {
    await open();
    server.answers["GET /_index_template/tocsin-spans"] = () => ({ status: 404, body: { error: "gone" } });
    server.asked.length = 0;
    await clock.advance(30_000);
    const installed = () =>
      server.asked.map(({ line }) => line).filter((line) => line.startsWith("PUT /_index_template"));
    while (installed().length === 0) await new Promise((done) => setImmediate(done));
    expect(installed()).toEqual(["PUT /_index_template/tocsin-spans"]);
  });

  test("leaves templates alone when told so", async () => {
    await open({ config: { manage_templates: false } });
    expect(server.asked.filter(({ line }) => line.startsWith("PUT"))).toEqual([]);
  });

  test("sends media types that every version takes, and the key it was given", async () => {
    await open({ config: { api_key: "a2V5OnNlY3JldA==" } });
    await store.writers.logs(logs());
    expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(
      new Set(["ApiKey a2V5OnNlY3JldA=="]),
    );
    expect(server.asked.find(({ line }) => line === "POST /_bulk")?.contentType).toBe("application/x-ndjson");
  });

  test("starts while the server is away, and works once it has come", async () => {
    const probe = new FakeServer(ELASTICSEARCH);
    const url = await probe.listen();
    await probe.close();
    await open({ url });
    await expect(store.writers.logs(logs())).rejects.toMatchObject({ code: "TOCSIN_UNAVAILABLE" });
    await expect(
      store.logs.search({ fromMs: 0, toMs: 1, query: parseQuery("", "logs"), limit: 1 }),
    ).rejects.toMatchObject({ code: "TOCSIN_UNAVAILABLE" });
    await server.listen(Number(new URL(url).port));
    expect(await store.writers.logs(logs())).toEqual({ status: "ok" });
  });

  test("a server that is something else is told as a mistake in the configuration", async () => {
    await open({ info: { hello: "world" } });
    await expect(store.writers.logs(logs())).rejects.toMatchObject({ code: "TOCSIN_CONFIG_INVALID" });
  });
});

test("secrets do not show", () => {
  const config = ElasticsearchConfig.parse({ username: "u", password: "hidden" });
  expect(config.password).toBeInstanceOf(Secret);
  expect(JSON.stringify(config)).not.toContain("hidden");
});

test.each([
  [{ api_key: "k", username: "u", password: "p" }, "either api_key, or username and password"],
  [{ username: "u" }, "username and password go together"],
  [{ nodes: ["ftp://x"] }, "Invalid URL"],
  [{ index_prefix: "Upper" }, "lower-case letters, digits, _, . and -"],
])("%j is refused", (config, message) => {
  expect(ElasticsearchConfig.safeParse(config).error?.issues[0]?.message).toBe(message);
});

describe("writing", () => {
  test("sends again what a busy server rejected", async () => {
    await open();
    let rejected = 0;
    const accept = server.answers["POST /_bulk"];
    server.answers["POST /_bulk"] = (body) => {
      if (rejected++ < 2)
        return { status: 429, body: { error: { type: "es_rejected_execution_exception", reason: "q" } } };
      return accept?.(body) ?? { body: {} };
    };
    const written = store.writers.logs(logs());
    while ((await retries()) < 2) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(1000);
    }
    await clock.advance(1000);
    expect(await written).toEqual({ status: "ok" });
    const sent = server.asked.filter(({ line }) => line === "POST /_bulk").map(({ body }) => body);
    expect([sent.length, new Set(sent).size]).toEqual([3, 1]);
  });

  const retries = async () =>
    (await registry.getSingleMetric("tocsin_store_bulk_retries_total")?.get())?.values[0]?.value ?? 0;

  test("refuses more than it may hold", async () => {
    await open({ config: { max_pending_bytes: 1000 } });
    const held = Promise.withResolvers<void>();
    const big = logs("x".repeat(800));
    const first = store.writers.logs(big).finally(() => held.resolve());
    await expect(store.writers.logs(big)).rejects.toMatchObject({ code: "TOCSIN_OVERLOADED" });
    expect(await first).toEqual({ status: "ok" });
    await held.promise;
    expect(await store.writers.logs(big)).toEqual({ status: "ok" });
  });

  test("bytes that are not OTLP are poison", async () => {
    await open();
    const message = { ...logs(), value: new Uint8Array([255, 255, 255]) };
    expect(await store.writers.logs(message)).toMatchObject({ status: "poison" });
  });

  test("a span that was there already counts once in the metrics", async () => {
    const emitted: WriteRequest[] = [];
    await open({ sink: async (request) => void emitted.push(request), config: { span_metrics: { interval: "15s" } } });
    const message = { topic: "otlp_spans" as const, key: "api", value: encodeTraces([span()]), records: 1 };
    await store.writers.spans(message);
    server.answers["POST /_bulk"] = () => ({ body: { items: [{ index: { status: 200 } }] } });
    await store.writers.spans(message);
    await clock.advance(15_000);
    const calls = emitted[0]?.series.find(({ labels }) => labels["__name__"] === "traces_span_metrics_calls_total");
    expect(calls?.samples[0]?.value).toBe(1);
  });
});

describe("searching", () => {
  const search = () => store.logs.search({ fromMs: 0, toMs: 1, query: parseQuery("", "logs"), limit: 1 });

  test("a search that ran out of time fails instead of giving part of its answer", async () => {
    await open();
    server.answers["POST /tocsin-logs-*/_search"] = () => ({ body: { timed_out: true, hits: { hits: [] } } });
    await expect(search()).rejects.toMatchObject({ code: "TOCSIN_OVERLOADED" });
  });

  test("shards that are not there yet are asked again", async () => {
    await open();
    let asked = 0;
    server.answers["POST /tocsin-logs-*/_search"] = () => {
      const error = { type: "search_phase_execution_exception", reason: "all shards failed" };
      return ++asked === 1 ? { status: 503, body: { error } } : { body: { timed_out: false, hits: { hits: [] } } };
    };
    const timers = clock.pending;
    const found = search();
    while (clock.pending === timers) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(100);
    expect(await found).toEqual({ items: [] });
  });
});

test("leaves nothing running after stop, which may come twice", async () => {
  await open({ sink: async () => {} });
  await store.stop();
  expect(clock.pending).toBe(0);
  await expect(store.writers.logs(logs())).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
  await store.stop();
});
