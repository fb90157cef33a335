import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { toApiError } from "./api-error.ts";
import { sendAnswer, sendError } from "./envelope.ts";
import { federate, FEDERATE_TYPE } from "./federate.ts";
import { labelRoutes } from "./label-routes.ts";
import { Parameters } from "./parameters.ts";
import { queryRoutes } from "./query-routes.ts";
import type { PrometheusQueryApiOptions, Route } from "./route.ts";
import { statusRoutes } from "./status-routes.ts";

export type { PrometheusQueryApiOptions } from "./route.ts";

const ROUTES: readonly Route[] = [...queryRoutes, ...labelRoutes, ...statusRoutes];

const CORS = {
  "access-control-allow-headers": "Accept, Authorization, Content-Type, Origin",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "Date",
  vary: "Origin",
} as const;

/**
 * A Fastify plugin: the part of the Prometheus HTTP API that the sample store answers, below `/api/v1/`, and
 * `/federate`. Errors have
 * Prometheus' shape, within this plugin only. Register it with `app.register(prometheusQueryApi, options)`.
 */
export async function prometheusQueryApi(app: FastifyInstance, options: PrometheusQueryApiOptions): Promise<void> {
  const startedMs = options.clock.now();
  // Forms are read by Parameters; other bodies are ignored, as Go does it.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) =>
    done(null, body),
  );
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, _body, done) => done(null, undefined));
  app.addHook("onRequest", async (request, reply) => {
    if (request.headers.origin !== undefined) reply.headers(CORS);
  });
  app.setErrorHandler((error, request, reply) => {
    const apiError = toApiError(error);
    if (apiError.type === "internal") request.log.error({ err: error, url: request.url }, "query request failed");
    return sendError(reply, apiError);
  });
  addFederation(app, options);
  for (const route of ROUTES) {
    const url = `/api/v1/${route.path}`;
    app.options(url, async (_request, reply) => reply.code(204).send());
    app.route({
      method: route.post ? ["GET", "POST"] : ["GET"],
      url,
      async handler(request: FastifyRequest, reply: FastifyReply) {
        const answer = await route.answer({
          ...options,
          parameters: new Parameters(request),
          path: request.params as Record<string, string>,
          signal: goneSignal(reply),
          startedMs,
        });
        return sendAnswer(reply, answer);
      },
    });
  }
}

/** `GET /federate`, whose errors are plain text, as Prometheus' are. */
function addFederation(app: FastifyInstance, { store, clock }: PrometheusQueryApiOptions): void {
  app.get("/federate", {
    handler: async (request, reply) =>
      reply.type(FEDERATE_TYPE).send(await federate(new Parameters(request), store, clock.now())),
    errorHandler: (error, _request, reply) => {
      const apiError = toApiError(error);
      void reply.code(apiError.status).type("text/plain; charset=utf-8").send(`${apiError.message}\n`);
    },
  });
}

/** Aborted when the connection closes before the answer is out. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
