import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { log, requests } from "../../testing/records.ts";
import { startCollector } from "../../testing/start-collector.ts";
import { encodeLogs } from "@tocsin/model";

let upstream: Server;
let received: { url: string; headers: Record<string, unknown>; body: Buffer }[];
let statuses: number[];

beforeEach(async () => {
  received = [];
  statuses = [];
  upstream = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(statuses.shift() ?? 200, { "retry-after": "0" }).end();
    });
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
});
afterEach(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await once(upstream, "close");
});

const endpoint = () => `http://127.0.0.1:${(upstream.address() as { port: number }).port}/base/`;
const post = (http: string, body: Uint8Array) =>
  fetch(`${http}/v1/logs`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: new Uint8Array(body),
  });

test("sends a copy of what the bus has taken, zipped, with its headers", async () => {
  await using running = await startCollector({
    exporters: { otlp_http: { endpoint: endpoint(), headers: { "x-key": "k" } } },
  });
  expect((await post(running.http, requests.logs)).status).toBe(200);
  await expect.poll(() => received.length).toBe(1);
  const [copy] = received;
  expect([copy?.url, copy?.headers["x-key"], copy?.headers["content-encoding"]]).toEqual([
    "/base/v1/logs",
    "k",
    "gzip",
  ]);
  expect(new Uint8Array(gunzipSync(copy?.body ?? ""))).toEqual(requests.logs);
});

test("sends nothing that the bus has not taken", async () => {
  await using running = await startCollector({
    exporters: { otlp_http: { endpoint: endpoint(), compression: "none" } },
  });
  running.bus.answer = { status: "retry", afterMs: 1000, error: "full" };
  expect((await post(running.http, encodeLogs([log("refused")]))).status).toBe(503);
  running.bus.answer = { status: "ok" };
  await post(running.http, requests.logs);
  await expect.poll(() => received.length).toBe(1);
  expect(new Uint8Array(received[0]?.body ?? [])).toEqual(requests.logs);
});

test("an upstream that fails costs senders nothing, and is tried again", async () => {
  statuses = [503, 200];
  await using running = await startCollector({
    exporters: { otlp_http: { endpoint: endpoint(), compression: "none" } },
  });
  expect((await post(running.http, requests.logs)).status).toBe(200);
  await expect.poll(() => received.length, { timeout: 5000 }).toBe(2);
});
