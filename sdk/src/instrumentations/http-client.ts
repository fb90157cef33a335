import {
  type Attributes,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { isTracingSuppressed } from "@opentelemetry/core";
import type { ClientRequest, IncomingMessage } from "node:http";
import { subscribeAll } from "./channels.ts";
import { knownMethod } from "./http-attributes.ts";

const started = Symbol("tocsin.span");
type TracedRequest = ClientRequest & { [started]?: Span };

/** Client spans and trace headers for `http.request`, `http.get` and what is built on them. */
export function instrumentHttpClient(tracer: Tracer, onError: (error: unknown) => void): Disposable {
  return subscribeAll(
    {
      "http.client.request.created": ({ request }: { request: TracedRequest }) => begin(tracer, request),
      "http.client.response.finish": ({ request, response }: { request: TracedRequest; response: IncomingMessage }) => {
        // Node publishes this when the head of the answer is there; the span ends with the body.
        const span = request[started];
        if (span === undefined) return;
        span.setAttribute("http.response.status_code", response.statusCode ?? 0);
        if ((response.statusCode ?? 0) >= 400) fail(span, String(response.statusCode));
        response.once("close", () => span.end());
      },
      "http.client.request.error": ({
        request,
        error,
      }: {
        request: TracedRequest;
        error: Error & { code?: string };
      }) => {
        const span = request[started];
        if (span === undefined) return;
        span.recordException(error);
        fail(span, error.code ?? error.name, error.message);
        span.end();
      },
    },
    onError,
  );
}

function begin(tracer: Tracer, request: TracedRequest): void {
  const parent = context.active();
  if (isTracingSuppressed(parent)) return;
  const method = knownMethod(request.method);
  const { hostname, port } = hostOf(request);
  const scheme = request.protocol.replace(":", "");
  const [path = "/"] = request.path.split("?");
  const attributes: Attributes = {
    "http.request.method": method,
    "server.address": hostname,
    "url.full": `${scheme}://${request.host}${port === undefined ? "" : `:${port}`}${path}`,
  };
  if (port !== undefined) attributes["server.port"] = port;
  const span = tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes }, parent);
  request[started] = span;
  // Headers that were given as an array are already written out; such a request goes without.
  if (request.headersSent) return;
  propagation.inject(trace.setSpan(parent, span), request, {
    set: (target, key, value) => void target.setHeader(key, value),
  });
}

function hostOf(request: ClientRequest): { hostname: string; port: number | undefined } {
  const header = request.getHeader("host");
  const port = typeof header === "string" ? /:(\d+)$/.exec(header)?.[1] : undefined;
  return { hostname: request.host, port: port === undefined ? undefined : Number(port) };
}

function fail(span: Span, type: string, message?: string): void {
  span.setAttribute("error.type", type);
  span.setStatus(message === undefined ? { code: SpanStatusCode.ERROR } : { code: SpanStatusCode.ERROR, message });
}
