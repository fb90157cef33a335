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
  const app = new AppProcess(file, { endpoint: options.endpoint ?? sink.url, ...options });
  apps.push(app);
  return app;
}

async function metric(app: AppProcess, name: string): Promise<number> {
  const page = await (await app.get("/metrics")).text();
  const line = page.split("\n").find((candidate) => candidate.startsWith(name));
  return line === undefined ? 0 : Number(line.split(" ").at(-1));
}

const JSON_PROTOCOL = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" };
/** A delay that no test reaches: what arrives was flushed. */
const LATE = { OTEL_BSP_SCHEDULE_DELAY: "600000", OTEL_BLRP_SCHEDULE_DELAY: "600000" };

const typesOf = (path: string): Set<string | undefined> =>
  new Set(sink.requests.filter((request) => request.path === path).map(({ headers }) => headers["content-type"]));

test("sends complete spans as JSON by OpenTelemetry's exporter, and logs as JSON with their trace", async () => {
  const env = { ...JSON_PROTOCOL, OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=acme", OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" };
  const app = await run("esm-app.mjs", { env }).listening();
  await app.get("/hello/7", { headers: { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" } });
  await app.get("/boom");
  await sink.until(() => sink.spans.length === 2 && sink.logs.some(({ body }) => body === "hello"));

  expect(typesOf("/v1/traces")).toEqual(new Set(["application/json"]));
  expect(typesOf("/v1/logs")).toEqual(new Set(["application/json"]));
  const request = sink.requests.find(({ path }) => path === "/v1/traces");
  expect(request?.headers).toMatchObject({ "x-tenant": "acme", "content-encoding": "gzip" });
  expect(request?.headers["user-agent"]).toMatch(/^OTel-OTLP-Exporter-JavaScript\//);

  const hello = sink.spans.find(({ name }) => name === "GET /hello/:id");
  expect(hello).toMatchObject({
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    parentSpanId: "00f067aa0ba902b7",
    kind: 2,
    flags: 0x301,
    status: { code: 0 },
    attributes: { "http.route": "/hello/:id", "url.path": "/hello/7", "http.response.status_code": 200 },
    scope: { name: "@tocsin/sdk" },
    resource: { attributes: { "service.name": "app", "telemetry.sdk.name": "tocsin" } },
  });
  expect(hello?.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect((hello?.endTimeUnixNano ?? 0n) > (hello?.startTimeUnixNano ?? 0n)).toBe(true);
  const boom = sink.spans.find(({ name }) => name === "GET /boom");
  expect(boom).toMatchObject({
    status: { code: 2 },
    events: [{ name: "exception", attributes: { "exception.message": "boom" } }],
  });
  expect(sink.logs.find(({ body }) => body === "hello")).toMatchObject({
    traceId: hello?.traceId,
    spanId: hello?.spanId,
    severityText: "INFO",
    attributes: { id: "7" },
    resource: { attributes: { "service.name": "app" } },
  });
  await expect.poll(() => app.stderr).toMatch(/^tocsin: first export ok in \d+ ms$/m);
});

test("takes endpoint, protocol and exporter of each signal apart", async () => {
  const app = await run("esm-app.mjs", {
    endpoint: "http://127.0.0.1:2",
    env: {
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${sink.url}/in/traces`,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${sink.url}/in/logs`,
    },
  }).listening();
  await app.get("/hello/7");
  await sink.until(() => sink.spans.length === 1 && sink.logs.some(({ body }) => body === "hello"));
  expect(typesOf("/in/traces")).toEqual(new Set(["application/json"]));
  expect(typesOf("/in/logs")).toEqual(new Set(["application/x-protobuf"]));
});

test.each([
  ["OTEL_TRACES_EXPORTER", "/v1/logs"],
  ["OTEL_LOGS_EXPORTER", "/v1/traces"],
])("sends nothing of a signal whose %s is none", async (name, path) => {
  const app = await run("esm-app.mjs", { env: { ...LATE, ...JSON_PROTOCOL, [name]: "none" } }).listening();
  await app.get("/hello/7");
  app.child.kill("SIGTERM");
  await app.exited;
  expect(sink.requests.map((request) => request.path)).toEqual([path]);
});

test.each(["grpc", "carrier-pigeon"])(
  "says once that it falls back from %s to http/protobuf, and does",
  async (name) => {
    const app = await run("esm-app.mjs", { env: { OTEL_EXPORTER_OTLP_PROTOCOL: name } }).listening();
    await app.get("/hello/7");
    await sink.until(() => sink.spans.length === 1 && sink.logs.length > 0);
    expect(typesOf("/v1/traces")).toEqual(new Set(["application/x-protobuf"]));
    expect(app.stderr.split("\n").filter((line) => line.includes(name))).toEqual([
      `tocsin: OTEL_EXPORTER_OTLP_PROTOCOL=${name} is not supported (http/protobuf, http/json), using http/protobuf`,
    ]);
  },
);

test("loads OpenTelemetry's exporter only for http/json", async () => {
  const loaded = async (env: Record<string, string>): Promise<boolean> => {
    const app = run("span-and-exit.mjs", { env, imports: ["say-loaded-exporter.mjs"] });
    expect(await app.exited).toEqual({ code: 0, signal: null });
    return app.stdout.includes("exporter loaded");
  };
  expect(await loaded({})).toBe(false);
  expect(await loaded(JSON_PROTOCOL)).toBe(true);
});

test("bounds the JSON queue while the collector is away, counts what it drops, and delivers the rest later", async () => {
  const { port, url } = sink;
  await sink.stop();
  const env = { ...JSON_PROTOCOL, OTEL_BSP_MAX_QUEUE_SIZE: "50", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10" };
  const app = await run("esm-app.mjs", { endpoint: url, env }).listening();
  await Promise.all(Array.from({ length: 200 }, (_, i) => app.get(`/hello/${i}`)));
  const failures = 'tocsin_sdk_export_failures_total{signal="traces"}';
  await expect.poll(() => metric(app, failures), { timeout: 10_000 }).toBeGreaterThan(1);
  const dropped = await metric(app, 'tocsin_sdk_dropped_total{signal="traces",reason="queue_full"}');
  const queued = await metric(app, 'tocsin_sdk_queue_length{signal="traces"}');
  expect(queued).toBeLessThanOrEqual(50);
  expect(dropped).toBeGreaterThanOrEqual(140);
  sink = await new OtlpSink().start(port);
  await sink.until(() => sink.spans.length === 200 - dropped);
  await expect.poll(() => metric(app, 'tocsin_sdk_exported_total{signal="traces"}')).toBe(200 - dropped);
  expect(app.stderr.match(/failed: connect ECONNREFUSED/g)).toHaveLength(1);
});

test("repeats a JSON batch when the collector's Retry-After says, and not before", async () => {
  const askedMs: number[] = [];
  sink.answer = (request, response) => {
    if (request.url === "/v1/traces") askedMs.push(performance.now());
    if (askedMs.length === 1) sink.answer = undefined;
    request.resume().on("end", () => response.writeHead(503, { "retry-after": "3" }).end());
  };
  const app = await run("esm-app.mjs", { env: { ...JSON_PROTOCOL, OTEL_LOGS_EXPORTER: "none" } }).listening();
  await app.get("/hello/7");
  await sink.until(() => sink.spans.length === 1);
  expect(performance.now() - (askedMs[0] ?? 0)).toBeGreaterThan(2900);
  await expect.poll(() => metric(app, 'tocsin_sdk_exported_total{signal="traces"}'), { timeout: 10_000 }).toBe(1);
  expect(sink.requests).toHaveLength(1);
  expect(app.stderr).toContain(`export of traces to ${sink.url}/v1/traces failed: HTTP 503 Service Unavailable`);
});

test("drops a JSON batch that is refused, and says why in the collector's words", async () => {
  sink.answer = (request, response) => {
    request.resume().on("end", () => response.writeHead(401, { "content-type": "text/plain" }).end("no such token"));
  };
  const app = await run("esm-app.mjs", { env: { ...JSON_PROTOCOL, OTEL_LOGS_EXPORTER: "none" } }).listening();
  await app.get("/hello/7");
  await expect.poll(() => metric(app, 'tocsin_sdk_dropped_total{signal="traces",reason="rejected"}')).toBe(1);
  expect(app.stderr).toMatch(/failed: HTTP 401 Unauthorized: no such token\n/);
});

test("ends within two seconds although the collector does not answer in JSON either", async () => {
  sink.answer = () => {};
  const app = await run("esm-app.mjs", { env: { ...LATE, ...JSON_PROTOCOL } }).listening();
  await app.get("/hello/7");
  const started = performance.now();
  app.child.kill("SIGTERM");
  expect(await app.exited).toEqual({ code: null, signal: "SIGTERM" });
  expect(performance.now() - started).toBeLessThan(2500);
});

test("is not kept alive by a JSON collector that is away when a script comes to its end", async () => {
  const { url } = sink;
  await sink.stop();
  const started = performance.now();
  const app = run("span-and-exit.mjs", { endpoint: url, env: { ...LATE, ...JSON_PROTOCOL } });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - started).toBeLessThan(5000);
  sink = await new OtlpSink().start();
});
