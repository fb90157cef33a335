import { createSelfMetrics } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { describe, expect, test } from "vitest";
import type { BusMessage, ConsumeResult, DeadLetter, SendResult } from "./bus.ts";
import { createMemoryBus, type MemoryBusOptions } from "./memory-bus.ts";
import { busContract } from "./testing/bus-contract.ts";

function setUp(options: Partial<MemoryBusOptions> = {}) {
  const clock = new ManualClock(1_000_000);
  const registry = createSelfMetrics("test");
  const letters: DeadLetter[] = [];
  const deadLetters = { add: async (letter: DeadLetter) => void letters.push(letter) };
  const bus = createMemoryBus({ clock, registry, logger: silentLogger, deadLetters, random: () => 0.5, ...options });
  return { bus, clock, registry, letters };
}

const message = (bytes = 10): BusMessage => ({
  topic: "otlp_logs",
  key: "sms",
  value: new Uint8Array(bytes),
  records: 3,
});
const ok = async (): Promise<ConsumeResult> => ({ status: "ok" });

/** A handler that answers when told to. */
function held() {
  const { promise, resolve, reject } = Promise.withResolvers<ConsumeResult>();
  return { handler: () => promise, finish: () => resolve({ status: "ok" }), fail: reject };
}

function watch(answer: Promise<SendResult>): { result: SendResult | undefined } {
  const watched: { result: SendResult | undefined } = { result: undefined };
  void answer.then((result) => (watched.result = result));
  return watched;
}

describe("the contract of a bus", () => {
  test.each(busContract)("$title", async ({ run }) => {
    const { bus, clock, letters } = setUp();
    await run({ producer: bus, consumer: bus, deadLetters: () => letters, pass: (ms) => clock.advance(ms) });
  });
});

test("says ok only when the last group has written", async () => {
  const { bus, clock } = setUp();
  const slow = held();
  bus.subscribe("otlp_logs", "writer", slow.handler);
  bus.subscribe("otlp_logs", "tail", ok);
  const sent = watch(bus.send(message()));
  await clock.advance(100);
  expect(sent.result).toBeUndefined();
  expect(bus.inFlightRecords("otlp_logs")).toBe(3);
  slow.finish();
  await clock.advance(0);
  expect(sent.result).toEqual({ status: "ok" });
  expect(bus.inFlightRecords("otlp_logs")).toBe(0);
});

test("pushes back when the bytes in flight would pass the limit, and takes more when they are written", async () => {
  const { bus, clock, registry } = setUp({ maxInFlightBytes: 100 });
  const slow = held();
  bus.subscribe("otlp_logs", "writer", slow.handler);
  const first = watch(bus.send(message(60)));
  await expect(bus.send(message(41))).resolves.toEqual({
    status: "retry",
    afterMs: 1000,
    error: "the bus is full: 60 bytes are not written yet",
  });
  const second = watch(bus.send(message(40)));
  slow.finish();
  await clock.advance(0);
  expect([first.result, second.result]).toEqual([{ status: "ok" }, { status: "ok" }]);
  const refused = await registry.getSingleMetric("tocsin_bus_refused_total")?.get();
  expect(refused?.values).toEqual([{ labels: { topic: "otlp_logs", reason: "full" }, value: 1 }]);
});

test("never takes a message larger than the whole bus", async () => {
  const { bus } = setUp({ maxInFlightBytes: 100 });
  bus.subscribe("otlp_logs", "writer", ok);
  await expect(bus.send(message(101))).resolves.toMatchObject({ status: "permanent" });
});

test("answers retry when a group keeps failing for the send timeout", async () => {
  const { bus, clock } = setUp({ sendTimeoutMs: 2000 });
  let attempts = 0;
  bus.subscribe("otlp_logs", "writer", async () => {
    attempts++;
    throw new Error("no space left");
  });
  const sent = watch(bus.send(message()));
  await clock.advance(2000);
  expect(sent.result).toEqual({ status: "retry", afterMs: 1000, error: "writer: no space left" });
  // At 0, 50, 150, 350, 750 and 1550 ms; the next pause would end after the timeout.
  expect(attempts).toBe(6);
});

test("answers retry when a group hangs, and still counts its bytes", async () => {
  const { bus, clock } = setUp({ sendTimeoutMs: 2000, maxInFlightBytes: 15 });
  const slow = held();
  bus.subscribe("otlp_logs", "writer", slow.handler);
  const sent = watch(bus.send(message(10)));
  await clock.advance(2000);
  expect(sent.result).toEqual({ status: "retry", afterMs: 1000, error: "timeout: a writer does not answer" });
  await expect(bus.send(message(10))).resolves.toMatchObject({ status: "retry" });
  slow.finish();
  await clock.advance(0);
  await expect(bus.send(message(10))).resolves.toEqual({ status: "ok" });
  expect(clock.pending).toBe(0);
});

test("does not claim to have what nothing consumes", async () => {
  const { bus } = setUp();
  await expect(bus.send(message())).resolves.toEqual({
    status: "retry",
    afterMs: 1000,
    error: "nothing consumes otlp_logs yet",
  });
});

test("a group subscribes to a topic once", () => {
  const { bus } = setUp();
  bus.subscribe("otlp_logs", "writer", ok);
  expect(() => bus.subscribe("otlp_logs", "writer", ok)).toThrow("group writer has subscribed to otlp_logs already");
});

describe("stop", () => {
  test("waits for what is in flight and takes nothing more", async () => {
    const { bus, clock } = setUp();
    const slow = held();
    bus.subscribe("otlp_logs", "writer", slow.handler);
    const sent = watch(bus.send(message()));
    let stopped = false;
    const stopping = bus.stop().then(() => (stopped = true));
    await clock.advance(10);
    expect(stopped).toBe(false);
    await expect(bus.send(message())).resolves.toMatchObject({ status: "retry", error: "the bus is stopping" });
    slow.finish();
    await stopping;
    expect(sent.result).toEqual({ status: "ok" });
    expect(clock.pending).toBe(0);
  });

  test("gives up on a handler that hangs after two seconds", async () => {
    const { bus, clock } = setUp();
    bus.subscribe("otlp_logs", "writer", held().handler);
    const sent = watch(bus.send(message()));
    const stopping = bus.stop();
    await clock.advance(2000);
    await stopping;
    await clock.advance(3000);
    expect(sent.result).toMatchObject({ status: "retry" });
    expect(clock.pending).toBe(0);
  });

  test("is safe without start and twice", async () => {
    const { bus } = setUp();
    await bus.stop();
    await bus.stop();
  });
});
