import { Client, credentials, Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { createServer } from "node:net";
import { encodeLogs, encodeTraces, type Signal } from "@tocsin/model";
import { describe, expect, test } from "vitest";
import { log, requests, span } from "../../testing/records.ts";
import { startCollector } from "../../testing/start-collector.ts";

const PATHS: Record<Signal, string> = {
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};
const same = (bytes: Buffer) => bytes;

/** Sends bytes as a gRPC client would; resolves with the answer or the error. */
async function call(
  address: string,
  signal: Signal,
  bytes: Uint8Array,
  options: object = {},
): Promise<Buffer | ServiceError> {
  const client = new Client(address, credentials.createInsecure(), options);
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(PATHS[signal], same, same, Buffer.from(bytes), new Metadata(), (error, answer) =>
        resolve(error ?? (answer as Buffer)),
      );
    });
  } finally {
    client.close();
  }
}

describe("a good request", () => {
  test.each(["logs", "traces", "metrics"] as const)("of %s reaches the bus byte for byte", async (signal) => {
    await using running = await startCollector();
    expect(await call(running.grpc, signal, requests[signal])).toEqual(Buffer.alloc(0));
    expect(running.bus.messages.map(({ value }) => new Uint8Array(value))).toEqual([requests[signal]]);
  });

  test("zipped is unzipped", async () => {
    await using running = await startCollector();
    const bytes = encodeLogs([log("x".repeat(5000))]);
    await call(running.grpc, "logs", bytes, { "grpc.default_compression_algorithm": 2 });
    expect(running.bus.logs).toMatchObject([{ body: "x".repeat(5000) }]);
  });

  test("with a span that lacks its ids is a partial success", async () => {
    await using running = await startCollector();
    const answer = await call(running.grpc, "traces", encodeTraces([span("a"), span("b", { spanId: "" })]));
    const message = '1 spans have no trace id or no span id, the first is "b"';
    expect(answer).toEqual(
      Buffer.from([0x0a, message.length + 4, 0x08, 1, 0x12, message.length, ...Buffer.from(message)]),
    );
    expect(running.bus.spans.map(({ name }) => name)).toEqual(["a"]);
  });
});

describe("refusals", () => {
  test("malformed bytes are INVALID_ARGUMENT with the place", async () => {
    await using running = await startCollector();
    const error = await call(running.grpc, "traces", Uint8Array.of(0x0a, 2, 0x12));
    const reason = "resource_spans[0]: length 2 is beyond the end of the message (1 bytes left) (at byte 1 of 3)";
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: reason });
    expect(running.collector.rejects()).toMatchObject([{ signal: "traces", source: "otlp_grpc", reason }]);
  });

  test("a message beyond the limit is RESOURCE_EXHAUSTED", async () => {
    await using running = await startCollector({ receivers: { otlp_grpc: { max_body: "1KiB" } } });
    const error = await call(running.grpc, "logs", new Uint8Array(2000));
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  test("the bus' push-back is UNAVAILABLE with a RetryInfo", async () => {
    await using running = await startCollector();
    running.bus.answer = { status: "retry", afterMs: 1500, error: "the bus is full" };
    const error = (await call(running.grpc, "logs", requests.logs)) as ServiceError;
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "the bus is full" });
    const [detail] = error.metadata.get("grpc-status-details-bin") as [Buffer];
    const type = "type.googleapis.com/google.rpc.RetryInfo";
    // retry_delay { seconds: 1 nanos: 500_000_000 }
    const delay = [0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
    const info = [0x0a, delay.length, ...delay];
    const any = [0x0a, type.length, ...Buffer.from(type), 0x12, info.length, ...info];
    const expected = [0x08, 14, 0x12, 15, ...Buffer.from("the bus is full"), 0x1a, any.length, ...any];
    expect([...detail]).toEqual(expected);
  });

  test("too many bytes in flight are RESOURCE_EXHAUSTED with a RetryInfo", async () => {
    await using running = await startCollector({ receivers: { otlp_grpc: { max_in_flight: "1KiB" } } });
    const held = Promise.withResolvers<{ status: "ok" }>();
    running.bus.answer = held.promise;
    const bytes = encodeLogs([log("x".repeat(600))]);
    const first = call(running.grpc, "logs", bytes);
    await expect.poll(() => running.bus.messages.length).toBe(1);
    const error = (await call(running.grpc, "logs", bytes)) as ServiceError;
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.metadata.get("grpc-status-details-bin").toString()).toContain("google.rpc.RetryInfo");
    held.resolve({ status: "ok" });
    expect(await first).toEqual(Buffer.alloc(0));
  });
});

describe("stop", () => {
  test("ends running requests first", async () => {
    const running = await startCollector();
    const held = Promise.withResolvers<{ status: "ok" }>();
    running.bus.answer = held.promise;
    const first = call(running.grpc, "logs", requests.logs);
    await expect.poll(() => running.bus.messages.length).toBe(1);
    const stopping = running.collector.stop();
    held.resolve({ status: "ok" });
    expect(await first).toEqual(Buffer.alloc(0));
    await stopping;
  });

  test("cuts off what does not end within the drain timeout", async () => {
    const running = await startCollector({ receivers: { otlp_grpc: { drain_timeout: "50ms" } } });
    running.bus.answer = new Promise(() => {});
    const first = call(running.grpc, "logs", requests.logs);
    await expect.poll(() => running.bus.messages.length).toBe(1);
    await running.collector.stop();
    expect(await first).toMatchObject({ code: expect.any(Number) as number });
  });
});

test("a port that is taken is an error that names it and the flag", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const { port } = blocker.address() as { port: number };
  await expect(startCollector({ receivers: { otlp_grpc: { port } } })).rejects.toThrow(
    `port ${port} for OTLP/gRPC is taken on 127.0.0.1; stop the process that listens there or choose another with --otlp-grpc-port`,
  );
  blocker.close();
});
