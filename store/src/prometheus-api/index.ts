import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { toApiError } from "./api-error.ts";
import { sendAnswer, sendError } from "./envelope.ts";
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
 * A Fastify plugin: the part of the Prometheus HTTP API that the sample store answers, below `/api/v1/`. Errors have
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

/** Aborted when the connection closes before the answer is out. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
