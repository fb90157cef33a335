import { fork, type ChildProcess } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { createKafkaBus, KafkaBusConfig } from "@tocsin/bus";
import { encodeLogs, logsFromJson } from "@tocsin/model";
import { createLogger, Registry, systemClock } from "@tocsin/platform";
import { startKafka } from "../e2e/support/kafka.ts";
import type { Cost, Order, WorkerSetup } from "./pipeline/protocol.ts";
import { median, printRatio, type Benchmark } from "./run.ts";

const ROUNDS = 5;
const CONNECTIONS = 16;
const LIBRARIES = ["kafkajs", "platformatic"] as const;
type Library = (typeof LIBRARIES)[number];

const LOADS = [
  { records: 1000, requests: 160 },
  { records: 10, requests: 3200 },
] as const;
type Load = (typeof LOADS)[number];
const BODIES = 16;

/** OTLP/HTTP → acknowledged by Kafka, against the same client libraries alone; and Kafka → consumer. */
const benchmark: Benchmark = {
  summary: "OTLP/HTTP to Kafka: records per CPU second of a collector, both client libraries, against a bare producer",
  async run() {
    const kafka = await startKafka();
    const dir = await mkdtemp(join(tmpdir(), "pipeline-bench-"));
    const children: Worker[] = [];
    const open = async (role: WorkerSetup["role"], library: Library, prefix: string) => {
      const config = {
        brokers: kafka.brokers,
        producer: library,
        consumer: library,
        topic_prefix: prefix,
        group_prefix: `${randomUUID()}-`,
      };
      const worker = await Worker.start({ role, config, dataDir: join(dir, `${role}-${library}-${randomUUID()}`) });
      children.push(worker);
      return worker;
    };
    try {
      const bench = "bench_";
      await prepare(kafka.brokers, bench, dir);
      const results = new Results();
      const workers = await Promise.all(
        LIBRARIES.map(async (library) => ({
          library,
          collector: await open("collector", library, bench),
          bare: await open("bare", library, bench),
        })),
      );
      for (let round = 0; round <= ROUNDS; round++) {
        for (const load of LOADS) {
          const bodies = Array.from({ length: BODIES }, () => logs(load.records));
          const zipped = bodies.map((body) => gzipSync(body));
          const total = load.records * load.requests;
          const note = (name: string, cost: Cost) => {
            // The first round warms up.
            if (round > 0) results.add(`${name} ${load.records}`, total, cost);
          };
          for (const { library, collector, bare } of workers) {
            note(`bare ${library}`, await bare.do(produce(bodies, load)));
            note(`collector ${library} plain`, await post(collector, bodies, load, false));
            note(`collector ${library} gzip`, await post(collector, zipped, load, true));
          }
        }
      }
      for (const worker of children.splice(0)) worker.kill();
      console.log("produced; consuming");
      await consumeAll(kafka.brokers, dir, open, results);
      results.print();
      const used = KafkaBusConfig.parse({});
      for (const { records } of LOADS) {
        for (const encoding of ["plain", "gzip"]) {
          for (const library of LIBRARIES) {
            const over =
              results.cpu(`collector ${library} ${encoding} ${records}`) / results.cpu(`bare ${library} ${records}`);
            console.log(`${library} ${encoding} ${records} per request: ${over.toFixed(2)} × the bare producer's CPU`);
          }
        }
      }
      printRatio(
        "collector_vs_bare_producer",
        results.cpu(`collector ${used.producer} plain 1000`) / results.cpu(`bare ${used.producer} 1000`),
        "<=2",
      );
    } finally {
      for (const worker of children) worker.kill();
      await kafka.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

export default benchmark;

/** Medians of CPU seconds per record, by name. */
class Results {
  readonly #cells = new Map<string, { perRecord: number; cost: Cost }[]>();

  add(name: string, records: number, cost: Cost): void {
    this.#cells.set(name, [...(this.#cells.get(name) ?? []), { perRecord: cost.cpuS / records, cost }]);
  }

  /** CPU seconds per record. */
  cpu(name: string): number {
    return median((this.#cells.get(name) ?? []).map(({ perRecord }) => perRecord));
  }

  print(): void {
    console.log(
      `median of ${ROUNDS}; thousand records per CPU second (lowest–highest), resident MB, event loop p99 ms`,
    );
    for (const [name, cells] of this.#cells) {
      const rates = cells.map(({ perRecord }) => 1 / perRecord / 1000).toSorted((a, b) => a - b);
      const of = (key: keyof Cost) => median(cells.map(({ cost }) => cost[key])).toFixed(0);
      const range = `${rates[0]?.toFixed(0)}–${rates.at(-1)?.toFixed(0)}`;
      const rate = median(rates).toFixed(0);
      console.log(`${name.padEnd(34)} ${rate.padStart(7)} (${range})  ${of("rssMb")} MB  ${of("loopP99Ms")} ms`);
    }
  }
}

class Worker {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(setup: WorkerSetup): Promise<Worker> {
    const child = fork(fileURLToPath(new URL("pipeline/worker.ts", import.meta.url)), [JSON.stringify(setup)], {
      execArgv: ["--conditions=@tocsin/source", "--disable-warning=TimeoutNegativeWarning"],
    });
    const { port } = (await answerOf(child)) as { port: number };
    return new Worker(child, port);
  }

  async do(order: Order): Promise<Cost> {
    this.#child.send(order);
    return (await answerOf(this.#child)) as Cost;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** The next message of a process; throws when it ends instead. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  try {
    const ended = once(child, "exit", { signal: over.signal }).then(() => {
      throw new Error("a process of the benchmark has ended");
    });
    const [answer] = await Promise.race([once(child, "message", { signal: over.signal }), ended]);
    return answer;
  } finally {
    over.abort();
  }
}

function nth(bodies: readonly Buffer[], i: number): Buffer {
  const body = bodies[i % bodies.length];
  if (!body) throw new Error("there are no bodies");
  return body;
}

/** As many in a batch as the collector would take: what it has in flight, within the size of a Kafka message. */
const atOnce = (bodies: readonly Buffer[]) =>
  Math.max(1, Math.min(CONNECTIONS, Math.floor(1_000_000 / (nth(bodies, 0).length + 1000))));

const produce = (bodies: readonly Buffer[], { requests }: Load): Order => ({
  kind: "produce",
  values: bodies.map((body) => body.toString("base64")),
  count: requests,
  atOnce: atOnce(bodies),
});

/** Sends the load over keep-alive connections, each with one request at a time; every answer must be 200. */
async function post(collector: Worker, bodies: readonly Buffer[], load: Load, isGzip: boolean): Promise<Cost> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const headers = { "content-type": "application/x-protobuf", ...(isGzip && { "content-encoding": "gzip" }) };
  const send = (body: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const options = { port: collector.port, path: "/v1/logs", method: "POST", agent, headers };
      const sending = request(options, (response) => {
        response.resume();
        response.once("end", () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`the collector answers ${response.statusCode}`)),
        );
      });
      sending.once("error", reject);
      sending.end(body);
    });
  await collector.do({ kind: "begin" });
  let next = 0;
  const connection = async () => {
    while (next < load.requests) await send(nth(bodies, next++));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  const cost = await collector.do({ kind: "cost" });
  agent.destroy();
  return cost;
}

const CONSUMED = [
  { records: 1000, messages: 400 },
  { records: 10, messages: 20_000 },
] as const;

/** Both libraries read the same messages, each time in a process and a group of their own. */
async function consumeAll(
  brokers: string[],
  dir: string,
  open: (role: "consumer", library: Library, prefix: string) => Promise<Worker>,
  results: Results,
): Promise<void> {
  for (const { records, messages } of CONSUMED) {
    const prefix = `consume${records}_`;
    const values = Array.from({ length: BODIES }, () => logs(records));
    await prepare(
      brokers,
      prefix,
      dir,
      Array.from({ length: messages }, (_, i) => nth(values, i)),
    );
    for (let round = 1; round <= ROUNDS; round++) {
      for (const library of LIBRARIES) {
        const worker = await open("consumer", library, prefix);
        results.add(
          `consumer ${library} ${records}`,
          records * messages,
          await worker.do({ kind: "consume", messages }),
        );
        worker.kill();
      }
    }
  }
}

/** Creates the topics, with messages in them. */
async function prepare(
  brokers: string[],
  prefix: string,
  dir: string,
  values: readonly Buffer[] = [logs(1)],
): Promise<void> {
  const bus = createKafkaBus(KafkaBusConfig.parse({ brokers, topic_prefix: prefix }), {
    clock: systemClock,
    logger: createLogger({ level: "error" }),
    registry: new Registry(),
    dataDir: join(dir, `prepare-${prefix}`),
  });
  await bus.start();
  for (let i = 0; i < values.length; i += 100) {
    const sent = values
      .slice(i, i + 100)
      .map((value, j) => bus.send({ topic: "otlp_logs", key: String(j), value, records: 1 }));
    const refused = (await Promise.all(sent)).find(({ status }) => status !== "ok");
    if (refused) throw new Error(`Kafka did not take the messages: ${JSON.stringify(refused)}`);
  }
  await bus.stop();
}

/** One request of log records of about 200 bytes with random ids. */
function logs(count: number): Buffer {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const record = (i: number) => ({
    timeUnixNano: String(1_763_726_400_000_000_000n + BigInt(i)),
    severityNumber: 9,
    severityText: "INFO",
    body: { stringValue: `message ${randomBytes(4).toString("hex")} accepted for delivery` },
    traceId: randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    attributes: [
      attribute("http.route", "/v1/messages/:id"),
      attribute("user.id", randomBytes(6).toString("hex")),
      attribute("provider", "north"),
    ],
  });
  const resource = { attributes: [attribute("service.name", "sms"), attribute("host.name", "bench")] };
  const logRecords = Array.from({ length: count }, (_, i) => record(i));
  return Buffer.from(encodeLogs(logsFromJson({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] })));
}
