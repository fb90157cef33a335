import assert from "node:assert/strict";
import type { BusConsumer, BusMessage, BusProducer, DeadLetter } from "../bus.ts";

/** A bus under test. The contract runs each case on a fresh one. */
interface BusHarness {
  producer: BusProducer;
  consumer: BusConsumer;
  /** What the bus has set aside so far. */
  deadLetters(): readonly DeadLetter[];
  /** Lets that much time pass for the bus: a manual clock advances, a broker is waited for. */
  pass(ms: number): Promise<void>;
}

export interface ContractCase {
  title: string;
  run(bus: BusHarness): Promise<void>;
}

const message = (text: string, key = "sms"): BusMessage => ({
  topic: "otlp_logs",
  key,
  value: new TextEncoder().encode(text),
  records: 1,
});
const textOf = (received: BusMessage) => new TextDecoder().decode(received.value);

/** What every driver of the bus promises. Its own test runs `test.each(busContract)` over it. */
export const busContract: readonly ContractCase[] = [
  {
    title: "gives a message, whole, to every group of its topic and to no other topic's",
    async run(bus) {
      const seen: string[] = [];
      for (const group of ["writer", "tail"]) {
        bus.consumer.subscribe("otlp_logs", group, async (received) => {
          seen.push(`${group} ${received.key} ${received.records} ${textOf(received)}`);
          return { status: "ok" };
        });
      }
      bus.consumer.subscribe("otlp_spans", "writer", async () => {
        seen.push("wrong topic");
        return { status: "ok" };
      });
      assert.deepEqual(await settle(bus, bus.producer.send(message("a"))), { status: "ok" });
      await bus.pass(1000);
      assert.deepEqual(seen.sort(), ["tail sms 1 a", "writer sms 1 a"]);
    },
  },
  {
    title: "gives a message again to the group that failed on it",
    async run(bus) {
      const attempts: string[] = [];
      bus.consumer.subscribe("otlp_logs", "writer", async (received) => {
        attempts.push(textOf(received));
        if (attempts.length < 3) throw new Error("the disk is full");
        return { status: "ok" };
      });
      assert.deepEqual(await settle(bus, bus.producer.send(message("a"))), { status: "ok" });
      await bus.pass(5000);
      assert.deepEqual(attempts, ["a", "a", "a"]);
    },
  },
  {
    title: "sets poison aside with its reason, and the rest flows on",
    async run(bus) {
      const written: string[] = [];
      bus.consumer.subscribe("otlp_logs", "writer", async (received) => {
        if (textOf(received) === "bad") return { status: "poison", reason: "not a log" };
        written.push(textOf(received));
        return { status: "ok" };
      });
      for (const text of ["a", "bad", "b"]) {
        assert.deepEqual(await settle(bus, bus.producer.send(message(text))), { status: "ok" });
      }
      await bus.pass(1000);
      assert.deepEqual(written, ["a", "b"]);
      const [letter, ...others] = bus.deadLetters();
      assert.deepEqual(others, []);
      assert.equal(letter?.reason, "not a log");
      assert.equal(letter?.topic, "otlp_logs");
      assert.equal(letter?.group, "writer");
      assert.equal(letter && new TextDecoder().decode(letter.value), "bad");
    },
  },
  {
    title: "keeps the order of one key",
    async run(bus) {
      const seen: string[] = [];
      bus.consumer.subscribe("otlp_logs", "writer", async (received) => {
        seen.push(textOf(received));
        return { status: "ok" };
      });
      const texts = Array.from({ length: 20 }, (_, i) => String(i));
      await settle(bus, Promise.all(texts.map((text) => bus.producer.send(message(text)))));
      await bus.pass(1000);
      assert.deepEqual(seen, texts);
    },
  },
];

/** Waits for the bus' answer while time passes. */
async function settle<T>(bus: BusHarness, answer: Promise<T>): Promise<T> {
  const state = { done: false };
  const settled = answer.finally(() => (state.done = true));
  for (let i = 0; i < 100 && !state.done; i++) await bus.pass(100);
  return settled;
}
