import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WriteRequest } from "@tocsin/model";
import { Registry, systemClock } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { PrometheusStoreConfig } from "../config.ts";
import { HttpClient } from "../http-client.ts";
import type { DecodedWrite } from "../wire/decoded-write.ts";
import { snappyUncompress } from "../wire/snappy.ts";
import { decodeV1 } from "../wire/write-v1.ts";
import { CONTENT_TYPE_V2, decodeV2 } from "../wire/write-v2.ts";
import { RemoteWriter } from "./remote-writer.ts";

interface Received extends DecodedWrite {
  headers: IncomingHttpHeaders;
}
type Answer = { status: number; body?: string; headers?: Record<string, string> };

/** A receiver that answers as the test says. */
class Receiver {
  readonly received: Received[] = [];
  answer: (request: Received) => Answer | Promise<Answer> = () => ({ status: 204 });
  readonly server: Server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk as Uint8Array);
      const bytes = await snappyUncompress(Buffer.concat(chunks), 1e7);
      const decode = request.headers["content-type"] === CONTENT_TYPE_V2 ? decodeV2 : decodeV1;
      const received = { headers: request.headers, ...decode(bytes) };
      this.received.push(received);
      const { status, body = "", headers = {} } = await this.answer(received);
      response.writeHead(status, headers).end(body);
    })();
  });

  /** `name=value` of all samples, request by request. */
  get samples(): string[][] {
    return this.received.map(({ series }) =>
      series.flatMap(({ labels, samples }) => samples.map(({ value }) => `${labels["__name__"]}=${value}`)),
    );
  }
}

let receiver: Receiver;
let registry: Registry;
let client: HttpClient;
let writer: RemoteWriter;

beforeEach(async () => {
  receiver = new Receiver();
  await new Promise<void>((resolve) => receiver.server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  writer.stop();
  await client.close();
  receiver.server.closeAllConnections();
  await new Promise((resolve) => receiver.server.close(resolve));
});

function open(config: object = {}, clock = systemClock): RemoteWriter {
  const { port } = receiver.server.address() as AddressInfo;
  const full = PrometheusStoreConfig.parse({
    url: `http://127.0.0.1:${port}/`,
    ...config,
    queue: { shards: 1, min_backoff: "1ms", max_backoff: "5ms", ...(config as { queue?: object }).queue },
  });
  registry = new Registry();
  client = new HttpClient(full);
  writer = new RemoteWriter({ config: full, client, clock, logger: silentLogger, registry, random: () => 0.5 });
  return writer;
}

const one = (name: string, value: number, timestampMs = value): WriteRequest => ({
  series: [{ labels: { __name__: name }, samples: [{ timestampMs, value }] }],
});
const many = (count: number): WriteRequest => ({
  series: Array.from({ length: count }, (_, i) => ({
    labels: { __name__: `m${i}` },
    samples: [{ timestampMs: i, value: i }],
  })),
});
const metric = async (name: string) =>
  (await registry.metrics())
    .split("\n")
    .filter((line) => line.startsWith(`tocsin_prometheus_write_${name}`))
    .map((line) => line.replace("tocsin_prometheus_write_", ""));

describe("a request", () => {
  test("says what it is, and who sends it", async () => {
    open({
      basic_auth: { username: "u", password: "p" },
      headers: { "x-scope-orgid": "team" },
      remote_write_version: "1.0",
    });
    await writer.append(one("a", 1));
    expect(receiver.received[0]?.headers).toMatchObject({
      "content-encoding": "snappy",
      "content-type": "application/x-protobuf",
      "x-prometheus-remote-write-version": "0.1.0",
      authorization: `Basic ${Buffer.from("u:p").toString("base64")}`,
      "x-scope-orgid": "team",
    });
    expect(await metric("samples_total")).toEqual(["samples_total 1"]);
  });

  test("holds what came while the one before was under way, up to the limit", async () => {
    const first = Promise.withResolvers<Answer>();
    receiver.answer = () => (receiver.received.length === 1 ? first.promise : { status: 204 });
    open({ queue: { max_samples_per_send: 3 } });
    const appends = [1, 2, 3, 4, 5].map((value) => writer.append(one("a", value)));
    await expect.poll(() => receiver.received.length).toBe(1);
    appends.push(writer.append(one("a", 6)));
    first.resolve({ status: 204 });
    await Promise.all(appends);
    expect(receiver.samples).toEqual([["a=1", "a=2", "a=3"], ["a=4", "a=5", "a=6"]]); // prettier-ignore
  });

  test("is one of several at a time, but never two with the same series", async () => {
    open({ queue: { shards: 4 } });
    let running = 0;
    let most = 0;
    receiver.answer = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return { status: 204 };
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => writer.append(many(40 + i))));
    expect(most).toBeGreaterThan(1);
    const order = receiver.samples.flat().filter((sample) => sample.startsWith("m7="));
    expect(order).toHaveLength(20);
    const appends = Array.from({ length: 10 }, (_, i) => writer.append(one("ordered", i)));
    await Promise.all(appends);
    expect(
      receiver.samples
        .flat()
        .filter((sample) => sample.startsWith("ordered="))
        .map((sample) => Number(sample.slice(8))),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("carries metadata when it is news, and again after a minute", async () => {
    const clock = new ManualClock(0);
    open({}, clock);
    const metadata = [{ metric: "a", type: "counter" as const, unit: "", help: "A." }];
    for (const atMs of [0, 1000, 61_000]) {
      clock.jumpTo(atMs);
      await writer.append({ ...one("a", atMs), metadata });
    }
    expect(receiver.received.map(({ metadata }) => metadata.length)).toEqual([1, 0, 1]);
  });
});

describe("when the receiver refuses", () => {
  test.each([500, 503, 429, 404, 401])("with %s it is asked again until it takes it", async (status) => {
    open();
    receiver.answer = () => ({ status: receiver.received.length < 3 ? status : 204 });
    await writer.append(one("a", 1));
    expect(receiver.samples).toEqual([["a=1"], ["a=1"], ["a=1"]]);
    expect(await metric("retries_total")).toEqual(["retries_total 2"]);
  });

  test("a broken connection is no answer", async () => {
    open();
    receiver.answer = () => {
      if (receiver.received.length === 1) receiver.server.closeAllConnections();
      return { status: 204 };
    };
    await writer.append(one("a", 1));
    expect(receiver.samples).toEqual([["a=1"], ["a=1"]]);
  });

  test("Retry-After is waited for", async () => {
    const clock = new ManualClock(0);
    open({}, clock);
    receiver.answer = () =>
      receiver.received.length === 1 ? { status: 429, headers: { "retry-after": "7" } } : { status: 204 };
    const append = writer.append(one("a", 1));
    await expect.poll(() => clock.pending).toBe(1);
    await clock.advance(6999);
    expect(receiver.received).toHaveLength(1);
    await clock.advance(1);
    await append;
    expect(receiver.received).toHaveLength(2);
  });

  test("the append is rejected after retry_for, so that the bus brings it again", async () => {
    const clock = new ManualClock(0);
    open({ queue: { retry_for: "1ms", min_backoff: "2ms" } }, clock);
    receiver.answer = () => ({ status: 404, body: "remote write receiver needs to be enabled" });
    await expect(writer.append(one("a", 1))).rejects.toMatchObject({
      code: "TOCSIN_UNAVAILABLE",
      message: expect.stringContaining("start Prometheus with --web.enable-remote-write-receiver"),
    });
    expect(await metric("pending_samples")).toEqual(["pending_samples 0"]);
  });

  test("only the bad samples are dropped, however many good ones are around them", async () => {
    open();
    const bad = new Set(["m3", "m77"]);
    receiver.answer = ({ series }) =>
      series.some(({ labels }) => bad.has(labels["__name__"] ?? ""))
        ? { status: 400, body: "out of order sample\n" }
        : { status: 204 };
    expect(await writer.append(many(100))).toEqual({ taken: 98, dropped: { status_400: 2 } });
    expect(await metric("dropped_samples_total")).toContain('dropped_samples_total{reason="status_400"} 2');
    const accepted = new Set(receiver.samples.filter((list) => !list.some((s) => /^m(3|77)=/.test(s))).flat());
    expect(accepted.size).toBe(98);
  });

  test("of one series, too", async () => {
    open();
    receiver.answer = ({ series }) =>
      series.some(({ samples }) => samples.some(({ value }) => value === 2))
        ? { status: 500, body: "too old sample" }
        : { status: 204 };
    const samples = [1, 2, 3, 4].map((value) => ({ timestampMs: value, value }));
    const result = await writer.append({ series: [{ labels: { __name__: "a" }, samples }] });
    expect(result).toEqual({ taken: 3, dropped: { status_500: 1 } });
  });

  test("the search for bad samples ends: a batch that is bad throughout goes as one", async () => {
    open();
    receiver.answer = () => ({ status: 400, body: "out of bounds" });
    expect(await writer.append(many(1000))).toEqual({ taken: 0, dropped: { status_400: 1000 } });
    expect(receiver.received.length).toBeLessThan(300);
  });
});

describe("remote write 2.0", () => {
  const written = (samples: number, histograms = 0) => ({
    "x-prometheus-remote-write-samples-written": String(samples),
    "x-prometheus-remote-write-histograms-written": String(histograms),
  });

  test("is spoken with a receiver that says what it has written", async () => {
    open({ remote_write_version: "auto" });
    receiver.answer = () => ({ status: 204, headers: written(1) });
    await writer.append(one("a", 1));
    expect(receiver.received[0]?.headers).toMatchObject({
      "content-type": CONTENT_TYPE_V2,
      "x-prometheus-remote-write-version": "2.0.0",
    });
    expect(receiver.samples).toEqual([["a=1"]]);
  });

  test.each([
    ["answers 415", { status: 415 }],
    ["is content with what it did not read", { status: 204 }],
  ])("1.0 is spoken with one that %s", async (_, answer) => {
    open({ remote_write_version: "auto" });
    receiver.answer = ({ headers }) => (headers["content-type"] === CONTENT_TYPE_V2 ? answer : { status: 204 });
    await writer.append(one("a", 1));
    await writer.append(one("a", 2));
    expect(receiver.received.map(({ headers }) => headers["content-type"] === CONTENT_TYPE_V2)).toEqual([
      true,
      false,
      false,
    ]);
    expect(receiver.samples.slice(1)).toEqual([["a=1"], ["a=2"]]);
  });

  test("what was written in part is not sent again; the rest is counted", async () => {
    open({ remote_write_version: "auto" });
    receiver.answer = () => ({ status: 400, headers: written(7), body: "out of order" });
    expect(await writer.append(many(10))).toEqual({ taken: 7, dropped: { status_400: 3 } });
    expect(receiver.received).toHaveLength(1);
  });
});

describe("the queue", () => {
  test("is bounded: what is too much is given back and counted", async () => {
    const held = Promise.withResolvers<Answer>();
    receiver.answer = () => held.promise;
    open({ queue: { max_pending_samples: 10 } });
    // Alone, a request of any size is taken.
    const first = writer.append(many(12));
    await expect(writer.append(one("a", 1))).rejects.toMatchObject({ code: "TOCSIN_OVERLOADED" });
    expect(await metric("refused")).toEqual(["refused_samples_total 1"]);
    held.resolve({ status: 204 });
    await first;
    await writer.append(one("a", 1));
  });

  test("stops at once: what is under way is rejected", async () => {
    receiver.answer = () => ({ status: 503 });
    open({ queue: { min_backoff: "1h", max_backoff: "1h", retry_for: "2h" } });
    const append = writer.append(one("a", 1));
    await expect.poll(() => receiver.received.length).toBe(1);
    writer.stop();
    await expect(append).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
    await expect(writer.append(one("a", 1))).rejects.toMatchObject({ code: "TOCSIN_STOPPING" });
  });
});
