import type { IncomingMessage } from "node:http";
import type { Server } from "node:net";
import { METRICS_PATH } from "../metrics/metrics-endpoint.ts";
import { subscribeAll } from "./channels.ts";
import type { HttpServerInstrumentation } from "./http-server.ts";

/** The part of Fastify's instance and request that this relies on; all of it is documented API. */
interface FastifyLike {
  server: Server;
  addHook(name: "onRoute", hook: (route: { url: string }) => void): void;
  addHook(name: "onRequest", hook: (request: FastifyRequestLike, reply: unknown, done: () => void) => void): void;
}

interface FastifyRequestLike {
  raw: IncomingMessage;
  is404: boolean;
  routeOptions: { url?: string; config: { otel?: unknown } };
}

/** Route templates, `config: { otel: false }`, and the errors that handlers throw. */
export function instrumentFastify(http: HttpServerInstrumentation, onError: (error: unknown) => void): Disposable {
  return subscribeAll(
    {
      "fastify.initialization": ({ fastify }: { fastify: FastifyLike }) => {
        fastify.addHook("onRoute", ({ url }) => {
          if (url === METRICS_PATH) http.leaveMetricsRoute(fastify.server);
        });
        // A hook and not the handler's channel: requests that validation or another hook ends have a route, too.
        fastify.addHook("onRequest", ({ raw, is404, routeOptions }, _reply, done) => {
          if (!is404 && routeOptions.url !== undefined) http.setRoute(raw, routeOptions.url);
          if (routeOptions.config.otel === false) http.exclude(raw);
          done();
        });
      },
      "tracing:fastify.request.handler:error": (message: { request: FastifyRequestLike; error: unknown }) =>
        http.recordException(message.request.raw, message.error),
    },
    onError,
  );
}
