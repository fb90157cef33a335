const Fastify = require("fastify");
const { currentTraceId } = require("@tocsin/sdk");

const app = Fastify({ logger: true });
app.get("/hello/:id", async (req) => {
  req.log.info({ id: req.params.id }, "hello");
  return { id: req.params.id, traceId: currentTraceId() };
});
app.listen({ port: 0, host: "127.0.0.1" }, () => {
  process.stdout.write(`port ${app.server.address().port}\n`);
});
