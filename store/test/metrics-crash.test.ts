import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { createMetricStore, MetricStoreConfig } from "../src/metrics/index.ts";

const T0 = Date.UTC(2026, 0, 10);
const WRITER = new URL("./metrics-crash-writer.ts", import.meta.url).pathname;

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-crash-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Lets a process append from `firstBatch` on and kills it when it has acknowledged some more; returns the last one. */
async function appendAndKill(firstBatch: number, batches: number): Promise<number> {
  const args = ["--conditions=@tocsin/source", WRITER, dataDir, String(firstBatch), String(T0)];
  const writer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let acknowledged = firstBatch - 1;
  for await (const line of createInterface({ input: writer.stdout })) {
    acknowledged = Number(line);
    if (acknowledged >= firstBatch + batches) writer.kill("SIGKILL");
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, "exit");
  return acknowledged;
}

test("every acknowledged sample is there after kill -9, again and again, and none is there twice", async () => {
  let next = 0;
  for (const batches of [7, 60, 133, 200, 35]) {
    const acknowledged = await appendAndKill(next, batches);
    expect(acknowledged).toBeGreaterThanOrEqual(next + batches);
    const clock = new ManualClock(T0 + acknowledged * 60_000);
    const config = MetricStoreConfig.parse({ fsync: "never" });
    const store = createMetricStore({ dataDir, config, clock, logger: silentLogger, registry: new Registry() });
    await store.start();
    const found = await store.select([{ name: "__name__", type: "=", value: "crash_total" }], -Infinity, Infinity);
    const { corruptBlocks, blocks } = await store.stats();
    await store.stop();
    const byBatch = new Map<number, Set<number>>();
    for (const { labels, timestamps, values } of found) {
      expect([...timestamps]).toEqual([...new Set(timestamps)].sort((a, b) => a - b));
      for (const [at, timestampMs] of timestamps.entries()) {
        const batch = (timestampMs - T0) / 60_000;
        const i = Number(labels["i"]);
        expect(values[at]).toBe(batch * 1000 + i);
        if (!byBatch.has(batch)) byBatch.set(batch, new Set());
        byBatch.get(batch)?.add(i);
      }
    }
    const incomplete = Array.from({ length: acknowledged + 1 }, (_, batch) => batch).filter(
      (batch) => byBatch.get(batch)?.size !== 50,
    );
    expect(incomplete).toEqual([]);
    expect(corruptBlocks).toBe(0);
    if (acknowledged > 100) expect(blocks).toBeGreaterThan(0);
    next = Math.max(...byBatch.keys()) + 1;
  }
});
