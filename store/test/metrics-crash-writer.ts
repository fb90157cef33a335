// Run by metrics-crash.test.ts: appends without end, one minute of data a batch, and tells on stdout what was acknowledged.
import { createMetricStore } from "../src/metrics/index.ts";
import { MetricStoreConfig } from "../src/metrics/index.ts";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";

const [dataDir = "", firstBatch = "0", start = "0"] = process.argv.slice(2);
const SERIES = 50;
const clock = new ManualClock(Number(start));
const store = createMetricStore({
  dataDir,
  config: MetricStoreConfig.parse({ fsync: "never" }),
  clock,
  logger: silentLogger,
  registry: new Registry(),
});
await store.start();

for (let batch = Number(firstBatch); ; batch++) {
  const timestampMs = Number(start) + batch * 60_000;
  clock.jumpTo(timestampMs);
  const series = Array.from({ length: SERIES }, (_, i) => ({
    labels: { __name__: "crash_total", i: String(i), generation: String(batch - (batch % 100)) },
    samples: [{ timestampMs, value: batch * 1000 + i }],
  }));
  await store.append({ series });
  process.stdout.write(`${batch}\n`);
  // Maintenance runs on the clock: its timer falls due while the next batches are written.
  if (batch % 5 === 0) await clock.advance(10_000);
}
