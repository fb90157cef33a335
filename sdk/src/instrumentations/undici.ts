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
import { subscribeAll } from "./channels.ts";
import { knownMethod } from "./http-attributes.ts";

/** The part of undici's request that its diagnostics channels document. */
interface UndiciRequest {
  origin: string | URL;
  path: string;
  method: string;
  addHeader(name: string, value: string): void;
}

/** Client spans and trace headers for `fetch` and undici. */
export function instrumentUndici(tracer: Tracer, onError: (error: unknown) => void): Disposable {
  const spans = new WeakMap<UndiciRequest, Span>();
  const finish = (request: UndiciRequest, conclude?: (span: Span) => void): void => {
    const span = spans.get(request);
    if (span === undefined) return;
    spans.delete(request);
    conclude?.(span);
    span.end();
  };
  return subscribeAll(
    {
      "undici:request:create": ({ request }: { request: UndiciRequest }) => {
        const parent = context.active();
        if (isTracingSuppressed(parent)) return;
        const method = knownMethod(request.method);
        const span = tracer.startSpan(
          method,
          { kind: SpanKind.CLIENT, attributes: attributesOf(request, method) },
          parent,
        );
        spans.set(request, span);
        propagation.inject(trace.setSpan(parent, span), request, {
          set: (target, key, value) => target.addHeader(key, value),
        });
      },
      "undici:request:headers": ({
        request,
        response,
      }: {
        request: UndiciRequest;
        response: { statusCode: number };
      }) => {
        const span = spans.get(request);
        if (span === undefined) return;
        span.setAttribute("http.response.status_code", response.statusCode);
        if (response.statusCode < 400) return;
        span.setAttribute("error.type", String(response.statusCode));
        span.setStatus({ code: SpanStatusCode.ERROR });
      },
      "undici:request:trailers": ({ request }: { request: UndiciRequest }) => finish(request),
      "undici:request:error": ({
        request,
        error,
      }: {
        request: UndiciRequest;
        error: Error & { code?: string | number };
      }) =>
        finish(request, (span) => {
          span.recordException(error);
          span.setAttribute("error.type", typeof error.code === "string" ? error.code : error.name);
          span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
        }),
    },
    onError,
  );
}

function attributesOf(request: UndiciRequest, method: string): Attributes {
  const origin = typeof request.origin === "string" ? new URL(request.origin) : request.origin;
  const [path = "/"] = request.path.split("?");
  return {
    "http.request.method": method,
    "server.address": origin.hostname,
    "server.port": Number(origin.port) || (origin.protocol === "https:" ? 443 : 80),
    // Without the query, which may hold what nobody wants to store.
    "url.full": origin.origin + path,
  };
}
