import type { FastifyInstance } from "fastify";
import { type Component, errorMessage, type Registry, TocsinError } from "@tocsin/platform";

/** Health, own metrics and reload, where Prometheus and Alertmanager have them. */
export function operationsApi(
  app: FastifyInstance,
  options: { registry: Registry; isReady: () => boolean; reload: () => Promise<void> },
): void {
  app.get("/-/healthy", () => "OK");
  app.get("/-/ready", (_request, reply) => (options.isReady() ? "OK" : reply.code(503).send("starting")));
  app.post("/-/reload", async (_request, reply) => {
    try {
      await options.reload();
      return await reply.code(200).send();
    } catch (error) {
      return reply
        .code(500)
        .type("text/plain; charset=utf-8")
        .send(`failed to reload: ${errorMessage(error)}\n`);
    }
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(options.registry.contentType).send(await options.registry.metrics()),
  );
}

/** A server as a component; a port that is taken meanwhile is told with the flag that changes it. */
export function listener(name: string, app: FastifyInstance, host: string, port: number, flag: string): Component {
  return {
    name,
    async start() {
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw new TocsinError(
          "TOCSIN_PORT_TAKEN",
          `cannot listen on ${host}:${port} for the ${name}: ${errorMessage(error)}; choose another with ${flag}`,
          { cause: error },
        );
      }
    },
    stop: () => app.close(),
  };
}
