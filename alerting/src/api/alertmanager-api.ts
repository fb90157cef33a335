import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { matchesAll } from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import { COMPATIBLE_VERSION, type AlertRouter } from "../router.ts";
import { listAlertGroups, listAlerts, postAlerts } from "./alerts.ts";
import { ApiError } from "./api-error.ts";
import { matchers, type Query } from "./query.ts";
import { deleteSilence, getSilence, listSilences, postSilence } from "./silences.ts";

export interface AlertmanagerApiOptions {
  readonly router: AlertRouter;
  /** Before `/api/v2`, without a trailing slash. Default: none. */
  readonly routePrefix?: string;
  /** GET requests answered at a time; more get 503. Default: no limit. */
  readonly getConcurrency?: number;
  /** Bytes of a POST body. Default 64 MiB. */
  readonly bodyLimit?: number;
}

const METHODS: Readonly<Record<string, readonly string[]>> = {
  "/status": ["GET"],
  "/receivers": ["GET"],
  "/alerts": ["GET", "POST"],
  "/alerts/groups": ["GET"],
  "/silences": ["GET", "POST"],
};

/** Alertmanager's API v2 as a Fastify plugin, to be registered without prefix; keeps its error shapes to itself. */
export async function alertmanagerApi(app: FastifyInstance, options: AlertmanagerApiOptions): Promise<void> {
  await app.register(async (scope) => {
    const { router, bodyLimit = 64 * 1024 * 1024 } = options;
    const base = `${options.routePrefix ?? ""}/api/v2`;
    acceptJsonOnly(scope);
    scope.setErrorHandler((error: FastifyError | ApiError, request, reply) => sendError(error, request, reply));
    scope.addHook("onRequest", async (request, reply) => {
      reply.header("cache-control", "no-store");
      if (request.headers.origin !== undefined)
        reply.header("access-control-allow-origin", "*").header("vary", "Origin");
    });
    measure(scope, router);
    if (options.getConcurrency !== undefined) limitGets(scope, router, options.getConcurrency);

    scope.get(`${base}/status`, async () => status(router));
    scope.get<{ Querystring: Query }>(`${base}/receivers`, async ({ query }) => receivers(router, query));
    scope.get<{ Querystring: Query }>(`${base}/alerts`, async ({ query }) => listAlerts(router, query));
    scope.get<{ Querystring: Query }>(`${base}/alerts/groups`, async ({ query }) => listAlertGroups(router, query));
    scope.post(`${base}/alerts`, { bodyLimit }, async ({ body }, reply) => {
      await postAlerts(router, body);
      return reply.code(200).send();
    });
    scope.get<{ Querystring: Query }>(`${base}/silences`, async ({ query }) => listSilences(router, query));
    scope.post(`${base}/silences`, async ({ body }) => postSilence(router, body));
    scope.get<{ Params: { id: string } }>(`${base}/silence/:id`, async ({ params }, reply) => {
      const silence = getSilence(router, params.id);
      return silence ?? reply.code(404).send();
    });
    scope.delete<{ Params: { id: string } }>(`${base}/silence/:id`, async ({ params }, reply) => {
      const result = await deleteSilence(router, params.id);
      return reply.code(result === "ok" ? 200 : 404).send();
    });
    scope.all(`${base}/*`, async (request, reply) => refuse(request, reply, base));
  });
}

/** Bodies are JSON, whatever is wrong with them is said in the API's own shape. */
function acceptJsonOnly(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("application/json", { parseAs: "string" }, (_, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(body as string));
    } catch (error) {
      done(ApiError.schema(400, `parsing body from "" failed, because ${errorMessage(error)}`));
    }
  });
}

function sendError(error: FastifyError | ApiError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toApiError(error, request);
  if (known.status >= 500) request.log.error({ err: error, url: request.url }, "request failed");
  return reply.code(known.status).type("application/json").send(JSON.stringify(known.body));
}

function toApiError(error: FastifyError | ApiError, request: FastifyRequest): ApiError {
  if (error instanceof ApiError) return error;
  const type = request.headers["content-type"] ?? "";
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return ApiError.schema(
        415,
        `unsupported media type ${JSON.stringify(type)}, only [application/json] are allowed`,
      );
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return ApiError.schema(413, error.message);
    default:
      return error.statusCode !== undefined && error.statusCode < 500
        ? ApiError.schema(error.statusCode, error.message)
        : ApiError.handler(500, error.message);
  }
}

function refuse(request: FastifyRequest, reply: FastifyReply, base: string): FastifyReply {
  const path = request.url.split("?", 1)[0] ?? "";
  const known = path.startsWith(`${base}/silence/`) ? ["DELETE", "GET"] : METHODS[path.slice(base.length)];
  if (!known) throw ApiError.schema(404, `path ${path} was not found`);
  if (request.method === "OPTIONS") {
    const wanted = request.headers["access-control-request-method"];
    if (wanted === "GET" || wanted === "POST" || wanted === "HEAD") {
      return reply
        .code(204)
        .header("access-control-allow-methods", wanted)
        .header("access-control-allow-headers", request.headers["access-control-request-headers"] ?? "content-type")
        .send();
    }
  }
  const message = `method ${request.method} is not allowed, but [${known.join(",")}] are`;
  return reply
    .code(405)
    .header("allow", known.join(","))
    .type("application/json")
    .send(JSON.stringify({ code: 405, message }));
}

function measure(scope: FastifyInstance, router: AlertRouter): void {
  const { requestDuration, responseSize, requestsInFlight } = router.metrics;
  scope.addHook("onRequest", async ({ method }) => requestsInFlight.inc({ method: method.toLowerCase() }));
  scope.addHook("onResponse", async (request, reply) => {
    const method = request.method.toLowerCase();
    const handler = request.routeOptions.url ?? "";
    requestsInFlight.dec({ method });
    requestDuration.observe({ handler, method, code: String(reply.statusCode) }, reply.elapsedTime / 1000);
    responseSize.observe({ handler, method }, Number(reply.getHeader("content-length") ?? 0));
  });
}

function limitGets(scope: FastifyInstance, router: AlertRouter, limit: number): void {
  let underWay = 0;
  const counted = new WeakSet<FastifyRequest>();
  scope.addHook("onRequest", async (request, reply) => {
    if (request.method !== "GET") return;
    if (underWay >= limit) {
      router.metrics.concurrencyLimit.inc({ method: "get" });
      return reply
        .code(503)
        .type("text/plain")
        .send(`Limit of concurrent GET requests reached (${limit}), try again later.\n`);
    }
    underWay++;
    counted.add(request);
  });
  const leave = async (request: FastifyRequest) => {
    if (counted.delete(request)) underWay--;
  };
  scope.addHook("onResponse", leave);
  scope.addHook("onRequestAbort", leave);
}

function status(router: AlertRouter) {
  return {
    cluster: { peers: [], status: "disabled" },
    config: { original: router.config.original },
    uptime: new Date(router.startedAt).toISOString(),
    versionInfo: {
      branch: "HEAD",
      buildDate: "",
      buildUser: "tocsin",
      goVersion: `node${process.versions.node}`,
      revision: "",
      version: COMPATIBLE_VERSION,
    },
  };
}

function receivers(router: AlertRouter, query: Query) {
  const filter = matchers(query, "receiver_matchers", router.matcherMode);
  return router.config.receivers
    .filter(({ labels }) => matchesAll(filter, labels))
    .map(({ name, labels }) => ({ name, labels }));
}
