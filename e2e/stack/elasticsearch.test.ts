import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "vitest";
import { Registry, systemClock, type Clock } from "@tocsin/platform";
import { createElasticsearchStore, ElasticsearchConfig, type TelemetryStore } from "@tocsin/store";
import { silentLogger } from "@tocsin/testing";
import { BASE_MS } from "../../store/src/testing/builders.ts";
import { logStoreContract } from "../../store/src/testing/log-store-contract.ts";
import { traceStoreContract } from "../../store/src/testing/trace-store-contract.ts";

const url = process.env["ELASTICSEARCH_URL"] ?? "http://127.0.0.1:19271";
let n = 0;
let store: TelemetryStore;
const skew = systemClock.now() - BASE_MS;
const clock: Clock = { now: () => systemClock.now() - skew, schedule: systemClock.schedule };
beforeEach(async () => {
  const config = ElasticsearchConfig.parse({
    nodes: [url],
    index_prefix: `t${process.pid}-${n++}`,
    tail_interval: "100ms",
  });
  store = createElasticsearchStore({ config, clock, logger: silentLogger, registry: new Registry() });
  await store.start();
});
afterEach(() => store.stop());
describe("logs", () => {
  for (const { claim, run } of logStoreContract) test(claim, () => run(store.logs));
});
describe("traces", () => {
  for (const { claim, run } of traceStoreContract) test(claim, () => run(store.traces));
});
