import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SendResult } from "../bus.ts";
import { UnacceptableError, type OutgoingRecord, type ProducerDriver } from "./driver.ts";
import { createKafkaBusMetrics } from "./metrics.ts";
import { Spool, SpoolBudget } from "./spool.ts";
import { TopicLane, type TopicLaneOptions } from "./topic-lane.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "topic-lane-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A broker that does as it is told. */
class Broker {
  state: "up" | "down" | "silent" = "up";
  readonly batches: string[][] = [];
  readonly unacceptable = new Set<string>();
  connections = 0;
  open = 0;

  get texts(): string[] {
    return this.batches.flat();
  }

  connect = async (): Promise<ProducerDriver> => {
    if (this.state === "down") throw new Error("connect ECONNREFUSED");
    this.connections++;
    this.open++;
    return { send: (_topic, records) => this.#take(records), close: async () => void this.open-- };
  };

  async #take(records: readonly OutgoingRecord[]): Promise<void> {
    const texts = records.map(({ value }) => Buffer.from(value).toString());
    await turn();
    if (this.state === "silent") return new Promise(() => {});
    if (this.state === "down") throw new Error("socket hang up");
    if (texts.some((text) => this.unacceptable.has(text))) throw new UnacceptableError("MESSAGE_TOO_LARGE");
    this.batches.push(texts);
  }
}

async function setUp(options: Partial<TopicLaneOptions> = {}, maxSpoolBytes = 1_000_000) {
  const clock = new ManualClock(1_000_000);
  const registry = new Registry();
  const broker = new Broker();
  const budget = new SpoolBudget(maxSpoolBytes);
  const spool = new Spool({ dir, budget, segmentBytes: 10_000, logger: silentLogger });
  await spool.open();
  const lost: string[] = [];
  const lane = new TopicLane({
    topic: "otlp_logs",
    kafkaTopic: "otlp_logs",
    spool,
    inFlight: { maxBytes: 1000, bytes: 0 },
    connect: broker.connect,
    maxBatchBytes: 1000,
    sendTimeoutMs: 4000,
    clock,
    logger: silentLogger,
    metrics: createKafkaBusMetrics(registry, { inFlightBytes: () => 0, spoolBytes: () => budget.used }),
    random: () => 0.5,
    onUnacceptable: ({ record }) => void lost.push(Buffer.from(record.value).toString()),
    ...options,
  });
  lane.start();
  const send = (text: string) => {
    const sent: { text: string; result: SendResult | undefined } = { text, result: undefined };
    void lane
      .send({ record: { key: "sms", value: Buffer.from(text), headers: {} }, records: 1 })
      .then((result) => (sent.result = result));
    return sent;
  };
  /** Lets files and promises go on while time stands still, or passes bit by bit. */
  const until = async (holds: () => boolean, stepMs = 0) => {
    const deadline = performance.now() + 10_000;
    while (!holds() && performance.now() < deadline) {
      await clock.advance(stepMs);
      await turn();
    }
    expect(holds()).toBe(true);
  };
  return { lane, broker, spool, budget, send, until, clock, lost };
}

const OK = { status: "ok" };

test("what comes while a batch is under way is the next batch", async () => {
  const { lane, broker, send, until } = await setUp();
  const first = [send("a"), send("b")];
  await until(() => broker.open === 1);
  const second = [send("c"), send("d")];
  await until(() => [...first, ...second].every(({ result }) => result));
  expect(broker.batches).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  expect(broker.connections).toBe(1);
  await lane.stop();
  expect(broker.open).toBe(0);
});

test("tries again with a new producer, since the broker may have the batch", async () => {
  const { lane, broker, send, until } = await setUp();
  const first = send("a");
  await until(() => first.result !== undefined);
  broker.state = "down";
  const second = send("b");
  await until(() => broker.open === 0);
  broker.state = "up";
  await until(() => second.result !== undefined, 100);
  expect(second.result).toEqual(OK);
  expect(broker.texts).toEqual(["a", "b"]);
  expect(broker.connections).toBe(2);
  await lane.stop();
});

test("spools while the broker is away, acknowledges, and sends it all in order when it is back", async () => {
  const { lane, broker, spool, budget, send, until } = await setUp();
  broker.state = "down";
  const early = ["a", "b", "c"].map(send);
  await until(() => early.every(({ result }) => result), 100);
  expect(early.map(({ result }) => result)).toEqual([OK, OK, OK]);
  expect(budget.used).toBeGreaterThan(0);
  const late = Array.from({ length: 30 }, (_, i) => send(`late ${i}`));
  await until(() => late.every(({ result }) => result));
  expect(broker.texts).toEqual([]);

  broker.state = "up";
  await until(() => spool.isEmpty, 100);
  expect(broker.texts).toEqual(["a", "b", "c", ...late.map(({ text }) => text)]);
  const after = send("after");
  await until(() => after.result !== undefined);
  expect(broker.texts.at(-1)).toBe("after");
  expect(budget.used).toBe(0);
  await lane.stop();
});

test("spools when the broker takes the connection and says nothing", async () => {
  const { lane, broker, send, until } = await setUp();
  broker.state = "silent";
  const sent = send("a");
  await until(() => sent.result !== undefined, 100);
  expect(sent.result).toEqual(OK);
  broker.state = "up";
  await until(() => broker.texts.length === 1, 100);
  await lane.stop();
});

test("pushes back when the spool is full, and loses nothing that it acknowledged", async () => {
  const { lane, broker, spool, send, until } = await setUp({}, 400);
  broker.state = "down";
  const sent = Array.from({ length: 12 }, (_, i) => send(`message ${i}`));
  await until(() => sent.every(({ result }) => result), 100);
  const taken = sent.filter(({ result }) => result?.status === "ok").map(({ text }) => text);
  expect(taken.length).toBeGreaterThan(2);
  expect(taken.length).toBeLessThan(12);
  expect(sent.at(-1)?.result).toEqual({
    status: "retry",
    afterMs: 2000,
    error: "Kafka is away and the spool is full",
  });
  broker.state = "up";
  await until(() => spool.isEmpty, 100);
  expect(broker.texts).toEqual(taken);
  await lane.stop();
});

test("pushes back when too many bytes wait", async () => {
  const { lane, broker, send, until } = await setUp();
  broker.state = "silent";
  send("x".repeat(900));
  const second = send("x".repeat(101));
  await until(() => second.result !== undefined);
  expect(second.result).toEqual({ status: "retry", afterMs: 2000, error: "900 bytes wait for Kafka already" });
  const stopped = lane.stop();
  await until(() => broker.open === 0, 100);
  await stopped;
});

test("finds the one message of a batch that the broker does not take", async () => {
  const { lane, broker, send, until } = await setUp();
  broker.unacceptable.add("bad");
  const sent = ["a", "bad", "b"].map(send);
  await until(() => sent.every(({ result }) => result), 100);
  expect(sent.map(({ result }) => result)).toEqual([OK, { status: "permanent", error: "MESSAGE_TOO_LARGE" }, OK]);
  expect(broker.texts).toEqual(["a", "b"]);
  await lane.stop();
});

test("says what it has to drop out of the spool because the broker will never take it", async () => {
  const { lane, broker, spool, send, until, lost } = await setUp();
  broker.state = "down";
  const sent = ["a", "bad", "b"].map(send);
  await until(() => sent.every(({ result }) => result), 100);
  broker.unacceptable.add("bad");
  broker.state = "up";
  await until(() => spool.isEmpty, 100);
  expect(broker.texts).toEqual(["a", "b"]);
  expect(lost).toEqual(["bad"]);
  await lane.stop();
});

test("what still waits when it stops goes to the spool, and from there to the broker after the next start", async () => {
  const { lane, broker, send, until, budget, clock } = await setUp();
  broker.state = "silent";
  const first = send("a");
  await until(() => broker.open === 1);
  const second = send("b");
  const stopped = lane.stop();
  await until(() => first.result !== undefined && second.result !== undefined, 100);
  await stopped;
  expect([first.result, second.result]).toEqual([OK, OK]);
  expect(budget.used).toBeGreaterThan(0);
  expect(clock.pending).toBe(0);

  const next = await setUp();
  await next.until(() => next.spool.isEmpty, 100);
  expect(next.broker.texts).toEqual(["a", "b"]);
  expect(await next.lane.stop()).toBeUndefined();
  expect(next.send("late").result).toBeUndefined();
});
