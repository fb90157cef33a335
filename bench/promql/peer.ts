import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";

const READY_WITHIN_MS = 120_000;
const POLL_MS = 5;
/** What /proc counts in. */
const TICK_MS = 10;

/** A server under measurement, with its costs from outside. */
export class Peer {
  readonly name: string;
  readonly dir: string;
  readonly #launch: (dir: string) => Promise<{ process: ChildProcess; port: number }>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #process: ChildProcess | undefined;
  #port = 0;

  constructor(name: string, dir: string, launch: (dir: string) => Promise<{ process: ChildProcess; port: number }>) {
    this.name = name;
    this.dir = dir;
    this.#launch = launch;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves with the seconds from the start of the process until it answered `path`. */
  async start(path: string): Promise<number> {
    const began = performance.now();
    const { process, port } = await this.#launch(this.dir);
    this.#process = process;
    this.#port = port;
    while ((await this.get(path).catch(() => undefined)) === undefined) {
      if (process.exitCode !== null) throw new Error(`${this.name} ended with ${process.exitCode}`);
      if (performance.now() - began > READY_WITHIN_MS) throw new Error(`${this.name} does not answer ${path}`);
      await pause(POLL_MS);
    }
    return (performance.now() - began) / 1000;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** The body of a 200; rejects on anything else. */
  get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get(`${this.url}${path}`, { agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const body = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(body);
          else reject(new Error(`${this.name} answered ${response.statusCode} to ${path}: ${body.slice(0, 300)}`));
        });
        response.on("error", reject);
      }).on("error", reject);
    });
  }

  /** Milliseconds of CPU that the process has used so far. */
  cpuMs(): number {
    const fields = this.#proc("stat")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  /** Resident memory in MB. */
  rssMb(): number {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(this.#proc("status"))?.[1]) / 1024;
  }

  diskBytes(): number {
    return readdirSync(this.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  }

  #proc(file: string): string {
    return readFileSync(`/proc/${this.#process?.pid}/${file}`, "utf8");
  }
}

export function tocsinPeer(dir: string): Peer {
  return new Peer("tocsin", dir, async (dataDir) => {
    const child = fork(fileURLToPath(new URL("./server.ts", import.meta.url)), [dataDir]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return { process: child, port };
  });
}

/** Debian's Prometheus, taking remote write. */
export function prometheusPeer(dir: string): Peer {
  return new Peer("prometheus", dir, async (dataDir) => {
    const config = `${dataDir}.yml`;
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(config, "");
    const port = await freePort();
    const child = spawn(
      "prometheus",
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${dataDir}`,
        "--storage.tsdb.retention.time=10y",
        `--web.listen-address=127.0.0.1:${port}`,
        "--web.enable-remote-write-receiver",
        "--log.level=error",
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    return { process: child, port };
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
