import { createHttpServer, createLogger, Registry, systemClock } from "@tocsin/platform";
import { alertmanagerApi, alertmanagerOperations, createAlertRouter } from "../src/index.ts";

/** A router as a process of its own: `router-process.ts CONFIG DATA_DIR`; prints its URL when it serves. */
const [configFile = "", dataDir = ""] = process.argv.slice(2);
const logger = createLogger({ level: "warn" });
const registry = new Registry();
const app = createHttpServer({ logger });
const router = createAlertRouter({
  configFile,
  dataDir,
  clock: systemClock,
  logger,
  registry,
  externalUrl: "http://am.example",
});
await router.start();
await app.register(alertmanagerApi, { router });
await app.register(alertmanagerOperations, { router, registry });
process.stdout.write(`${await app.listen({ host: "127.0.0.1", port: 0 })}\n`);
process.once("SIGTERM", () => void app.close().then(() => router.stop()));
