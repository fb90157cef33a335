import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseQuery } from "@tocsin/model";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TelemetryStoreConfig } from "./config.ts";
import { createTelemetryStore, type TelemetryStore } from "./telemetry-store.ts";
import { BASE_MS, id, logRecord, span } from "./testing/builders.ts";
import { logStoreContract } from "./testing/log-store-contract.ts";
import { traceStoreContract } from "./testing/trace-store-contract.ts";

let dataDir: string;
let clock: ManualClock;
let store: TelemetryStore;

const open = async (config: object = {}): Promise<TelemetryStore> => {
  const opened = createTelemetryStore({
    dataDir,
    config: TelemetryStoreConfig.parse({ readers: 1, ...config }),
    clock,
    logger: silentLogger,
    registry: new Registry(),
  });
  await opened.start();
  return opened;
};

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-store-"));
  clock = new ManualClock(BASE_MS);
  store = await open();
});

afterEach(async () => {
  await store.stop();
  await rm(dataDir, { recursive: true, force: true });
});

describe("embedded trace store", () => {
  for (const { claim, run } of traceStoreContract) test(claim, () => run(store.traces));

  for (const { claim, run } of traceStoreContract) {
    test(`from closed blocks: ${claim}`, async () => {
      let filled = 0;
      const closing = {
        ...store.traces,
        append: async (spans: Parameters<typeof store.traces.append>[0]) => {
          await store.traces.append(spans);
          const fill = () =>
            span({ traceId: id(++filled + 1e6, 32), spanId: id(filled, 16), atMs: BASE_MS - 10 * 3_600_000 });
          await store.traces.append(Array.from({ length: 2500 }, fill));
        },
      };
      await run(closing);
    });
  }
});

describe("embedded log store", () => {
  for (const { claim, run } of logStoreContract) test(claim, () => run(store.logs));

  for (const { claim, run } of logStoreContract.slice(1, 8)) {
    test(`from closed blocks: ${claim}`, async () => {
      const filler = Array.from({ length: 2500 }, () => logRecord({ atMs: BASE_MS - 10 * 3_600_000 }));
      const closing = {
        ...store.logs,
        append: async (records: Parameters<typeof store.logs.append>[0]) => {
          await store.logs.append(records);
          await store.logs.append(filler);
        },
      };
      await run(closing);
    });
  }

  test("keeps everything over a restart", async () => {
    await store.logs.append([logRecord({ body: "kept" })]);
    await store.stop();
    store = await open();
    const search = { fromMs: BASE_MS - 1, toMs: BASE_MS + 1, query: parseQuery("kept", "logs"), limit: 10 };
    expect((await store.logs.search(search)).items).toHaveLength(1);
  });
});
