import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MATCH_ALL } from "@tocsin/model";
import { Registry, systemClock } from "@tocsin/platform";
import { createTelemetryStore, TelemetryStoreConfig } from "@tocsin/store";
import { silentLogger } from "@tocsin/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { id } from "../../src/testing/builders.ts";

const ROUNDS = 4;
const RECORDS = 37;
const ALL_TIME = { fromMs: 0, toMs: 8e15 };
let dataDir: string;

beforeAll(async () => void (dataDir = await mkdtemp(join(tmpdir(), "tocsin-kill-"))));
afterAll(() => rm(dataDir, { recursive: true, force: true }));

/** Runs the writer on the folder, kills it after a while of acknowledging, and returns the acknowledged numbers. */
async function writeAndKill(start: number, afterMs: number): Promise<number[]> {
  const script = fileURLToPath(new URL("./writing-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@tocsin/source", script, dataDir, String(start)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(child.stdout, "data");
  await delay(afterMs);
  child.kill("SIGKILL");
  await exited;
  // A line that the kill cut short was not read as an acknowledgement.
  return output.slice(0, output.lastIndexOf("\n")).split("\n").map(Number);
}

test("whatever was acknowledged before a kill -9 is found after it, once", async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.push(...(await writeAndKill(round * 1_000_000, 150 + round * 217)));
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS);
  const config = TelemetryStoreConfig.parse({ readers: 1, search_budget: "1m" });
  const store = createTelemetryStore({
    dataDir,
    config,
    clock: systemClock,
    logger: silentLogger,
    registry: new Registry(),
  });
  await store.start();
  try {
    const found = new Map<number, Set<string>>();
    let total = 0;
    let cursor: string | undefined;
    do {
      const page = await store.logs.search({
        ...ALL_TIME,
        query: MATCH_ALL,
        limit: 1000,
        ...(cursor !== undefined && { cursor }),
      });
      for (const item of page.items) {
        const batch = item.attributes["batch"] as number;
        found.set(batch, (found.get(batch) ?? new Set()).add(item.message));
        total++;
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(acknowledged.filter((batch) => found.get(batch)?.size !== RECORDS)).toEqual([]);
    expect([...found.values()].reduce((sum, messages) => sum + messages.size, 0)).toBe(total);
    // A batch is there whole or not at all.
    expect([...found.values()].every(({ size }) => size === RECORDS)).toBe(true);
    for (const batch of acknowledged.filter((_, i) => i % 7 === 0)) {
      expect(await store.traces.trace(id(batch + 1, 32))).toHaveLength(RECORDS);
    }
    const { buckets } = await store.logs.histogram({
      fromMs: systemClock.now() - 3_600_000,
      toMs: systemClock.now() + 3_600_000,
      query: MATCH_ALL,
      buckets: 60,
    });
    expect(buckets.reduce((sum, bucket) => sum + bucket.total, 0)).toBe(total);
  } finally {
    await store.stop();
  }
});
