import Fastify, { LogController } from "fastify";

/*
 * The Fastify app whose CPU time is measured. Its parent asks for the microseconds since the last asking; the SDK is preloaded or
 * not. Its log goes where a service's would: as lines to stdout, which the parent throws away.
 */
const app = Fastify({ logger: { level: "info" }, logController: new LogController({ disableRequestLogging: true }) });
app.get("/hello", async () => ({ hello: "world" }));
app.get("/logged", async (request) => {
  request.log.info({ answer: "world" }, "hello");
  return { hello: "world" };
});
const address = await app.listen({ port: 0, host: "127.0.0.1" });

let used = process.cpuUsage();
process.on("message", () => {
  const { user, system } = process.cpuUsage(used);
  process.send?.({ cpuUs: user + system });
  used = process.cpuUsage();
});
process.send?.({ address });
