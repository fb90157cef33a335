import {
  type Attributes,
  type Context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:net";
import { type AsyncContextManager, UNTRACED } from "../context.ts";
import type { HttpServerMetrics } from "../metrics/http-metrics.ts";
import { METRICS_PATH } from "../metrics/metrics-endpoint.ts";
import { subscribeAll } from "./channels.ts";
import { knownMethod, parseHost } from "./http-attributes.ts";

export interface HttpServerOptions {
  /** Undefined when spans are another SDK's business; then only metrics are kept. */
  tracing: { tracer: Tracer; context: AsyncContextManager } | undefined;
  metrics: HttpServerMetrics;
  /** Lower-case header names to record. */
  captureHeaders: readonly string[];
  /** Answers `GET /metrics`; undefined leaves the route to the app. */
  scrape: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  onError: (error: unknown) => void;
}

/** What is known of a request under way. */
interface Served {
  startedMs: number;
  span: Span | undefined;
  route: string | undefined;
  /** Kept out of traces and metrics, on the app's wish. */
  excluded: boolean;
  done: boolean;
}

const HEALTH_PATHS = new Set(["/health", "/healthz", "/livez", "/live", "/readyz", "/ready", "/-/healthy", "/-/ready"]);

/** nginx's code for a client that went away before the answer. */
const CLIENT_CLOSED_REQUEST = 499;

const served = Symbol("tocsin.served");
type ServedMessage = IncomingMessage & { [served]?: Served };

const headerGetter: TextMapGetter<IncomingHttpHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key],
};

/** Observes every HTTP/1 server of the process through Node's diagnostics channels. */
export class HttpServerInstrumentation {
  readonly #options: HttpServerOptions;
  readonly #ownMetricsRoute = new WeakSet<Server>();

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  start(): Disposable {
    return subscribeAll(
      {
        "http.server.request.start": (message: HttpServerMessage) => this.#begin(message),
        "http.server.response.finish": ({ request, response }: HttpServerMessage) => this.#end(request, response),
      },
      this.#options.onError,
    );
  }

  /** Leaves `/metrics` of this server to the app, which has such a route itself. */
  leaveMetricsRoute(server: Server): void {
    this.#ownMetricsRoute.add(server);
  }

  /** Told by a framework's instrumentation which route template a request has matched. */
  setRoute(request: IncomingMessage, route: string): void {
    const state = (request as ServedMessage)[served];
    if (state !== undefined) state.route = route;
  }

  /** Keeps a request out of traces and metrics, when a framework learns late that the app wants it so. */
  exclude(request: IncomingMessage): void {
    const state = (request as ServedMessage)[served];
    if (state !== undefined) state.excluded = true;
    this.#options.tracing?.context.enter(UNTRACED);
  }

  recordException(request: IncomingMessage, error: unknown): void {
    const span = (request as ServedMessage)[served]?.span;
    span?.recordException(error instanceof Error ? error : String(error));
  }

  #begin({ request, response, server }: HttpServerMessage): void {
    const { tracing, scrape } = this.#options;
    const path = pathOf(request.url ?? "/");
    const isMetrics = path === METRICS_PATH;
    if (isMetrics && scrape !== undefined && !this.#ownMetricsRoute.has(server)) {
      answerInstead(server, request, response, scrape);
    }
    if (isMetrics || HEALTH_PATHS.has(path)) {
      tracing?.context.enter(UNTRACED);
      return;
    }
    const state: Served = {
      startedMs: performance.now(),
      span: undefined,
      route: undefined,
      excluded: false,
      done: false,
    };
    request[served] = state;
    // `response.finish` never comes when the client goes away.
    response.once("close", () => this.#end(request, response));
    if (tracing === undefined) return;
    const parent = extract(request.headers);
    state.span = tracing.tracer.startSpan(
      knownMethod(request.method ?? "GET"),
      { kind: SpanKind.SERVER, attributes: this.#requestAttributes(request, path) },
      parent,
    );
    tracing.context.enter(trace.setSpan(parent, state.span));
  }

  #requestAttributes(request: IncomingMessage, path: string): Attributes {
    const { headers, socket } = request;
    const method = request.method ?? "GET";
    const attributes: Attributes = {
      "http.request.method": knownMethod(method),
      "url.path": path,
      "url.scheme": "encrypted" in socket ? "https" : "http",
      "network.protocol.version": request.httpVersion,
    };
    if (attributes["http.request.method"] !== method) attributes["http.request.method_original"] = method;
    if (headers.host !== undefined) {
      const { host, port } = parseHost(headers.host);
      attributes["server.address"] = host;
      if (port !== undefined) attributes["server.port"] = port;
    }
    if (socket.remoteAddress !== undefined) attributes["client.address"] = socket.remoteAddress;
    if (headers["user-agent"] !== undefined) attributes["user_agent.original"] = headers["user-agent"];
    for (const name of this.#options.captureHeaders) {
      const value = headers[name];
      if (value !== undefined) attributes[`http.request.header.${name}`] = [value].flat();
    }
    return attributes;
  }

  #end(request: ServedMessage, response: ServerResponse): void {
    const state = request[served];
    if (state === undefined || state.done) return;
    state.done = true;
    if (state.excluded) return;
    const { span } = state;
    const method = knownMethod(request.method ?? "GET");
    const aborted = !response.writableFinished;
    const route = state.route ?? routeFromApp(request, span);
    const statusCode = aborted ? CLIENT_CLOSED_REQUEST : response.statusCode;
    const seconds = (performance.now() - state.startedMs) / 1000;
    this.#options.metrics.observe(
      method,
      route,
      statusCode,
      seconds,
      span?.spanContext() ?? trace.getActiveSpan()?.spanContext(),
    );
    if (span === undefined) return;
    if (span.isRecording()) {
      if (route !== undefined) {
        span.setAttribute("http.route", route);
        span.updateName(`${method} ${route}`);
      }
      if (response.headersSent) span.setAttribute("http.response.status_code", response.statusCode);
      if (aborted) span.setAttribute("error.type", "client_closed_request");
      else if (response.statusCode >= 500) {
        span.setAttribute("error.type", String(response.statusCode));
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
    }
    span.end();
  }
}

interface HttpServerMessage {
  request: ServedMessage;
  response: ServerResponse;
  server: Server;
}

function pathOf(url: string): string {
  const query = url.indexOf("?");
  return query === -1 ? url : url.slice(0, query);
}

function extract(headers: IncomingHttpHeaders): Context {
  if (headers["traceparent"] === undefined && headers["baggage"] === undefined) return ROOT_CONTEXT;
  return propagation.extract(ROOT_CONTEXT, headers, headerGetter);
}

/** Express leaves the matched route on the request; anybody can set `http.route` on the span. */
function routeFromApp(request: IncomingMessage, span: Span | undefined): string | undefined {
  const { route, baseUrl } = request as { route?: { path?: unknown }; baseUrl?: unknown };
  if (typeof route?.path === "string") return (typeof baseUrl === "string" ? baseUrl : "") + route.path;
  const attribute = (span as { attributes?: Attributes } | undefined)?.attributes?.["http.route"];
  return typeof attribute === "string" ? attribute : undefined;
}

/**
 * Takes this one request away from the app. No channel allows that, so the server's `emit` is covered for the next
 * event, which Node emits right after `http.server.request.start`.
 */
function answerInstead(
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const own = Object.getOwnPropertyDescriptor(server, "emit");
  const covered = (event: string | symbol, ...args: unknown[]): boolean => {
    if (own === undefined) Reflect.deleteProperty(server, "emit");
    else Object.defineProperty(server, "emit", own);
    if (event !== "request" || args[0] !== request) return server.emit(event as string, ...args);
    if (request.method === "GET" || request.method === "HEAD") answer(request, response);
    else response.writeHead(405, { allow: "GET, HEAD" }).end();
    return true;
  };
  Object.defineProperty(server, "emit", { value: covered, configurable: true, writable: true });
}
