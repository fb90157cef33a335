import Fastify from "fastify";
import { request } from "node:http";
import { Counter } from "prom-client";

const hellos = new Counter({ name: "app_hellos_total", help: "The app's own metric, in its own default registry" });
const app = Fastify({ logger: true });
const upstream = process.env.UPSTREAM;

app.get("/hello/:id", async (req) => {
  hellos.inc();
  req.log.info({ id: req.params.id }, "hello");
  return { id: req.params.id, traceparent: req.headers.traceparent ?? null, baggage: req.headers.baggage ?? null };
});
app.get("/boom", async () => {
  throw new Error("boom");
});
app.get("/checked", { schema: { querystring: { type: "object", required: ["n"] } } }, async () => "ok");
app.get("/unobserved", { config: { otel: false } }, async () => "ok");
app.get("/healthz", async (req) => {
  req.log.info("health asked");
  return "ok";
});
app.get("/fetch/:id", async (req) => {
  const answer = await fetch(`${upstream}/hello/${req.params.id}`);
  req.log.info("fetched");
  return answer.json();
});
app.get("/http/:id", (req, reply) => {
  request(`${upstream}/hello/${req.params.id}`, (response) => {
    let text = "";
    response.on("data", (chunk) => (text += chunk)).on("end", () => void reply.send(text));
  }).end();
});
app.get("/refused", async () => {
  await fetch("http://127.0.0.1:2/").catch(() => {});
  return "ok";
});
app.get("/impatient", async () => {
  await fetch(`${upstream}/never`, { signal: AbortSignal.timeout(50) }).catch(() => {});
  return "ok";
});
app.get("/never", () => new Promise(() => {}));
app.get("/reject", () => {
  void Promise.reject(new RangeError("nobody caught this"));
  return new Promise(() => {});
});
app.get("/crash", (_req, reply) => {
  reply.send("bye");
  setImmediate(() => {
    throw new RangeError("crashed");
  });
});

await app.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`port ${app.server.address().port}\n`);
