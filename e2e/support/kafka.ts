import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

const SCRIPT = fileURLToPath(new URL("../../../shared/stack/kafka-up.sh", import.meta.url));
const run = promisify(execFile);

/** A Kafka broker that a test may use and, if it is the test's own, kill. */
export interface KafkaBroker {
  readonly brokers: string[];
  /** False when KAFKA_BROKERS names one that runs already. */
  readonly isOwn: boolean;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  /** Without a chance to say good-bye. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** The broker of KAFKA_BROKERS, or one of our own on free ports with a data folder under the system's temporary one. */
export async function startKafka(): Promise<KafkaBroker> {
  const named = process.env["KAFKA_BROKERS"];
  if (named) {
    const notOurs = () => Promise.reject(new Error("the broker of KAFKA_BROKERS is not ours to kill"));
    return { brokers: named.split(","), isOwn: false, start: notOurs, kill: notOurs, stop: async () => {} };
  }
  const port = await freePortPair();
  const dir = await mkdtemp(join(tmpdir(), "tocsin-kafka-"));
  const start = async () => {
    await run(SCRIPT, [String(port), dir], { timeout: 120_000 });
  };
  const end = async (signal: NodeJS.Signals) => {
    const pid = Number(readFileSync(join(dir, "kafka.pid"), "utf8"));
    process.kill(pid, signal);
    while (isAlive(pid)) await pause(50);
  };
  await start();
  return {
    brokers: [`127.0.0.1:${port}`],
    isOwn: true,
    start,
    kill: () => end("SIGKILL"),
    async stop() {
      await end("SIGKILL").catch(() => {});
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The controller listens one port above the broker. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const port = await portOf(0);
    if (port !== undefined && (await portOf(port + 1)) !== undefined) return port;
  }
}

/** Ports that nothing listens on just now. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = await portOf(0);
    if (port !== undefined) ports.add(port);
  }
  return [...ports];
}

function portOf(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : undefined));
    });
  });
}
