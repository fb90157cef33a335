import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyServerOptions } from "fastify";
import { ZodError } from "zod";
import { applyHttpFaults, type FaultPanel, faultRoutes } from "./faults.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** `false` keeps the route out of metrics and traces. */
    otel?: boolean;
  }
}

export interface ServiceOptions {
  logger: FastifyServerOptions["logger"];
  /** Whether the fault panel can be reached over HTTP. */
  faultsEnabled: boolean;
  /** 0…1, decides which requests a partial fault strikes. */
  random: () => number;
}

/** A Fastify app with a health check, the fault panel, and 400 for what a schema rejects. */
export function createService(
  panel: FaultPanel,
  options: ServiceOptions,
  /** Which faults the chassis applies; a service that means something else by `latency` takes it over. */
  apply: { latency: boolean } = { latency: true },
): FastifyInstance {
  const app = Fastify({
    logger: options.logger ?? false,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    forceCloseConnections: "idle",
  });
  app.setErrorHandler((error: FastifyError | ZodError, request, reply) => {
    const statusCode = error instanceof ZodError ? 400 : (error.statusCode ?? 500);
    const message = error instanceof ZodError ? explain(error) : error.message;
    if (statusCode >= 500) request.log.error({ err: error, url: request.url }, "request failed");
    else request.log.info({ url: request.url, reason: message }, "request refused");
    return reply.code(statusCode).send({ statusCode, message });
  });
  app.get("/healthz", { config: { otel: false } }, async () => ({ status: "ok" }));
  if (options.faultsEnabled) {
    faultRoutes(app, panel);
    applyHttpFaults(app, panel, options.random, apply);
  }
  return app;
}

function explain(error: ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; ");
}
