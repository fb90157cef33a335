import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import { createKafkaBus, KafkaBusConfig, type BusMessage, type DeadLetter, type KafkaBus } from "@tocsin/bus";
import { decodeLogs, encodeLogs, logsFromJson } from "@tocsin/model";
import { createLogger, Registry, systemClock } from "@tocsin/platform";
import kafkajs from "kafkajs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import { busContract } from "../../bus/src/testing/bus-contract.ts";
import { startKafka, type KafkaBroker } from "../support/kafka.ts";
import { startSecureKafka, type SecureKafka } from "../support/secure-kafka.ts";

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

type Config = z.input<typeof KafkaBusConfig>;

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
    // The contract counts deliveries, and a batch that is given up on a busy machine is sent twice.
    const bus = await open({ ...drivers, topic_prefix: freshPrefix(), topics: fewPartitions, send_timeout: "30s" });
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

const message = (text: string, key = "sms"): BusMessage => ({
  topic: "otlp_logs",
  key,
  value: new TextEncoder().encode(text),
  records: 1,
});
const textOf = ({ value }: BusMessage) => new TextDecoder().decode(value);

/** Sends numbered messages over five keys until told to stop; keeps what was acknowledged. */
function startLoad(bus: KafkaBus) {
  const acknowledged = new Set<string>();
  const load = { acknowledged, sent: 0, refused: 0, running: true };
  const worker = async (key: string) => {
    for (let i = 0; load.running; i++) {
      const text = `${key} ${i}`;
      load.sent++;
      // A refused message is sent again, as an OTLP client does.
      while ((await bus.send(message(text, key))).status !== "ok") {
        load.refused++;
        await pause(100);
      }
      acknowledged.add(text);
      await pause(2);
    }
  };
  const workers = Promise.all(["a", "b", "c", "d", "e"].map(worker));
  return Object.assign(load, {
    async stop() {
      load.running = false;
      await workers;
    },
  });
}

/** What the writer saw, in the order of the first time. */
class Seen {
  readonly texts: string[] = [];
  readonly #known = new Set<string>();
  deliveries = 0;

  readonly handler = async (received: BusMessage) => {
    const text = textOf(received);
    this.deliveries++;
    if (!this.#known.has(text)) this.texts.push(text);
    this.#known.add(text);
    return { status: "ok" } as const;
  };

  lacks(texts: Iterable<string>): string[] {
    return [...texts].filter((text) => !this.#known.has(text));
  }

  /** Keys whose messages were first seen in another order than they were sent in. */
  outOfOrder(): string[] {
    const last = new Map<string, number>();
    return this.texts.filter((text) => {
      const [key = "", i = ""] = text.split(" ");
      const isLate = Number(i) < (last.get(key) ?? -1);
      last.set(key, Math.max(last.get(key) ?? -1, Number(i)));
      return isLate;
    });
  }
}

describe.each(COMBINATIONS)("a broker that is killed: $producer, $consumer", (drivers) => {
  test("loses nothing that was acknowledged, keeps the order of keys, and catches up by itself", async () => {
    const config = { ...drivers, topic_prefix: freshPrefix(), topics: fewPartitions, send_timeout: "1s" };
    const bus = await open(config);
    const seen = new Seen();
    bus.subscribe("otlp_logs", "writer", seen.handler);
    const load = startLoad(bus);
    await until("messages flow", () => seen.texts.length > 200);

    await kafka.kill();
    const before = load.acknowledged.size;
    await until("the spool takes over", () => bus.spoolBytes() > 0 && load.acknowledged.size > before + 200);
    expect(load.refused).toBe(0);
    await kafka.start();
    const back = seen.texts.length;
    await until("messages flow again", () => bus.spoolBytes() === 0 && seen.texts.length > back + 200);
    await load.stop();
    await until("all consumed", () => caughtUp(bus));

    const lost = seen.lacks(load.acknowledged);
    console.log(
      `sent ${load.acknowledged.size} found ${load.acknowledged.size - lost.length} doubled ${seen.deliveries - seen.texts.length} lost ${lost.length}`,
    );
    expect(lost).toEqual([]);
    expect(seen.outOfOrder()).toEqual([]);
  });
});

describe.each(DRIVERS)("consumers on %s", (library) => {
  const drivers = { producer: library, consumer: library };

  test("a writer that is killed leaves its messages to the next", async () => {
    const config = { ...drivers, topic_prefix: freshPrefix(), topics: fewPartitions, session_timeout: "6s" };
    const bus = await open(config);
    const texts = Array.from({ length: 2000 }, (_, i) => `${"abcde"[i % 5]} ${i}`);
    const results = await Promise.all(texts.map((text) => bus.send(message(text, text.slice(0, 1)))));
    expect(results.filter(({ status }) => status !== "ok")).toEqual([]);

    const written = await consumeAndDie({ brokers: kafka.brokers, ...config }, join(dir, "child"), 1500);
    expect(written.length).toBeGreaterThanOrEqual(1500);
    const seen = new Seen();
    bus.subscribe("otlp_logs", "writer", seen.handler);
    await until("all consumed", () => caughtUp(bus));
    const all = new Set([...written, ...seen.texts]);
    expect(texts.filter((text) => !all.has(text))).toEqual([]);
    // It goes on where the first has committed, not at the start.
    expect(seen.texts.length).toBeLessThan(texts.length);
  });

  test("members come and go without loss", async () => {
    const config = { ...drivers, topic_prefix: freshPrefix(), topics: { otlp_logs: { partitions: 6 } } };
    const bus = await open(config, join(dir, "producer"));
    const load = startLoad(bus);
    const seen = new Seen();
    const slow = async (received: BusMessage) => {
      await pause(5);
      return seen.handler(received);
    };
    const members: KafkaBus[] = [];
    for (const name of ["first", "second", "third"]) {
      const member = await open(config, join(dir, name));
      member.subscribe("otlp_logs", "writer", slow);
      members.push(member);
      const before = seen.texts.length;
      await until(`messages flow with the ${name} member`, () => seen.texts.length > before + 200);
    }
    for (const member of members.slice(0, 2)) {
      await member.stop();
      const before = seen.texts.length;
      await until("messages flow without it", () => seen.texts.length > before + 200);
    }
    await load.stop();
    const [, , last] = members;
    await until("all consumed", () => last !== undefined && caughtUp(last));
    expect(seen.lacks(load.acknowledged)).toEqual([]);
  });

  test("goes on at the oldest message that is left when retention was quicker", async () => {
    const prefix = freshPrefix();
    const config = { ...drivers, topic_prefix: prefix, topics: { otlp_logs: { partitions: 1 } } };
    const first = await open(config, join(dir, "first"));
    const seen = new Seen();
    first.subscribe("otlp_logs", "writer", seen.handler);
    for (let i = 0; i < 5; i++) await first.send(message(`a ${i}`));
    await until("five consumed", () => caughtUp(first));
    await first.stop();

    const second = await open(config, join(dir, "second"));
    for (let i = 5; i < 15; i++) await second.send(message(`a ${i}`));
    const admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.fetchTopicOffsets(`${prefix}otlp_logs`);
    await admin.deleteTopicRecords({ topic: `${prefix}otlp_logs`, partitions: [{ partition: 0, offset: "12" }] });
    await admin.disconnect();
    second.subscribe("otlp_logs", "writer", seen.handler);
    await until("the rest consumed", () => caughtUp(second));
    expect(seen.texts).toEqual([0, 1, 2, 3, 4, 12, 13, 14].map((i) => `a ${i}`));
  });

  test("a writer that takes long keeps its place in the group", async () => {
    const config = { ...drivers, topic_prefix: freshPrefix(), topics: fewPartitions, session_timeout: "6s" };
    const bus = await open(config);
    const seen = new Seen();
    bus.subscribe("otlp_logs", "writer", async (received) => {
      await pause(9000);
      return seen.handler(received);
    });
    await bus.send(message("a 0"));
    await until("consumed", () => caughtUp(bus));
    expect(seen.deliveries).toBe(1);
  });
});

describe.each([
  ["gzip", "kafkajs", "platformatic"],
  ["gzip", "platformatic", "kafkajs"],
  ["zstd", "kafkajs", "platformatic"],
  ["zstd", "platformatic", "kafkajs"],
] as const)("%s by %s", (compression, producer, consumer) => {
  test(`is read by ${consumer}, cut where a batch is too large`, async () => {
    const config = { producer, consumer, compression, topic_prefix: freshPrefix(), topics: fewPartitions };
    const bus = await open({ ...config, max_message_bytes: "20KB" });
    const bodies = Array.from({ length: 500 }, (_, i) => `${i} ${"x".repeat(200)}`);
    const found: unknown[] = [];
    let messages = 0;
    bus.subscribe("otlp_logs", "writer", async ({ value }) => {
      found.push(...decodeLogs(value).map(({ body }) => body));
      messages++;
      return { status: "ok" };
    });
    const value = encodeLogs(logsFromJson({ resourceLogs: [{ scopeLogs: [{ logRecords: bodies.map(logRecord) }] }] }));
    expect(await bus.send({ topic: "otlp_logs", key: "sms", value, records: 500 })).toEqual({ status: "ok" });
    await until("all consumed", () => found.length >= 500);
    expect(found).toEqual(bodies);
    expect(messages).toBeGreaterThan(5);
  });
});

describe("beside others on the same topics", () => {
  const resource = { attributes: { "service.name": "billing" }, asyncAttributesPending: false };
  const record = {
    hrTime: [1_763_726_400, 123_456_789],
    hrTimeObserved: [1_763_726_400, 123_456_790],
    severityNumber: 9,
    severityText: "INFO",
    body: "written by OpenTelemetry",
    attributes: { n: 1 },
    droppedAttributesCount: 0,
    resource,
    instrumentationScope: { name: "other", version: "1" },
  };

  test("reads what another OTLP implementation has written, and is read without a byte changed", async () => {
    const prefix = freshPrefix();
    const topic = `${prefix}otlp_logs`;
    const bytes = ProtobufLogsSerializer.serializeRequest([record] as never);
    if (!bytes) throw new Error("the serializer gave nothing");
    const bus = await open({ topic_prefix: prefix, topics: fewPartitions });
    const bodies: unknown[] = [];
    bus.subscribe("otlp_logs", "writer", async (received) => {
      for (const {
        body,
        resource: { attributes },
      } of decodeLogs(received.value)) {
        bodies.push([received.key, received.records, attributes["service.name"], body]);
      }
      return { status: "ok" };
    });
    await until("topics exist", () => caughtUp(bus));
    const file = join(dir, "request.bin");
    await writeFile(file, bytes);
    await run("kcat", ["-b", kafka.brokers.join(), "-P", "-t", topic, "-k", "billing", file]);
    await until("consumed", () => bodies.length > 0);
    expect(bodies).toEqual([["billing", 1, "billing", "written by OpenTelemetry"]]);

    await bus.send({ topic: "otlp_logs", key: "ours", value: bytes, records: 1 });
    const { stdout } = await run(
      "kcat",
      ["-b", kafka.brokers.join(), "-C", "-t", topic, "-e", "-q", "-D", "", "-f", "%k %S %s|"],
      { encoding: "buffer" },
    );
    const ours = stdout.indexOf(`ours ${bytes.length} `);
    const start = ours + `ours ${bytes.length} `.length;
    expect(ours).toBeGreaterThanOrEqual(0);
    expect(Buffer.compare(stdout.subarray(start, start + bytes.length), bytes)).toBe(0);
  });

  test("otlp_json can be read by anything that reads JSON", async () => {
    const prefix = freshPrefix();
    const bus = await open({ topic_prefix: prefix, topics: fewPartitions, encoding: "otlp_json" });
    const value = encodeLogs(logsFromJson({ resourceLogs: [{ scopeLogs: [{ logRecords: [logRecord("hello")] }] }] }));
    await bus.send({ topic: "otlp_logs", key: "sms", value, records: 1 });
    const args = ["-b", kafka.brokers.join(), "-C", "-t", `${prefix}otlp_logs`, "-e", "-q", "-f", "%s"];
    expect(JSON.parse((await run("kcat", args)).stdout)).toMatchObject({
      resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "hello" } }] }] }],
    });
    const read: Uint8Array[] = [];
    bus.subscribe("otlp_logs", "writer", async (received) => {
      read.push(received.value);
      return { status: "ok" };
    });
    await until("consumed", () => read.length > 0);
    expect(read.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.from(value)]);
  });

  test("poison is in the dead-letter topic with its reason in headers, and in the list of another process", async () => {
    const prefix = freshPrefix();
    const config = { topic_prefix: prefix, topics: fewPartitions };
    const writer = await open(config, join(dir, "writer"));
    const viewer = await open(config, join(dir, "viewer"));
    await viewer.deadLetters.start();
    writer.subscribe("otlp_logs", "log-writer", async ({ value }) => {
      try {
        decodeLogs(value);
        return { status: "ok" };
      } catch (error) {
        return { status: "poison", reason: String(error) };
      }
    });
    await writer.send(message("not otlp at all"));
    await until("listed", () => viewer.deadLetters.list().length > 0);
    expect(viewer.deadLetters.list()[0]).toMatchObject({
      topic: "otlp_logs",
      group: "log-writer",
      key: "sms",
      records: 1,
    });
    const args = ["-b", kafka.brokers.join(), "-C", "-t", `${prefix}otlp_logs_dlq`, "-e", "-q", "-f", "%h|%s"];
    const { stdout } = await run("kcat", args);
    expect(stdout).toContain("tocsin-group=log-writer");
    expect(stdout).toContain("tocsin-reason=OtlpDecodeError");
    expect(stdout).toContain("|not otlp at all");
  });
});

describe("a broker that asks for TLS and a user", () => {
  let secure: SecureKafka;
  beforeAll(async () => {
    secure = await startSecureKafka();
  }, 120_000);
  afterAll(() => secure.stop());

  test.each(
    DRIVERS.flatMap((library) =>
      (["plain", "scram-sha-256", "scram-sha-512"] as const).map((mechanism) => ({ library, mechanism })),
    ),
  )("is used by $library with $mechanism", async ({ library, mechanism }) => {
    const { brokers, caFile, username, password } = secure;
    const bus = await open({
      brokers,
      producer: library,
      consumer: library,
      topic_prefix: freshPrefix(),
      topics: fewPartitions,
      tls: { enabled: true, ca_file: caFile },
      sasl: { mechanism, username, password },
    });
    const seen = new Seen();
    bus.subscribe("otlp_logs", "writer", seen.handler);
    expect(await bus.send(message("a 0"))).toEqual({ status: "ok" });
    await until("consumed", () => seen.texts.length > 0);
    expect(bus.spoolBytes()).toBe(0);
  });

  test.each(DRIVERS)("is not trusted by %s without its authority", async (library) => {
    const { brokers, username, password } = secure;
    const bus = await open({
      brokers,
      producer: library,
      send_timeout: "1s",
      spool: { max_bytes: 0 },
      tls: { enabled: true },
      sasl: { mechanism: "plain", username, password },
    });
    expect(await bus.send(message("a 0"))).toMatchObject({ status: "retry" });
  });
});

const run = promisify(execFile);
const logRecord = (body: string) => ({ timeUnixNano: "5", body: { stringValue: body } });

/** Consumes in a process of its own, which is killed after some messages. Returns what it had written. */
async function consumeAndDie(config: Config, dataDir: string, after: number): Promise<string[]> {
  const program = `
    import { createKafkaBus, KafkaBusConfig } from "@tocsin/bus";
    import { createLogger, Registry, systemClock } from "@tocsin/platform";
    const [config, dataDir] = process.argv.slice(1);
    const bus = createKafkaBus(KafkaBusConfig.parse(JSON.parse(config)), {
      clock: systemClock, logger: createLogger({ level: "silent" }), registry: new Registry(), dataDir,
    });
    bus.subscribe("otlp_logs", "writer", async ({ value }) => {
      await new Promise((resolve) => process.stdout.write(new TextDecoder().decode(value) + "\\n", resolve));
      return { status: "ok" };
    });
    await bus.start();`;
  const args = ["--conditions=@tocsin/source", "--input-type=module", "-e", program, JSON.stringify(config), dataDir];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const written: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    written.push(line);
    if (written.length === after) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return written;
}
