import http from "node:http";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppProcess, type AppOptions } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let apps: AppProcess[];

beforeEach(async () => {
  sink = await new OtlpSink().start();
  apps = [];
});
afterEach(async () => {
  await Promise.all(apps.map((app) => app.stop()));
  await sink.stop();
});

function run(file: string, options: Partial<AppOptions> = {}): AppProcess {
  const app = new AppProcess(file, { endpoint: sink.url, ...options });
  apps.push(app);
  return app;
}

const listening = (file: string, options: Partial<AppOptions> = {}): Promise<AppProcess> =>
  run(file, options).listening();
const named = (name: string) => sink.spans.filter((span) => span.name === name);

test("observes an ESM app: span by route, log with trace, metrics", async () => {
  const app = await listening("esm-app.mjs");
  await app.get("/hello/7?token=secret", { headers: { authorization: "Bearer secret" } });
  await sink.until(() => named("GET /hello/:id").length === 1 && sink.logs.some(({ body }) => body === "hello"));

  const [span] = named("GET /hello/:id");
  expect(span).toMatchObject({
    kind: 2,
    parentSpanId: "",
    status: { code: 0 },
    attributes: {
      "http.request.method": "GET",
      "http.route": "/hello/:id",
      "url.path": "/hello/7",
      "url.scheme": "http",
      "server.address": "127.0.0.1",
      "http.response.status_code": 200,
    },
  });
  expect(span?.resource.attributes).toMatchObject({ "service.name": "app", "telemetry.sdk.name": "tocsin" });
  expect(JSON.stringify(span?.attributes)).not.toContain("secret");
  const log = sink.logs.find(({ body }) => body === "hello");
  expect(log).toMatchObject({
    traceId: span?.traceId,
    spanId: span?.spanId,
    severityText: "INFO",
    attributes: { id: "7" },
  });
  const line = app.logLines().find(({ msg }) => msg === "hello");
  expect(line).toMatchObject({ trace_id: span?.traceId, span_id: span?.spanId, service: "app" });

  const page = await (await app.get("/metrics")).text();
  expect(page).toMatch(
    /http_server_request_duration_seconds_count\{method="GET",route="\/hello\/:id",status_code="200"\} 1/,
  );
  expect(page).toContain("app_hellos_total 1");
  expect(page).toContain("nodejs_eventloop_lag_seconds");
  expect(app.stderr).toMatch(/^tocsin: service=app endpoint=http:\/\/127\.0\.0\.1:\d+ metrics=\/metrics$/m);
  expect(app.stderr).toMatch(/^tocsin: first export ok in \d+ ms$/m);
});

test("observes a CommonJS app, which can require the SDK", async () => {
  const app = await listening("cjs-app.cjs");
  const answer = (await (await app.get("/hello/7")).json()) as { traceId: string };
  await sink.until(() => named("GET /hello/:id").length === 1 && sink.logs.some(({ body }) => body === "hello"));
  expect(named("GET /hello/:id")[0]?.traceId).toBe(answer.traceId);
  expect(sink.logs.find(({ body }) => body === "hello")?.traceId).toBe(answer.traceId);
});

test("observes a TypeScript app on plain node:http, which names its routes itself", async () => {
  const app = await listening("ts-app.ts");
  await app.get("/items/7");
  await app.get("/elsewhere");
  await sink.until(() => named("GET /items/{id}").length === 1 && named("GET").length === 1);
  const page = await (await app.get("/metrics")).text();
  expect(page).toMatch(/_count\{method="GET",route="\/items\/\{id\}",status_code="200"\} 1/);
  expect(page).toMatch(/_count\{method="GET",route="__unmatched__",status_code="200"\} 1/);
});

test.each(["fetch", "http"])("keeps one trace over two services for 200 concurrent requests by %s", async (client) => {
  const back = await listening("esm-app.mjs", { env: { OTEL_SERVICE_NAME: "back" } });
  const front = await listening("esm-app.mjs", { env: { OTEL_SERVICE_NAME: "front", UPSTREAM: back.url } });
  const traces = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(4, "0").padStart(32, "a"));
  await Promise.all(
    traces.map(async (traceId, i) => {
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, baggage: `n=${i}` };
      const answer = (await (await front.get(`/${client}/${i}`, { headers })).json()) as Record<string, string>;
      expect(answer["traceparent"]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
      expect(answer["baggage"]).toBe(`n=${i}`);
    }),
  );
  const hellos = (): typeof sink.logs => sink.logs.filter(({ body }) => body === "hello");
  await sink.until(() => sink.spans.length === 600 && hellos().length === 200);
  for (const [i, traceId] of traces.entries()) {
    const spans = sink.spans.filter((span) => span.traceId === traceId);
    const [server, call, far] = [
      spans.find(({ name }) => name === `GET /${client}/:id`),
      spans.find(({ kind }) => kind === 3),
      spans.find(({ name }) => name === "GET /hello/:id"),
    ];
    expect(spans).toHaveLength(3);
    expect([server?.parentSpanId, call?.parentSpanId, far?.parentSpanId]).toEqual([
      "00f067aa0ba902b7",
      server?.spanId,
      call?.spanId,
    ]);
    expect(call?.attributes["http.response.status_code"]).toBe(200);
    const log = hellos().find(({ traceId: id }) => id === traceId);
    expect(log).toMatchObject({ spanId: far?.spanId, attributes: { id: String(i) } });
  }
});

test("marks failures: an exception in a handler, a call that is refused", async () => {
  const app = await listening("esm-app.mjs");
  await app.get("/boom");
  await app.get("/refused");
  await sink.until(() => sink.spans.length === 3);
  const [boom] = named("GET /boom");
  expect(boom).toMatchObject({ status: { code: 2 }, attributes: { "error.type": "500" } });
  expect(boom?.events[0]).toMatchObject({ name: "exception", attributes: { "exception.message": "boom" } });
  const [refused] = sink.spans.filter(({ kind }) => kind === 3);
  expect(refused).toMatchObject({ status: { code: 2 }, attributes: { "error.type": "ECONNREFUSED" } });
});

test("ends the span of a call that the app gave up", async () => {
  const back = await listening("esm-app.mjs", { env: { OTEL_SDK_DISABLED: "true" } });
  const app = await listening("esm-app.mjs", { env: { UPSTREAM: back.url } });
  await app.get("/impatient");
  await sink.until(() => sink.spans.length === 2);
  expect(sink.spans.find(({ kind }) => kind === 3)).toMatchObject({
    status: { code: 2 },
    attributes: { "server.address": "127.0.0.1", "url.full": `${back.url}/never`, "error.type": "TimeoutError" },
  });
});

test("gives requests that validation refuses their route, and those without one __unmatched__", async () => {
  const app = await listening("esm-app.mjs");
  await app.get("/checked");
  await app.get("/nowhere/1");
  await app.get("/nowhere/2");
  const page = await (await app.get("/metrics")).text();
  expect(page).toMatch(/_count\{method="GET",route="\/checked",status_code="400"\} 1/);
  expect(page).toMatch(/_count\{method="GET",route="__unmatched__",status_code="404"\} 2/);
});

test("neither traces nor counts /metrics, health checks and routes the app takes out", async () => {
  const app = await listening("esm-app.mjs");
  for (const path of ["/metrics", "/healthz", "/unobserved", "/hello/1"]) await app.get(path);
  await sink.until(() => named("GET /hello/:id").length === 1 && sink.logs.some(({ body }) => body === "hello"));
  expect(sink.spans.map(({ name }) => name)).toEqual(["GET /hello/:id"]);
  expect(sink.logs.find(({ body }) => body === "health asked")?.traceId).toBe("");
  const page = await (await app.get("/metrics")).text();
  expect(page.match(/http_server_request_duration_seconds_count\{[^}]*\}/g)).toEqual([
    'http_server_request_duration_seconds_count{method="GET",route="/hello/:id",status_code="200"}',
  ]);
});

test("answers OpenMetrics with the exemplar of a traced request", async () => {
  const app = await listening("esm-app.mjs");
  await app.get("/hello/7");
  await sink.until(() => named("GET /hello/:id").length === 1);
  const answer = await app.get("/metrics", {
    headers: { accept: "application/openmetrics-text;version=1.0.0,*/*;q=0.1" },
  });
  expect(answer.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  const page = await answer.text();
  const [span] = named("GET /hello/:id");
  expect(page).toContain(`# {trace_id="${span?.traceId}",span_id="${span?.spanId}"}`);
  expect(page).toMatch(/\n# EOF\n$/);
  expect(page).toContain("app_hellos_total 1");
  expect(await (await app.get("/metrics")).text()).toContain("app_hellos_total 1");
});

test("records the request headers on the allow-list, and secret ones not even then", async () => {
  const list = "x-request-id,authorization";
  const app = await listening("esm-app.mjs", {
    env: { OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: list },
  });
  await app.get("/hello/1", { headers: { "x-request-id": "r-1", authorization: "Bearer secret", "x-other": "o" } });
  await sink.until(() => sink.spans.length === 1);
  const captured = Object.entries(sink.spans[0]?.attributes ?? {}).filter(([key]) =>
    key.startsWith("http.request.header"),
  );
  expect(captured).toEqual([["http.request.header.x-request-id", ["r-1"]]]);
});

test("leaves /metrics to an app that has the route, and its default metrics alone", async () => {
  const app = await listening("own-metrics-app.mjs");
  await app.get("/hello");
  const page = await (await app.get("/metrics")).text();
  expect(page).toContain("# the app's own page");
  expect(page).toMatch(/_count\{method="GET",route="\/hello",status_code="200"\} 1/);
});

test("serves the metrics of the client the app has chosen, and says when there are two", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-sdk-"));
  const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
  await cp(join(modules, "prom-client"), join(folder, "node_modules/@prometheus-io/client"), { recursive: true });
  const main = join(folder, "app.cjs");
  await writeFile(
    main,
    `const { Counter } = require("@prometheus-io/client");
     new Counter({ name: "chosen_total", help: "x" }).inc(3);
     if (process.env.BOTH) new (require(${JSON.stringify(join(modules, "prom-client"))}).Counter)({ name: "old_total", help: "x" });
     const server = require("node:http").createServer().listen(0, () => console.log("port " + server.address().port));`,
  );
  const app = await listening(main, { env: { NODE_PATH: modules } });
  expect(await (await app.get("/metrics")).text()).toContain("chosen_total 3");
  expect(app.stderr).not.toContain("two clients");
  const both = await listening(main, { env: { NODE_PATH: modules, BOTH: "1" } });
  const page = await (await both.get("/metrics")).text();
  expect(page).toContain("chosen_total 3");
  expect(page).toContain("old_total 0");
  await expect.poll(() => both.stderr).toContain("metrics live in two clients");
  await rm(folder, { recursive: true });
});

test("serves metrics on a port of their own when OTEL_EXPORTER_PROMETHEUS_PORT asks for it", async () => {
  const port = await freePort();
  await listening("ts-app.ts", { env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) } });
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(await answer.text()).toContain("process_resident_memory_bytes");
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
});

test("leaves /metrics to the app when OTEL_METRICS_EXPORTER is none", async () => {
  const app = await listening("esm-app.mjs", { env: { OTEL_METRICS_EXPORTER: "none" } });
  expect((await app.get("/metrics")).status).toBe(404);
});

test("ends the span of a request whose client went away", async () => {
  const app = await listening("esm-app.mjs");
  await new Promise<void>((resolve) => {
    const request = http.get(`${app.url}/never`);
    request.on("error", () => resolve());
    setTimeout(() => request.destroy(), 100);
  });
  await sink.until(() => sink.spans.length === 1);
  expect(sink.spans[0]).toMatchObject({ name: "GET /never", attributes: { "error.type": "client_closed_request" } });
  expect(sink.spans[0]?.attributes).not.toHaveProperty("http.response.status_code");
  expect(await (await app.get("/metrics")).text()).toMatch(/route="\/never",status_code="499"\} 1/);
});

test("samples by the parent's decision first, and passes its own on", async () => {
  const app = await listening("esm-app.mjs", {
    env: { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" },
  });
  const sampled = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
  await app.get("/hello/unsampled");
  await app.get("/hello/sampled", { headers: sampled });
  await sink.until(() => sink.spans.length === 1 && sink.logs.filter(({ body }) => body === "hello").length === 2);
  expect(sink.spans[0]?.traceId).toBe("4bf92f3577b34da6a3ce929d0e0e4736");
  expect(sink.logs.find(({ attributes }) => attributes["id"] === "unsampled")).toMatchObject({ flags: 0 });
  const page = await (await app.get("/metrics", { headers: { accept: "application/openmetrics-text" } })).text();
  expect(page.match(/trace_id="[^"]+"/g)).toEqual(['trace_id="4bf92f3577b34da6a3ce929d0e0e4736"']);
});

test("does nothing when OTEL_SDK_DISABLED is true", async () => {
  const app = await listening("esm-app.mjs", { env: { OTEL_SDK_DISABLED: "true" } });
  await app.get("/hello/7");
  expect((await app.get("/metrics")).status).toBe(404);
  expect(app.stderr).toBe("");
  await expect.poll(() => app.stdout).toContain('"msg":"hello"');
  expect(app.stdout).not.toContain("trace_id");
});

test("joins another OpenTelemetry SDK instead of replacing it, and says so", async () => {
  const app = run("span-and-exit.mjs", { imports: ["other-sdk.mjs"] });
  await sink.until(() => sink.spans.length === 1);
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(sink.spans[0]?.name).toBe("from the app");
  expect(app.stdout).toContain('other sdk: ["from the app"]');
  expect(app.stderr).toContain("another OpenTelemetry SDK is registered: its spans are exported, none are added");
});

async function freePort(): Promise<number> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
