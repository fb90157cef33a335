import { encodeLogs, encodeTraces } from "@tocsin/model";
import { createLogger, Registry, systemClock } from "@tocsin/platform";
import { createTelemetryStore, TelemetryStoreConfig } from "@tocsin/store";
import { id, logRecord, span } from "../../src/testing/builders.ts";

/** Writes numbered logs and spans for ever and prints each number once both are acknowledged. To be killed. */
const [dataDir, start] = process.argv.slice(2) as [string, string];
const config = TelemetryStoreConfig.parse({ readers: 1 });
const store = createTelemetryStore({
  dataDir,
  config,
  clock: systemClock,
  logger: createLogger({ level: "error" }),
  registry: new Registry(),
});
await store.start();

const LANES = 4;
const RECORDS = 37;
let next = Number(start);

const writeBatch = async (): Promise<void> => {
  const batch = next++;
  const atMs = systemClock.now();
  const logs = Array.from({ length: RECORDS }, (_, i) =>
    logRecord({ atMs, body: `batch ${batch} record ${i}`, attributes: { batch } }),
  );
  const spans = Array.from({ length: RECORDS }, (_, i) =>
    span({ traceId: id(batch + 1, 32), spanId: id(batch * RECORDS + i + 1, 16), atMs, attributes: { batch } }),
  );
  const message = { key: "api", records: RECORDS };
  const results = await Promise.all([
    store.writers.logs({ ...message, topic: "otlp_logs", value: encodeLogs(logs) }),
    store.writers.spans({ ...message, topic: "otlp_spans", value: encodeTraces(spans) }),
  ]);
  if (results.every(({ status }) => status === "ok")) process.stdout.write(`${batch}\n`);
};

await Promise.all(
  Array.from({ length: LANES }, async () => {
    for (;;) await writeBatch();
  }),
);
