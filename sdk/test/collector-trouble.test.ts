import { afterEach, beforeEach, expect, test } from "vitest";
import { type AppOptions, AppProcess } from "./app-process.ts";
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

test("serves on while the collector is away, says so once, and delivers when it is back", async () => {
  const { port, url } = sink;
  await sink.stop();
  const app = await run("esm-app.mjs", { endpoint: url }).listening();
  for (let i = 0; i < 20; i++) expect((await app.get(`/hello/${i}`)).status).toBe(200);
  await expect.poll(() => metric(app, "tocsin_sdk_export_failures_total"), { timeout: 10_000 }).toBeGreaterThan(1);
  sink = await new OtlpSink().start(port);
  await sink.until(() => sink.spans.length === 20 && sink.logs.filter(({ body }) => body === "hello").length === 20);
  expect(app.stderr.match(/failed: connect ECONNREFUSED/g)).toHaveLength(1);
  await expect.poll(() => app.stderr).toContain("tocsin: export works again; 0 records were lost meanwhile");
});

test("bounds its queues while the collector does not answer, and counts what it drops", async () => {
  sink.answer = () => {}; // Takes the request and stays silent.
  const env = { OTEL_BSP_MAX_QUEUE_SIZE: "50", OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10" };
  const app = await run("esm-app.mjs", { env }).listening();
  const started = performance.now();
  await Promise.all(Array.from({ length: 200 }, (_, i) => app.get(`/hello/${i}`)));
  expect(performance.now() - started).toBeLessThan(5000);
  expect(await metric(app, 'tocsin_sdk_queue_length{signal="traces"}')).toBeLessThanOrEqual(50);
  expect(await metric(app, 'tocsin_sdk_dropped_total{signal="traces",reason="queue_full"}')).toBeGreaterThanOrEqual(
    140,
  );
});

test("says once, in the collector's words, why data is refused", async () => {
  sink.answer = (request, response) => {
    request.resume().on("end", () => response.writeHead(401, { "content-type": "text/plain" }).end("no such token"));
  };
  const app = await run("esm-app.mjs").listening();
  await app.get("/hello/1");
  await expect.poll(() => app.stderr, { timeout: 10_000 }).toMatch(/failed: HTTP 401 Unauthorized: no such token\n/);
  await expect.poll(() => metric(app, 'tocsin_sdk_dropped_total{signal="traces",reason="rejected"}')).toBe(1);
  expect(app.stderr.match(/HTTP 401/g)).toHaveLength(1);
});

// A delay that no test reaches: what arrives was flushed.
const late = { OTEL_BSP_SCHEDULE_DELAY: "600000", OTEL_BLRP_SCHEDULE_DELAY: "600000" };

test("flushes at SIGTERM, then dies by the signal as the app would have without the SDK", async () => {
  const app = await run("esm-app.mjs", { env: late }).listening();
  await app.get("/hello/7");
  app.child.kill("SIGTERM");
  expect(await app.exited).toEqual({ code: null, signal: "SIGTERM" });
  expect(sink.spans.map(({ name }) => name)).toEqual(["GET /hello/:id"]);
  expect(sink.logs.map(({ body }) => body)).toContain("hello");
});

test("lets an app that handles SIGTERM finish, and sends its last words", async () => {
  const app = await run("graceful-app.mjs", { env: late }).listening();
  await app.get("/hello");
  app.child.kill("SIGTERM");
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(sink.logs.map(({ body }) => body)).toContain("closed");
});

test("ends within two seconds although the collector does not answer", async () => {
  sink.answer = () => {};
  const app = await run("esm-app.mjs", { env: late }).listening();
  await app.get("/hello/7");
  const started = performance.now();
  app.child.kill("SIGTERM");
  expect(await app.exited).toEqual({ code: null, signal: "SIGTERM" });
  expect(performance.now() - started).toBeLessThan(2500);
});

test("sends what is queued when a script comes to its end, without delaying it otherwise", async () => {
  const app = run("span-and-exit.mjs", { env: late });
  expect(await app.exited).toEqual({ code: 0, signal: null });
  expect(sink.spans.map(({ name }) => name)).toEqual(["from the app"]);
});

test.each([
  ["uncaught exception", "/crash", "crashed"],
  ["unhandled rejection", "/reject", "nobody caught this"],
])("turns an %s into a fatal log, keeps its message on stderr and its exit code", async (_what, path, message) => {
  const app = await run("esm-app.mjs", { env: late }).listening();
  await app.get(path).catch(() => {});
  expect(await app.exited).toEqual({ code: 1, signal: null });
  expect(app.stderr).toContain(`RangeError: ${message}`);
  const fatal = sink.logs.find(({ severityText }) => severityText === "FATAL");
  expect(fatal).toMatchObject({ body: "uncaught exception", attributes: { "exception.message": message } });
});
