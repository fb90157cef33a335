import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as pause } from "node:timers/promises";

const BIN = fileURLToPath(new URL("../../cli/bin/tocsin.js", import.meta.url));

export interface TocsinProcess {
  readonly dataDir: string;
  /** An address of the banner: dashboard, otlp-http, otlp-grpc, alertmanager, smtp, api, sms, rate-limiter. */
  address(name: string): string;
  readonly pid: number;
  /** Milliseconds from the start of the process to the banner. */
  readonly readyMs: number;
  /** All that it printed so far. */
  output(): string;
  /** GET of a path of the dashboard's server, parsed as JSON; throws on a status other than 2xx. */
  get<T>(path: string): Promise<T>;
  /** Sends a signal and resolves with the exit code (null when a signal ended it) and the milliseconds it took. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; tookMs: number }>;
}

export interface TocsinProcessOptions {
  args?: readonly string[];
  dataDir?: string;
  env?: Record<string, string>;
  /** Milliseconds until the banner must be there. */
  readyWithinMs?: number;
  /** Port flags to leave alone, so that the default holds: `port`, `otlp-http-port`, … */
  defaults?: readonly string[];
}

const ANY_PORT = [
  "port",
  "otlp-http-port",
  "otlp-grpc-port",
  "alertmanager-port",
  "smtp-port",
  "api-port",
  "sms-port",
  "rate-limiter-port",
];

/** Starts the real `tocsin up` on free ports (unless `args` name them) with a data folder of its own, and awaits its banner. */
export async function startTocsin(options: TocsinProcessOptions = {}): Promise<TocsinProcess> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "tocsin-data-"));
  const args = options.args ?? [];
  const kept = new Set([...(options.defaults ?? []), ...args.map((arg) => arg.replace(/^--/, ""))]);
  const ports = ANY_PORT.filter((name) => !kept.has(name)).flatMap((name) => [`--${name}`, "0"]);
  const startedAt = performance.now();
  const child = spawnTocsin(["up", "--data-dir", dataDir, ...ports, ...args], options.env);
  const read = collectOutput(child);
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const deadline = startedAt + (options.readyWithinMs ?? 60_000);
  while (!read().includes("Ctrl-C stops everything")) {
    if (child.exitCode !== null) throw new Error(`tocsin ended with ${child.exitCode}:\n${read()}`);
    if (performance.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`tocsin is not ready:\n${read()}`);
    }
    await pause(50);
  }
  const addresses = readBanner(read());
  const address = (name: string): string => {
    const found = addresses.get(name);
    if (found === undefined) throw new Error(`the banner has no address ${name}:\n${read()}`);
    return found;
  };
  return {
    dataDir,
    address,
    pid: child.pid as number,
    readyMs: performance.now() - startedAt,
    output: read,
    async get<T>(path: string) {
      const answer = await fetch(address("dashboard") + path);
      if (!answer.ok) throw new Error(`${answer.status} from ${path}: ${await answer.text()}`);
      return (await answer.json()) as T;
    },
    async stop(signal = "SIGTERM") {
      const from = performance.now();
      child.kill(signal);
      return { code: await closed, tookMs: performance.now() - from };
    },
  };
}

/** Runs a `tocsin` command to its end. */
export async function runTocsin(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawnTocsin(args, env);
  const read = collectOutput(child);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output: read() };
}

function spawnTocsin(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function collectOutput(child: ChildProcess): () => string {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return () => output;
}

function readBanner(output: string): Map<string, string> {
  const rows = [...output.matchAll(/^ {2}([a-z-]+) {2,}((?:http:\/\/)?[\w.[\]:-]+:\d+)$/gm)];
  return new Map(rows.map((row) => [row[1] ?? "", row[2] ?? ""]));
}

/** Asks `look` until it gives something, at most `withinMs`; the error says what was awaited. */
export async function eventually<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`, { cause: last });
    await pause(100);
  }
}
