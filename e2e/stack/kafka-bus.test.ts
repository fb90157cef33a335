import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createKafkaBus, KafkaBusConfig, type BusMessage, type DeadLetter, type KafkaBus } from "@tocsin/bus";
import { createLogger, Registry, systemClock } from "@tocsin/platform";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { busContract } from "../../bus/src/testing/bus-contract.ts";
import { startKafka, type KafkaBroker } from "../support/kafka.ts";

const logger = createLogger({ level: process.env["TOCSIN_TEST_LOG"] ? "debug" : "silent" });
const DRIVERS = ["kafkajs", "platformatic"] as const;
const COMBINATIONS = DRIVERS.flatMap((producer) => DRIVERS.map((consumer) => ({ producer, consumer })));

let kafka: KafkaBroker;
let dir: string;
let buses: KafkaBus[] = [];
beforeAll(async () => {
  kafka = await startKafka();
}, 180_000);
afterAll(() => kafka.stop());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kafka-bus-"));
});
afterEach(async () => {
  await Promise.all(buses.map((bus) => bus.stop()));
  buses = [];
  await rm(dir, { recursive: true, force: true });
});

type Config = Parameters<typeof KafkaBusConfig.parse>[0] & object;

async function open(config: Config, dataDir = dir): Promise<KafkaBus> {
  const parsed = KafkaBusConfig.parse({ brokers: kafka.brokers, lag_interval: "1h", ...config });
  const bus = createKafkaBus(parsed, { clock: systemClock, logger, registry: new Registry(), dataDir });
  buses.push(bus);
  await bus.start();
  return bus;
}

const few = { partitions: 2 };
const fewPartitions = { otlp_logs: few, otlp_spans: few, otlp_metrics: few };
const freshPrefix = () => `t${randomUUID().slice(0, 8)}_`;

/** Waits for a condition that comes true by itself. */
async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(50);
  }
}

const caughtUp = async (bus: KafkaBus) => {
  try {
    return bus.spoolBytes() === 0 && (await bus.lag()).every(({ records }) => records === 0);
  } catch {
    return false;
  }
};

describe.each(COMBINATIONS)("produced by $producer, consumed by $consumer", (drivers) => {
  test.each(busContract)("$title", async ({ run }) => {
    const bus = await open({ ...drivers, topic_prefix: freshPrefix(), topics: fewPartitions });
    await bus.deadLetters.start();
    const letters = (): DeadLetter[] =>
      bus.deadLetters
        .list()
        .map(({ excerpt, bytes: _bytes, records: _records, ...head }) => ({ ...head, value: excerpt }));
    let expected = 0;
    await run({
      producer: bus,
      consumer: bus,
      deadLetters: letters,
      async pass(ms) {
        await pause(Math.min(ms, 100));
        // The longer waits of the contract stand for "until it is through".
        if (ms >= 1000) await until("all consumed", () => caughtUp(bus));
        const set = bus.deadLetters.records("otlp_logs");
        if (set > expected) await until("dead letters listed", () => letters().length > 0);
        expected = set;
      },
    });
  });
});

export type { BusMessage };
