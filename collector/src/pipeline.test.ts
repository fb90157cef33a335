import { createSelfMetrics } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { expect, test } from "vitest";
import { Accounts } from "./accounts.ts";
import type { Consumer, Exporter, Outcome, Processor } from "./component.ts";
import { Payload } from "./payload.ts";
import { Pipeline } from "./pipeline.ts";
import { RejectList } from "./rejects.ts";
import { log } from "./testing/records.ts";

const payload = (...bodies: string[]) => Payload.ofBatch({ signal: "logs", records: bodies.map((body) => log(body)) });
const ok: Outcome = { status: "ok" };

function setUp(parts: { processors?: ((next: Consumer) => Processor)[]; consume?: Consumer["consume"] } = {}) {
  const happened: string[] = [];
  const exporter = (name: string, consume: Consumer["consume"]): Exporter => ({
    name,
    start: async () => void happened.push(`start ${name}`),
    stop: async () => void happened.push(`stop ${name}`),
    consume: (payload) => {
      happened.push(`${name} ${payload.records}`);
      return consume(payload);
    },
  });
  const accounts = new Accounts(createSelfMetrics("test"));
  const rejects = new RejectList();
  const pipeline = new Pipeline({
    accounts,
    rejects,
    logger: silentLogger,
    now: () => 7,
    processors: parts.processors ?? [],
    main: exporter("main", parts.consume ?? (async () => ok)),
    tees: [exporter("tee", async () => ({ status: "permanent", error: "the tee is broken" }))],
  });
  const logs = () => accounts.list()[0];
  return { pipeline, rejects, happened, logs, exporter };
}

test("what the main exporter takes goes to the tees, which have no say", async () => {
  const { pipeline, happened, logs } = setUp();
  expect(await pipeline.accept(payload("a", "b"), "test")).toEqual(ok);
  expect(happened).toEqual(["main 2", "tee 2"]);
  expect(logs()).toEqual({ signal: "logs", received: 2, rejected: {}, queued: 0, written: 2, dropped: {} });
});

test("what the main exporter refuses goes to no tee", async () => {
  const outcomes: Outcome[] = [
    { status: "retry", afterMs: 5, error: "full" },
    { status: "permanent", error: "too large" },
  ];
  const { pipeline, happened, logs, rejects } = setUp({ consume: async () => outcomes.shift() ?? ok });
  expect(await pipeline.accept(payload("a"), "test")).toMatchObject({ status: "retry" });
  expect(await pipeline.accept(payload("b", "c"), "test")).toMatchObject({ status: "permanent" });
  expect(happened).toEqual(["main 1", "main 2"]);
  expect(logs()).toMatchObject({ received: 3, rejected: { pushed_back: 1, refused: 2 }, written: 0 });
  expect(rejects.list()).toMatchObject([{ at: 7, source: "test", reason: "too large" }]);
});

test("records are queued until the outcome is known, and the sums agree at every moment", async () => {
  const held = Promise.withResolvers<Outcome>();
  const { pipeline, logs } = setUp({ consume: () => held.promise });
  const accepted = pipeline.accept(payload("a", "b"), "test", { records: 1, reason: "bad", message: "1 was bad" });
  expect(logs()).toEqual({ signal: "logs", received: 3, rejected: {}, queued: 2, written: 0, dropped: { bad: 1 } });
  held.resolve({ status: "ok", dropped: { records: 1, reason: "old", message: "1 was old" } });
  expect(await accepted).toEqual({
    status: "ok",
    dropped: { records: 2, reason: "bad", message: "1 was bad; 1 was old" },
  });
  expect(logs()).toEqual({
    signal: "logs",
    received: 3,
    rejected: {},
    queued: 0,
    written: 1,
    dropped: { bad: 1, old: 1 },
  });
});

test("a part that throws makes the sender try again", async () => {
  const { pipeline, logs } = setUp({
    consume: async () => {
      throw new Error("a bug");
    },
  });
  expect(await pipeline.accept(payload("a"), "test")).toEqual({ status: "retry", afterMs: 1000, error: "a bug" });
  expect(logs()).toMatchObject({ received: 1, rejected: { pushed_back: 1 }, queued: 0 });
});

test("processors run in order; exporters start first and stop last", async () => {
  const order: string[] = [];
  const processor =
    (name: string) =>
    (next: Consumer): Processor => ({
      name,
      start: async () => void order.push(`start ${name}`),
      stop: async () => void order.push(`stop ${name}`),
      consume: (payload) => {
        order.push(name);
        return next.consume(payload);
      },
    });
  const { pipeline, happened } = setUp({ processors: [processor("one"), processor("two")] });
  await pipeline.start();
  await pipeline.accept(payload("a"), "test");
  await pipeline.stop();
  expect(order).toEqual(["start two", "start one", "one", "two", "stop one", "stop two"]);
  expect(happened).toEqual(["start main", "start tee", "main 1", "tee 1", "stop tee", "stop main"]);
});

test("the list of rejects keeps the newest 200", () => {
  const { pipeline, rejects, logs } = setUp();
  for (let i = 0; i < 205; i++) {
    pipeline.reject({ at: i, signal: "logs", source: "test", reason: "bad", bytes: 0, excerpt: "" });
  }
  expect(rejects.list().map(({ at }) => at)).toEqual(Array.from({ length: 200 }, (_, i) => 204 - i));
  expect(logs()).toMatchObject({ received: 205, rejected: { malformed: 205 } });
});
