import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Sample } from "@tocsin/model";
import { createHttpServer, Registry, TocsinError } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { MetricStoreConfig } from "../metrics/config.ts";
import { createMetricStore, type EmbeddedMetricStore } from "../metrics/metric-store.ts";
import { remoteWriteApi, type RemoteWriteApiOptions } from "./remote-write-api.ts";
import { encodeLabels } from "./wire/series-cache.ts";
import { snappyCompress } from "./wire/snappy.ts";
import { encodeV1 } from "./wire/write-v1.ts";
import { encodeV2 } from "./wire/write-v2.ts";

const T0 = Date.UTC(2026, 0, 10);
const V1 = "application/x-protobuf";
const V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

let dataDir: string;
let store: EmbeddedMetricStore;
let app: FastifyInstance;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-remote-write-api-"));
  const config = MetricStoreConfig.parse({});
  store = createMetricStore({ dataDir, config, clock: new ManualClock(T0), logger: silentLogger, registry: new Registry() }); // prettier-ignore
  await store.start();
  app = await serve({ store });
});
afterEach(async () => {
  await app.close();
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function serve(options: RemoteWriteApiOptions): Promise<FastifyInstance> {
  const server = createHttpServer({ logger: silentLogger });
  await server.register(remoteWriteApi, options);
  return server;
}

const series = (name: string, ...samples: Sample[]) => ({
  series: encodeLabels(name === "" ? { job: "a" } : { __name__: name }),
  samples,
  exemplars: [],
});
const at = (ms: number, value: number): Sample => ({ timestampMs: T0 + ms, value });

async function post(
  bytes: Uint8Array,
  headers: Record<string, string> = { "content-type": V1, "content-encoding": "snappy" },
  server = app,
) {
  const payload = Buffer.from(await snappyCompress(bytes));
  const answer = await server.inject({ method: "POST", url: "/api/v1/write", headers, payload });
  const written = ["samples", "histograms", "exemplars"].map(
    (kind) => answer.headers[`x-prometheus-remote-write-${kind}-written`],
  );
  return { status: answer.statusCode, written: written.join(" "), body: answer.body, headers: answer.headers };
}

describe("POST /api/v1/write", () => {
  test("takes 1.0 and 2.0, and says what it has written", async () => {
    expect(await post(encodeV1([series("a", at(0, 1), at(1000, 2))], []))).toMatchObject({
      status: 204,
      written: "2 0 0",
      body: "",
    });
    const v2 = encodeV2([series("a", at(2000, 3))], () => undefined);
    expect(await post(v2, { "content-type": V2, "content-encoding": "snappy" })).toMatchObject({
      status: 204,
      written: "1 0 0",
    });
    expect(await store.instant("sum_over_time(a[1m])", T0 + 2000)).toMatchObject({ samples: [{ value: 6 }] });
  });

  test("takes what comes without content type or encoding for 1.0 in snappy", async () => {
    expect(await post(encodeV1([series("a", at(0, 1))], []), {})).toMatchObject({ status: 204, written: "1 0 0" });
  });

  test("writes the rest when something in it can never be written, and says what", async () => {
    const bytes = encodeV1([series("a", at(0, 1)), series("a", at(0, 2)), series("b", at(3_600_000, 1))], []);
    expect(await post(bytes)).toMatchObject({
      status: 400,
      written: "1 0 0",
      body: "not everything was written: 1 samples: duplicate; 1 samples: future\n",
    });
    expect(await store.instant("a", T0)).toMatchObject({ samples: [{ value: 1 }] });
    expect(await post(encodeV1([series("", at(0, 1)), series("c", at(0, 1))], []))).toMatchObject({
      status: 400,
      written: "1 0 0",
      body: "not everything was written: a series has no name\n",
    });
  });

  test("the same samples again are written already", async () => {
    const bytes = encodeV1([series("a", at(0, 1))], []);
    await post(bytes);
    expect(await post(bytes)).toMatchObject({ status: 204, written: "1 0 0" });
  });

  test("exemplars and histograms are counted apart", async () => {
    const histogram = {
      schema: 0, count: 1, sum: 1, zeroThreshold: 0, zeroCount: 1, positiveOffset: 0, positiveBuckets: [],
      negativeOffset: 0, negativeBuckets: [], customValues: [], counterReset: "unknown",
    } as const; // prettier-ignore
    const exemplars = [{ labels: { trace_id: "x" }, value: 1, timestampMs: T0 }];
    const bytes = encodeV1(
      [
        { ...series("a", at(0, 1)), exemplars },
        series("h", { ...at(0, 0), histogram: { ...histogram, positiveBuckets: [], negativeBuckets: [], customValues: [] } }),
      ],
      [],
    ); // prettier-ignore
    expect(await post(bytes)).toMatchObject({ status: 204, written: "1 1 1" });
  });

  test.each([
    [{ "content-type": "application/json" }, 415, /expected application\/x-protobuf/],
    [{ "content-type": `${V1};proto=io.prometheus.write.v3.Request` }, 415, /message io.prometheus.write.v3.Request/],
    [{ "content-type": V1, "content-encoding": "gzip" }, 415, /use snappy/],
  ])("what it does not know is refused: %j", async (headers, status, body) => {
    expect(await post(encodeV1([series("a", at(0, 1))], []), headers)).toMatchObject({
      status,
      written: "0 0 0",
      body: expect.stringMatching(body),
    });
  });

  test("what is no protobuf is a bad request", async () => {
    expect(await post(Uint8Array.of(0x0a, 0x50))).toMatchObject({ status: 400, body: expect.stringContaining("byte") });
    const answer = await app.inject({ method: "POST", url: "/api/v1/write", headers: { "content-type": V1 } });
    expect(answer.statusCode).toBe(400);
  });

  test("a small body that grows beyond the limit is refused before it does", async () => {
    const small = await serve({ store, maxDecodedBytes: 1000, maxBodyBytes: 500 });
    expect(await post(new Uint8Array(1001), undefined, small)).toMatchObject({
      status: 413,
      body: "1001 bytes when uncompressed; the limit is 1000\n",
    });
    const large = await small.inject({
      method: "POST",
      url: "/api/v1/write",
      headers: { "content-type": V1 },
      payload: Buffer.alloc(501),
    });
    expect(large.statusCode).toBe(413);
    await small.close();
  });

  test("a store that cannot take it now has the sender come again", async () => {
    const busy = await serve({
      store: { take: () => Promise.reject(new TocsinError("TOCSIN_OVERLOADED", "the disk does not keep up")) },
    });
    const answer = await post(encodeV1([series("a", at(0, 1))], []), undefined, busy);
    expect(answer).toMatchObject({ status: 503, written: "0 0 0", headers: { "retry-after": "1" } });
    await busy.close();
  });
});
