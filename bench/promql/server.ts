import process from "node:process";
import { createHttpServer, createLogger, Registry, systemClock } from "@tocsin/platform";
import { createMetricStore, MetricStoreConfig, prometheusQueryApi, remoteWriteApi } from "@tocsin/store";

/** The sample store and the Prometheus API in a process of their own; sends its port when it serves. */
const [dataDir = ""] = process.argv.slice(2);
const logger = createLogger({ level: "error" });
const store = createMetricStore({
  dataDir,
  config: MetricStoreConfig.parse({ retention: "10y" }),
  clock: systemClock,
  logger,
  registry: new Registry(),
});
await store.start();
const app = createHttpServer({ logger });
await app.register(remoteWriteApi, { store });
await app.register(prometheusQueryApi, {
  store,
  clock: systemClock,
  version: "bench",
  configText: () => "",
  flags: () => ({}),
  retention: "10y",
});
await app.listen({ host: "127.0.0.1", port: 0 });
const address = app.server.address();
if (typeof address === "object" && address !== null) process.send?.({ port: address.port });
process.on("disconnect", () => process.exit(0));
