import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { otlpHttp, retryAfterMs } from "./otlp-http.ts";

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function collector(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`;
}

const send = (url: string, options: { timeoutMs?: number; gzip?: boolean } = {}) =>
  otlpHttp({
    url,
    headers: { "x-tenant": "acme" },
    timeoutMs: 2000,
    gzip: false,
    contentType: "application/x-protobuf",
    now: () => 0,
    ...options,
  })(Uint8Array.of(1, 2, 3));

test("posts protobuf with the configured headers", async () => {
  const seen: unknown[] = [];
  const url = await collector((request, response) => {
    seen.push(request.method, request.url, request.headers["content-type"], request.headers["x-tenant"]);
    request.on("data", (chunk: Buffer) => seen.push([...chunk])).on("end", () => response.end());
  });
  expect(await send(url)).toEqual({ status: "ok", rejected: 0, reason: "" });
  expect(seen).toEqual(["POST", "/v1/logs", "application/x-protobuf", "acme", [1, 2, 3]]);
});

test("compresses when told to", async () => {
  const body: Buffer[] = [];
  const url = await collector((request, response) => {
    expect(request.headers["content-encoding"]).toBe("gzip");
    request.on("data", (chunk: Buffer) => body.push(chunk)).on("end", () => response.end());
  });
  await send(url, { gzip: true });
  expect([...gunzipSync(Buffer.concat(body))]).toEqual([1, 2, 3]);
});

test.each([
  [429, { "retry-after": "7" }, { status: "retry", afterMs: 7000, error: "HTTP 429 Too Many Requests" }],
  [503, {}, { status: "retry", error: "HTTP 503 Service Unavailable" }],
  [400, {}, { status: "permanent", error: "HTTP 400 Bad Request" }],
  [413, {}, { status: "too_large", error: "HTTP 413 Payload Too Large" }],
  [500, {}, { status: "permanent", error: "HTTP 500 Internal Server Error" }],
])("judges HTTP %i by the OTLP specification", async (status, headers, expected) => {
  const url = await collector((request, response) => {
    request.resume().on("end", () => response.writeHead(status, headers).end());
  });
  expect(await send(url)).toEqual(expected);
});

test("repeats the collector's own words", async () => {
  const url = await collector((request, response) => {
    request.resume().on("end", () => response.writeHead(400, { "content-type": "text/plain" }).end("span 3: bad id"));
  });
  expect(await send(url)).toEqual({ status: "permanent", error: "HTTP 400 Bad Request: span 3: bad id" });
});

test("reads how many records a partial success has rejected", async () => {
  // partial_success { rejected: 300, error_message: "late" }
  const answer = Uint8Array.of(0x0a, 0x09, 0x08, 0xac, 0x02, 0x12, 0x04, ...Buffer.from("late"));
  const url = await collector((request, response) => {
    request.resume().on("end", () => response.end(answer));
  });
  expect(await send(url)).toEqual({ status: "ok", rejected: 300, reason: "late" });
});

test.each([
  ['{"partialSuccess":{"rejectedSpans":"300","errorMessage":"late"}}', { rejected: 300, reason: "late" }],
  ['{"partialSuccess":{"rejectedLogRecords":7}}', { rejected: 7, reason: "" }],
  ['{"partialSuccess":{"rejectedSpans":"-1"}}', { rejected: 0, reason: "" }],
  ["{}", { rejected: 0, reason: "" }],
  ["{not json", { rejected: 0, reason: "" }],
])("reads the partial success of a collector that answers in JSON: %s", async (answer, expected) => {
  const url = await collector((request, response) => {
    request.resume().on("end", () => response.end(answer));
  });
  expect(await send(url)).toEqual({ status: "ok", ...expected });
});

test("wants to retry when nobody listens, with the address in the error", async () => {
  const url = await collector(() => {});
  closers.splice(0).forEach((close) => close());
  const result = await send(url);
  expect(result.status).toBe("retry");
  expect(result).toHaveProperty("error", `connect ECONNREFUSED ${new URL(url).host}`);
});

test("wants to retry when no answer comes in time", async () => {
  const url = await collector(() => {});
  expect(await send(url, { timeoutMs: 30 })).toEqual({ status: "retry", error: "no answer within 30 ms" });
});

test("reads Retry-After as seconds or as a date", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  expect(retryAfterMs("120", now)).toBe(120_000);
  expect(retryAfterMs("Sat, 31 Jan 2026 12:00:30 GMT", now)).toBe(30_000);
  expect(retryAfterMs("Sat, 31 Jan 2026 11:00:00 GMT", now)).toBe(0);
  expect(retryAfterMs("soon", now)).toBeUndefined();
});
