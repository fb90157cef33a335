import { metricsRegistry } from "@tocsin/sdk";
import Fastify from "fastify";
import { collectDefaultMetrics, register, Registry } from "prom-client";

collectDefaultMetrics();
const app = Fastify();
app.get(
  "/metrics",
  async () =>
    `# the app's own page\n${await metricsRegistry().getSingleMetricAsString("http_server_request_duration_seconds")}`,
);
app.get("/hello", async () => "ok");
await app.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`port ${app.server.address().port}\n`);
void [register, Registry];
