import type { FastifyInstance } from "fastify";
import { errorMessage, type Registry } from "@tocsin/platform";
import type { AlertRouter } from "../router.ts";

export interface OperationsOptions {
  readonly router: AlertRouter;
  readonly registry: Registry;
  readonly routePrefix?: string;
}

/** Paths of the API that was there before v2; clients that still use them are told so. */
const V1_PATHS = ["/status", "/receivers", "/alerts", "/alerts/groups", "/silences", "/silence/:id"];

/**
 * What a stand-alone Alertmanager answers besides its API: `/-/healthy`, `/-/ready`, `/-/reload`, `/metrics`, and 410
 * for API v1. Not for a server that has these paths already.
 */
export async function alertmanagerOperations(app: FastifyInstance, options: OperationsOptions): Promise<void> {
  const { router, registry, routePrefix = "" } = options;
  for (const path of ["/-/healthy", "/-/ready"])
    app.get(routePrefix + path, async (_, reply) => reply.type("text/plain").send("OK"));
  app.route({
    method: ["GET", "HEAD", "PUT", "DELETE", "PATCH"],
    url: `${routePrefix}/-/reload`,
    handler: async (_, reply) =>
      reply.code(405).header("allow", "POST").type("text/plain").send("Only POST requests allowed"),
  });
  app.post(`${routePrefix}/-/reload`, async (_, reply) => {
    try {
      await router.reload();
      return reply.code(200).send();
    } catch (error) {
      return reply
        .code(500)
        .type("text/plain")
        .send(`failed to reload config: ${errorMessage(error)}\n`);
    }
  });
  app.get(`${routePrefix}/metrics`, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  for (const path of V1_PATHS) {
    app.all(`${routePrefix}/api/v1${path}`, async (_, reply) =>
      reply.code(410).send({
        status: "deprecated",
        error: "API v1 is gone; use the same path under /api/v2",
      }),
    );
  }
  if (routePrefix !== "" && routePrefix !== "/") app.get("/", async (_, reply) => reply.redirect(routePrefix, 302));
}
