import { connect } from "node:net";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { encodeLogs, encodeTraces, type Signal } from "@tocsin/model";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { describe, expect, test } from "vitest";
import { log, requests, span } from "../../testing/records.ts";
import { startCollector, type RunningCollector } from "../../testing/start-collector.ts";

const PROTOBUF = { "content-type": "application/x-protobuf" };
const JSON_TYPE = { "content-type": "application/json" };

function post(http: string, signal: Signal, body: Uint8Array | string, headers: Record<string, string> = PROTOBUF) {
  return fetch(`${http}/v1/${signal}`, {
    method: "POST",
    headers,
    body: typeof body === "string" ? body : new Uint8Array(body),
  });
}

const account = ({ collector }: RunningCollector, signal: Signal) =>
  collector.accounts().find((account) => account.signal === signal);

describe("a good request", () => {
  test.each(["logs", "traces", "metrics"] as const)(
    "of %s in protobuf reaches the bus byte for byte",
    async (signal) => {
      await using running = await startCollector();
      const response = await post(running.http, signal, requests[signal]);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-protobuf"]);
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array());
      const topic = { logs: "otlp_logs", traces: "otlp_spans", metrics: "otlp_metrics" }[signal];
      expect(running.bus.messages.map(({ value, ...rest }) => [rest, new Uint8Array(value)])).toEqual([
        [{ topic, key: "sms", records: 1 }, requests[signal]],
      ]);
      expect(account(running, signal)).toEqual({
        signal,
        received: 1,
        rejected: {},
        queued: 0,
        written: 1,
        dropped: {},
      });
    },
  );

  test.each([100, 200_000])("zipped, of %i characters, is unzipped", async (length) => {
    await using running = await startCollector();
    const text = randomText(length);
    const body = gzipSync(encodeLogs([log(text)]));
    const response = await post(running.http, "logs", body, { ...PROTOBUF, "content-encoding": "gzip" });
    expect(response.status).toBe(200);
    expect(running.bus.logs).toMatchObject([{ body: text }]);
  });

  test("in JSON, as curl sends it, is answered in JSON", async () => {
    await using running = await startCollector();
    const body = JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "shell" } }] },
          scopeLogs: [
            {
              logRecords: [{ timeUnixNano: "1763726400000000000", severityNumber: 17, body: { stringValue: "boom" } }],
            },
          ],
        },
      ],
    });
    const response = await post(running.http, "logs", body, { "content-type": "application/json; charset=utf-8" });
    expect([response.status, await response.json()]).toEqual([200, {}]);
    expect(running.bus.logs).toMatchObject([
      { body: "boom", severityNumber: 17, resource: { attributes: { "service.name": "shell" } } },
    ]);
    expect(running.bus.messages[0]?.key).toBe("shell");
  });

  test("from OpenTelemetry's own exporter arrives", async () => {
    await using running = await startCollector();
    const exporter = new OTLPTraceExporter({ url: `${running.http}/v1/traces` });
    const spanContext = { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", traceFlags: 1 };
    const exported = {
      name: "GET /orders",
      kind: 1,
      spanContext: () => spanContext,
      startTime: [1_763_726_400, 123_456_789],
      endTime: [1_763_726_400, 223_456_789],
      status: { code: 0 },
      attributes: { "http.route": "/orders" },
      links: [],
      events: [],
      duration: [0, 100_000_000],
      ended: true,
      resource: { attributes: { "service.name": "api" }, asyncAttributesPending: false },
      instrumentationScope: { name: "lib" },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
    const result = await new Promise((resolve) => exporter.export([exported] as never, resolve));
    await exporter.shutdown();
    expect(result).toEqual({ code: 0 });
    expect(running.bus.spans).toMatchObject([
      { name: "GET /orders", startTimeUnixNano: 1_763_726_400_123_456_789n, attributes: { "http.route": "/orders" } },
    ]);
  });

  test("without any record is taken and goes nowhere", async () => {
    await using running = await startCollector();
    expect((await post(running.http, "logs", new Uint8Array())).status).toBe(200);
    expect((await post(running.http, "logs", "{}", JSON_TYPE)).status).toBe(200);
    expect(running.bus.messages).toEqual([]);
  });
});

describe("partial success", () => {
  const spans = [span("whole"), span("no ids", { traceId: "", spanId: "" }), span("no span id", { spanId: "" })];

  test("says how many spans were left out and why, and the rest goes on", async () => {
    await using running = await startCollector();
    const response = await post(running.http, "traces", encodeTraces(spans));
    expect(response.status).toBe(200);
    const message = '2 spans have no trace id or no span id, the first is "no ids"';
    const inner = [0x08, 2, 0x12, message.length, ...new TextEncoder().encode(message)];
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(0x0a, inner.length, ...inner));
    expect(running.bus.spans.map(({ name }) => name)).toEqual(["whole"]);
    expect(account(running, "traces")).toMatchObject({ received: 3, written: 1, dropped: { incomplete_span: 2 } });
  });

  test("is answered in JSON to JSON", async () => {
    await using running = await startCollector();
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: "no ids" }] }] }] });
    const response = await post(running.http, "traces", body, JSON_TYPE);
    expect(await response.json()).toEqual({
      partialSuccess: {
        rejectedSpans: "1",
        errorMessage: '1 spans have no trace id or no span id, the first is "no ids"',
      },
    });
    expect(running.bus.messages).toEqual([]);
  });
});

describe("a bad request", () => {
  test("of malformed protobuf gets the place in a status, and is kept to look at", async () => {
    await using running = await startCollector();
    // resource_logs { scope_logs { log_records { body { string_value: <cut> } } } }
    const body = Uint8Array.of(0x0a, 8, 0x12, 6, 0x12, 4, 0x2a, 2, 0x0a, 9);
    const response = await post(running.http, "logs", body);
    expect([response.status, response.headers.get("content-type")]).toEqual([400, "application/x-protobuf"]);
    const reason =
      "resource_logs[0].scope_logs[0].log_records[0].body.string_value: length 9 is beyond the end of the message (0 bytes left) (at byte 9 of 10)";
    const text = new TextDecoder().decode(await response.arrayBuffer());
    expect(text).toContain(reason);
    expect(text.charCodeAt(1)).toBe(3);
    expect(running.collector.rejects()).toMatchObject([{ signal: "logs", source: "otlp_http", reason, bytes: 10 }]);
    expect(account(running, "logs")).toMatchObject({ received: 1, rejected: { malformed: 1 }, written: 0 });
  });

  test.each([
    ["{", /^the body is not JSON: .*position 1/],
    [
      '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}',
      /^resourceLogs\[0\]\.scopeLogs\[0\]\.logRecords\[0\]\.traceId: expected 32 hex digits, not "xyz"$/,
    ],
    ["[]", /^expected an object$/],
  ])("of malformed JSON %s gets the place", async (body, message) => {
    await using running = await startCollector();
    const response = await post(running.http, "logs", body, JSON_TYPE);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ code: 3, message: expect.stringMatching(message) as string });
    expect(running.collector.rejects()[0]?.excerpt).toBe(body);
  });

  test("with broken gzip gets 400", async () => {
    await using running = await startCollector();
    const zipped = gzipSync(requests.logs);
    for (const body of [zipped.subarray(0, 20), Buffer.from("not gzip at all")]) {
      const response = await post(running.http, "logs", body, { ...JSON_TYPE, "content-encoding": "gzip" });
      expect([response.status, await response.json()]).toEqual([
        400,
        { code: 3, message: expect.stringContaining("the body is not valid gzip") as string },
      ]);
    }
  });

  test("that unzips beyond the limit gets 413, small or large", async () => {
    await using running = await startCollector({ receivers: { otlp_http: { max_body: "1MiB" } } });
    for (const size of [2, 90]) {
      const bomb = gzipSync(new Uint8Array(size * 1024 * 1024));
      const response = await post(running.http, "logs", bomb, { ...JSON_TYPE, "content-encoding": "gzip" });
      expect([response.status, await response.json()]).toEqual([
        413,
        { code: 3, message: "the body unzips to more; at most 1048576 bytes are taken, send smaller batches" },
      ]);
    }
  });

  test("that is too long gets 413, with its length declared or not", async () => {
    await using running = await startCollector({ receivers: { otlp_http: { max_body: "1KiB" } } });
    const declared = await post(running.http, "logs", new Uint8Array(2000), JSON_TYPE);
    expect([declared.status, await declared.json()]).toEqual([
      413,
      { code: 3, message: "the body is 2000 bytes; at most 1024 bytes are taken, send smaller batches" },
    ]);
    const stream = ReadableStream.from([new Uint8Array(800), new Uint8Array(800)]);
    const chunked = await fetch(`${running.http}/v1/logs`, {
      method: "POST",
      headers: JSON_TYPE,
      body: stream,
      duplex: "half",
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  test.each<[Record<string, string>, string]>([
    [
      { "content-type": "text/plain" },
      "content-type text/plain is not supported; send application/x-protobuf or application/json",
    ],
    [{ ...JSON_TYPE, "content-encoding": "br" }, "content-encoding br is not supported; send gzip or no encoding"],
  ])("%o gets 415", async (headers, message) => {
    await using running = await startCollector();
    const response = await post(running.http, "logs", "x", headers);
    expect([response.status, await response.json()]).toEqual([415, { code: 3, message }]);
  });

  test("by GET gets 405 with a hint; another path gets 404 with one", async () => {
    await using running = await startCollector();
    const get = await fetch(`${running.http}/v1/traces`);
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
    expect(await get.text()).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${running.http}`);
    const lost = await fetch(`${running.http}/v1/trace`);
    expect([lost.status, await lost.text()]).toEqual([
      404,
      "nothing is at /v1/trace; OTLP is taken at /v1/logs, /v1/traces and /v1/metrics\n",
    ]);
  });
});

describe("push-back", () => {
  test("of the bus is 503 with Retry-After, and is no reject", async () => {
    await using running = await startCollector();
    running.bus.answer = { status: "retry", afterMs: 1500, error: "the bus is full" };
    const response = await post(running.http, "logs", requests.logs, PROTOBUF);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(account(running, "logs")).toMatchObject({
      received: 1,
      rejected: { pushed_back: 1 },
      written: 0,
      queued: 0,
    });
    expect(running.collector.rejects()).toEqual([]);
  });

  test("beyond the bytes in flight is 429, until they have gone", async () => {
    await using running = await startCollector({ receivers: { otlp_http: { max_in_flight: "1KiB" } } });
    const held = Promise.withResolvers<{ status: "ok" }>();
    running.bus.answer = held.promise;
    const body = encodeLogs([log("x".repeat(600))]);
    const first = post(running.http, "logs", body);
    await until(() => running.bus.messages.length === 1);
    const second = await post(running.http, "logs", body, PROTOBUF);
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, "1"]);
    held.resolve({ status: "ok" });
    expect((await first).status).toBe(200);
    expect((await post(running.http, "logs", body)).status).toBe(200);
  });

  test("for good is 400 with the reason", async () => {
    await using running = await startCollector();
    running.bus.answer = { status: "permanent", error: "larger than the bus" };
    const response = await post(
      running.http,
      "logs",
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}] }] }] }),
      JSON_TYPE,
    );
    expect([response.status, await response.json()]).toEqual([400, { code: 3, message: "larger than the bus" }]);
    expect(running.collector.rejects()).toMatchObject([{ reason: "larger than the bus" }]);
  });
});

describe("CORS", () => {
  const preflight = (http: string, origin: string) =>
    fetch(`${http}/v1/traces`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-tenant",
      },
    });

  test.each(["http://localhost:5173", "https://127.0.0.1", "http://[::1]:8080", "http://app.localhost:3000"])(
    "lets %s send",
    async (origin) => {
      await using running = await startCollector();
      const response = await preflight(running.http, origin);
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-allow-headers")).toBe("content-type,x-tenant");
      const sent = await post(running.http, "traces", requests.traces, { ...PROTOBUF, origin });
      expect(sent.headers.get("access-control-allow-origin")).toBe(origin);
    },
  );

  test.each(["http://evil.example", "http://localhost.evil.example", "null"])("does not let %s", async (origin) => {
    await using running = await startCollector();
    expect((await preflight(running.http, origin)).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("lets origins that are configured", async () => {
    await using running = await startCollector({
      receivers: { otlp_http: { cors_origins: ["https://shop.example"] } },
    });
    expect((await preflight(running.http, "https://shop.example")).headers.get("access-control-allow-origin")).toBe(
      "https://shop.example",
    );
  });
});

describe("a client that misbehaves", () => {
  const head = (length: number) =>
    `POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

  test("and hangs up inside the body costs nothing but a note", async () => {
    await using running = await startCollector({ receivers: { otlp_http: { max_in_flight: "1KiB" } } });
    const socket = connect(Number(new URL(running.http).port), "127.0.0.1");
    socket.write(`${head(1000)}{"resource`);
    await once(socket, "connect");
    await until(async () => (await post(running.http, "logs", "x".repeat(500), JSON_TYPE)).status === 429);
    socket.destroy();
    await until(() =>
      running.collector.rejects().some(({ reason }) => reason === "the client closed the connection inside the body"),
    );
    expect((await post(running.http, "logs", requests.logs)).status).toBe(200);
  });

  test("and sends its body too slowly is cut off", async () => {
    await using running = await startCollector({ receivers: { otlp_http: { read_timeout: "500ms" } } });
    const socket = connect(Number(new URL(running.http).port), "127.0.0.1");
    socket.write(`${head(1000)}{`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    await once(socket, "close");
  });
});

describe("stop", () => {
  test("answers what runs, refuses what comes on open connections, and leaves nothing open", async () => {
    const running = await startCollector();
    const held = Promise.withResolvers<{ status: "ok" }>();
    running.bus.answer = held.promise;
    const first = post(running.http, "logs", requests.logs);
    await until(() => running.bus.messages.length === 1);
    const stopping = running.collector.stop();
    await expect(post(running.http, "logs", requests.logs)).rejects.toThrow("fetch failed");
    held.resolve({ status: "ok" });
    const response = await first;
    expect([response.status, response.headers.get("connection")]).toEqual([200, "close"]);
    await stopping;
    await running.collector.stop();
  });

  test("cuts off what does not end within the drain timeout", async () => {
    const running = await startCollector({ receivers: { otlp_http: { drain_timeout: "50ms" } } });
    running.bus.answer = new Promise(() => {});
    const first = post(running.http, "logs", requests.logs);
    const failed = expect(first).rejects.toThrow("fetch failed");
    await until(() => running.bus.messages.length === 1);
    await running.collector.stop();
    await failed;
  });
});

test("a port that is taken is an error that names it and the flag", async () => {
  await using running = await startCollector();
  const { port } = new URL(running.http);
  await expect(startCollector({ receivers: { otlp_http: { port: Number(port) } } })).rejects.toThrow(
    `port ${port} for OTLP/HTTP is taken on 127.0.0.1; stop the process that listens there or choose another with --otlp-http-port`,
  );
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(condition, { timeout: 5000, interval: 5 }).toBe(true);
}

function randomText(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += ((i * 2_654_435_761) >>> 0).toString(36);
  return text.slice(0, length);
}
