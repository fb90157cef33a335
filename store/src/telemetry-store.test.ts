import { mkdtemp, open as openFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeLogs, encodeTraces, parseQuery, type LogRecord, type Span, type WriteRequest } from "@tocsin/model";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelemetryStoreConfig } from "./config.ts";
import { createTelemetryStore, type TelemetryStore } from "./telemetry-store.ts";
import { BASE_MS, id, logRecord, span } from "./testing/builders.ts";
import { workerThreads } from "./threads.ts";
import { logStoreContract } from "./testing/log-store-contract.ts";
import { sameThread } from "./testing/same-thread.ts";
import { traceStoreContract } from "./testing/trace-store-contract.ts";

const HOUR = 3_600_000;
const TICK = 5000;
const ALL_TIME = { fromMs: 0, toMs: 8e15 };

let dataDir: string;
let clock: ManualClock;
let registry: Registry;
let store: TelemetryStore;
let emitted: WriteRequest[];

const open = async (config: object = {}, threads = sameThread): Promise<TelemetryStore> => {
  registry = new Registry();
  emitted = [];
  const opened = createTelemetryStore({
    dataDir,
    config: TelemetryStoreConfig.parse({ readers: 1, ...config }),
    clock,
    logger: silentLogger,
    registry,
    threads,
    spanMetricsSink: async (request) => void emitted.push(request),
  });
  await opened.start();
  return opened;
};

const reopen = async (config: object = {}, threads = sameThread): Promise<void> => {
  await store.stop();
  store = await open(config, threads);
};

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-store-"));
  clock = new ManualClock(BASE_MS);
  store = await open();
});

afterEach(async () => {
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const searchLogs = (text: string, limit = 1000) =>
  store.logs.search({ ...ALL_TIME, query: parseQuery(text, "logs"), limit });
const messagesOf = async (text: string) => (await searchLogs(text)).items.map(({ message }) => message);
const metric = async (name: string) => (await registry.getSingleMetric(name)?.get())?.values;
const otlpLogs = (records: LogRecord[]) => ({
  topic: "otlp_logs" as const,
  key: "api",
  value: encodeLogs(records),
  records: records.length,
});
const otlpSpans = (spans: Span[]) => ({
  topic: "otlp_spans" as const,
  key: "api",
  value: encodeTraces(spans),
  records: spans.length,
});

describe("embedded log store", () => {
  for (const { claim, run } of logStoreContract) test(claim, () => run(store.logs));

  test("answers the same from closed blocks as from the open one", async () => {
    const [, bySearch] = logStoreContract;
    const filler = Array.from({ length: 2500 }, () => logRecord({ atMs: BASE_MS - 10 * HOUR }));
    const append = async (records: readonly LogRecord[]) => {
      await store.logs.append(records);
      await store.logs.append(filler);
    };
    await bySearch?.run({ ...store.logs, append });
  });
});

describe("embedded trace store", () => {
  for (const { claim, run } of traceStoreContract) test(claim, () => run(store.traces));

  test("answers the same from closed blocks as from the open one", async () => {
    const [, , bySearch] = traceStoreContract;
    const filler = Array.from({ length: 2500 }, (_, i) =>
      span({ traceId: id(i + 1e6, 32), spanId: id(i + 1e6, 16), atMs: BASE_MS - 10 * HOUR }),
    );
    const append = async (spans: readonly Span[]) => {
      await store.traces.append(spans);
      await store.traces.append(filler);
    };
    await bySearch?.run({ ...store.traces, append });
  });
});

describe("writers", () => {
  test("keep a batch once when the bus gives it twice, also over a restart", async () => {
    const message = otlpLogs([logRecord({ body: "once" })]);
    expect(await store.writers.logs(message)).toEqual({ status: "ok" });
    expect(await store.writers.logs(message)).toEqual({ status: "ok" });
    await reopen();
    expect(await store.writers.logs(message)).toEqual({ status: "ok" });
    expect(await messagesOf("")).toEqual(["once"]);
    expect(await metric("tocsin_store_left_out_records_total")).toEqual([
      { labels: { signal: "logs", reason: "repeated" }, value: 1 },
    ]);
  });

  test("keep both of two equal batches whose records do not say when they happened", async () => {
    const record = { ...logRecord({ body: "ping" }), timeUnixNano: 0n, observedTimeUnixNano: 0n };
    await store.writers.logs(otlpLogs([record]));
    await store.writers.logs(otlpLogs([record]));
    const { items } = await searchLogs("ping");
    expect(items.map(({ time }) => time)).toEqual(["2026-01-10T07:00:00.000Z", "2026-01-10T07:00:00.000Z"]);
  });

  test("keep a span once when it comes again in another batch after a restart", async () => {
    const again = span({ spanId: id(7, 16) });
    await store.writers.spans(otlpSpans([again, span({ spanId: id(8, 16) })]));
    await reopen();
    await store.writers.spans(otlpSpans([span({ spanId: id(9, 16) }), again]));
    expect((await store.traces.trace(id(1, 32))).map(({ spanId }) => spanId).toSorted()).toEqual([
      id(7, 16),
      id(8, 16),
      id(9, 16),
    ]);
  });

  test("call bytes that are not OTLP poison, and leave out spans without ids", async () => {
    const garbage = { topic: "otlp_logs" as const, key: "", value: new Uint8Array([0xff, 1, 2]), records: 1 };
    expect(await store.writers.logs(garbage)).toMatchObject({ status: "poison", reason: expect.any(String) });
    await store.writers.spans(otlpSpans([span({ traceId: "" }), span({ spanId: id(3, 16) })]));
    expect(await store.traces.trace(id(1, 32))).toHaveLength(1);
    expect(await metric("tocsin_store_left_out_records_total")).toContainEqual({
      labels: { signal: "spans", reason: "invalid" },
      value: 1,
    });
  });

  test("refuse what exceeds the bytes that may be pending, and take it later", async () => {
    await reopen({ max_pending_bytes: 100 });
    const [first, second] = [otlpLogs([logRecord({ body: "first" })]), otlpLogs([logRecord({ body: "second" })])];
    const outcomes = await Promise.allSettled([store.writers.logs(first), store.writers.logs(second)]);
    expect(outcomes[0]).toEqual({ status: "fulfilled", value: { status: "ok" } });
    expect(outcomes[1]).toMatchObject({ status: "rejected", reason: { code: "TOCSIN_OVERLOADED" } });
    expect(await store.writers.logs(second)).toEqual({ status: "ok" });
  });

  test("refuse everything once stopped", async () => {
    await store.stop();
    await expect(store.writers.logs(otlpLogs([logRecord()]))).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
    await expect(searchLogs("")).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
  });
});

describe("files", () => {
  const files = async () => (await readdir(join(dataDir, "logs"))).filter((name) => name.endsWith(".db")).toSorted();
  const inHour = async (hour: number, body: string) => {
    clock.jumpTo(BASE_MS + hour * HOUR);
    await store.logs.append([logRecord({ atMs: clock.now(), body })]);
  };

  test("are one for each hour, and go 200 h after it", async () => {
    await inHour(0, "first");
    await inHour(1, "second");
    expect(await files()).toEqual(["2026011007-000.db", "2026011008-000.db"]);
    await inHour(200.9, "third");
    await clock.advance(TICK);
    expect(await messagesOf("")).toEqual(["third", "second", "first"]);
    clock.jumpTo(BASE_MS + 201 * HOUR);
    await clock.advance(TICK);
    await expect.poll(files).toEqual(["2026011008-000.db", "2026011815-000.db"]);
    expect(await messagesOf("")).toEqual(["third", "second"]);
    expect(await metric("tocsin_store_dropped_files_total")).toEqual([
      { labels: { signal: "logs", reason: "age" }, value: 1 },
    ]);
  });

  test("go oldest first when they exceed the byte budget", async () => {
    await reopen({ logs: { max_size: "1MiB" } });
    const noise = (n: number) =>
      Array.from({ length: 2000 }, (_, i) =>
        logRecord({ atMs: clock.now(), body: `n${n} ${Math.sin(i * n + i)} ${Math.cos(i + n)}` }),
      );
    for (let hour = 0; hour < 8; hour++) {
      clock.jumpTo(BASE_MS + hour * HOUR);
      await store.logs.append(noise(hour));
    }
    const before = (await files()).length;
    await clock.advance(TICK);
    await expect.poll(async () => (await files()).length).toBeLessThan(before);
    expect(await files()).toContain("2026011014-000.db");
    expect(await files()).not.toContain("2026011007-000.db");
    expect(await metric("tocsin_store_dropped_files_total")).toEqual([
      { labels: { signal: "logs", reason: "size" }, value: expect.any(Number) },
    ]);
  });

  test("that cannot be opened at start are set aside, the others are served", async () => {
    await inHour(0, "lost");
    await inHour(1, "kept");
    await store.stop();
    await writeFile(
      join(dataDir, "logs", "2026011007-000.db"),
      "this is no database, whatever its name says ".repeat(500),
    );
    store = await open();
    expect(await messagesOf("")).toEqual(["kept"]);
    expect(await files()).toEqual(["2026011008-000.db"]);
    expect(await readdir(join(dataDir, "logs"))).toContain("2026011007-000.db.damaged");
    expect(await metric("tocsin_store_damaged_files_total")).toEqual([{ labels: { signal: "logs" }, value: 1 }]);
  });

  test("that turn out damaged while searched are set aside, the others are served", async () => {
    clock.jumpTo(BASE_MS);
    await store.logs.append(Array.from({ length: 3000 }, (_, i) => logRecord({ body: `lost ${Math.sin(i)}` })));
    await inHour(1, "kept");
    await store.stop();
    const path = join(dataDir, "logs", "2026011007-000.db");
    const size = (await readFile(path)).length;
    const file = await openFile(path, "r+");
    const page = 16_384;
    // The first pages hold the schema, so that the file still opens.
    for (let at = 12 * page; at < size; at += page)
      await file.write(Buffer.alloc(page - 100, 0xee), 0, page - 100, at + 50);
    await file.close();
    store = await open();
    expect(await messagesOf("")).toEqual(["kept"]);
    await expect
      .poll(async () => (await readdir(join(dataDir, "logs"))).filter((name) => name.endsWith(".damaged")))
      .toEqual(["2026011007-000.db.damaged"]);
    expect(await messagesOf("")).toEqual(["kept"]);
  });

  test("left open by a crash in an earlier hour are finished at start", async () => {
    await inHour(0, "first");
    await reopen();
    await inHour(3, "later");
    expect(await files()).toEqual(["2026011007-000.db", "2026011010-000.db"]);
    expect(await messagesOf("first OR later")).toEqual(["later", "first"]);
  });

  test("survive a clock that goes back", async () => {
    await inHour(5, "ahead");
    await inHour(2, "back");
    await inHour(6, "on");
    expect(await files()).toEqual(["2026011012-000.db", "2026011013-000.db"]);
    expect(await messagesOf("")).toEqual(["on", "ahead", "back"]);
  });
});

describe("searches beside writing", () => {
  beforeEach(() => reopen({}, workerThreads));

  test("see every record that was acknowledged before they began, each once", async () => {
    const progress = { written: 0 };
    const writing = (async () => {
      for (let batch = 0; batch < 60; batch++) {
        const body = (i: number) => `r${batch}-${i}`;
        await store.logs.append(
          Array.from({ length: 90 }, (_, i) => logRecord({ atMs: BASE_MS + batch, body: body(i) })),
        );
        progress.written += 90;
      }
    })();
    const range = { fromMs: BASE_MS - HOUR, toMs: BASE_MS + HOUR };
    while (progress.written < 60 * 90) {
      const before = progress.written;
      const { buckets } = await store.logs.histogram({ ...range, query: parseQuery("", "logs"), buckets: 30 });
      expect(buckets.reduce((sum, { total }) => sum + total, 0)).toBeGreaterThanOrEqual(before);
      const { items } = await searchLogs("", 500);
      expect(new Set(items.map(({ message }) => message)).size).toBe(items.length);
    }
    await writing;
  });

  test("end when nobody waits for them any more", async () => {
    await store.logs.append(Array.from({ length: 5000 }, (_, i) => logRecord({ body: `record ${i}` })));
    const leaving = new AbortController();
    const search = store.logs.search(
      { ...ALL_TIME, query: parseQuery("*nothing*here*", "logs"), limit: 10 },
      leaving.signal,
    );
    leaving.abort(new Error("left"));
    await expect(search).rejects.toThrow("left");
    expect(await messagesOf('"record 17"')).toEqual(["record 17"]);
  });

  test("are refused when too many wait", async () => {
    await reopen({ max_waiting_searches: 1 }, workerThreads);
    const searches = await Promise.allSettled([searchLogs(""), searchLogs(""), searchLogs("")]);
    expect(searches.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(searches[2]).toMatchObject({ reason: { code: "TOCSIN_OVERLOADED" } });
  });
});

test("writes metrics of spans every 15 s on the clock", async () => {
  const call = { traceId: id(1, 32), kind: 3 as const, durationMs: 30 };
  await store.writers.spans(
    otlpSpans([
      span({ ...call, spanId: id(1, 16), service: "api", name: "POST" }),
      span({
        traceId: id(1, 32),
        spanId: id(2, 16),
        parentSpanId: id(1, 16),
        service: "sms",
        name: "POST /send",
        durationMs: 7,
        status: 2,
      }),
    ]),
  );
  await clock.advance(15_000);
  await expect.poll(() => emitted.length).toBe(1);
  const values = new Map(emitted[0]?.series.map(({ labels, samples }) => [JSON.stringify(labels), samples[0]]));
  const sample = (labels: Record<string, string>) => values.get(JSON.stringify(labels));
  const sms = {
    service_name: "sms",
    span_name: "POST /send",
    span_kind: "SPAN_KIND_SERVER",
    status_code: "STATUS_CODE_ERROR",
  };
  const at = BASE_MS + 15_000;
  expect(sample({ ...sms, __name__: "traces_span_metrics_calls_total" })).toEqual({ timestampMs: at, value: 1 });
  const bucket = { ...sms, __name__: "traces_span_metrics_duration_milliseconds_bucket" };
  expect(sample({ ...bucket, le: "6" })).toEqual({ timestampMs: at, value: 0 });
  expect(sample({ ...bucket, le: "8" })).toEqual({ timestampMs: at, value: 1 });
  expect(sample({ ...bucket, le: "+Inf" })).toEqual({ timestampMs: at, value: 1 });
  const edge = { client: "api", server: "sms", connection_type: "" };
  expect(sample({ ...edge, __name__: "traces_service_graph_request_total" })).toEqual({ timestampMs: at, value: 1 });
  expect(sample({ ...edge, __name__: "traces_service_graph_request_failed_total" })).toEqual({
    timestampMs: at,
    value: 1,
  });
});

test("leaves nothing running after stop, which may come twice or without start", async () => {
  const count = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === "Worker" || kind === "MessagePort").length;
  await store.stop();
  const before = count();
  store = await open({}, workerThreads);
  const watching = new AbortController();
  const events = store.logs.tail(parseQuery("", "logs"), watching.signal)[Symbol.asyncIterator]();
  const waiting = events.next();
  await store.logs.append([logRecord()]);
  await waiting;
  const last = events.next();
  await store.stop();
  await store.stop();
  expect((await last).done).toBe(true);
  expect(count()).toBe(before);
  expect(clock.pending).toBe(0);
  const config = TelemetryStoreConfig.parse({});
  const never = createTelemetryStore({ dataDir, config, clock, logger: silentLogger, registry: new Registry() });
  await never.stop();
});

test("says which folder it cannot write", async () => {
  await store.stop();
  await writeFile(join(dataDir, "file"), "");
  dataDir = join(dataDir, "file");
  await expect(open({}, workerThreads)).rejects.toMatchObject({
    code: "TOCSIN_DATA_DIR_UNWRITABLE",
    message: expect.stringContaining(dataDir),
  });
  dataDir = join(dataDir, "..");
});
