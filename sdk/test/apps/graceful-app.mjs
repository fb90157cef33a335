import Fastify from "fastify";

const app = Fastify({ logger: true });
app.get("/hello", async () => "ok");
process.once("SIGTERM", () => {
  app.log.info("closing");
  app.close(() => app.log.info("closed"));
});
await app.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`port ${app.server.address().port}\n`);
