import { context } from "@opentelemetry/api";
import { ExportResultCode } from "@opentelemetry/core";
import type { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Attributes } from "@tocsin/model";
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { addAbortSignal } from "node:stream";
import { UNTRACED } from "../context.ts";
import { describe, isRetryable, type OtlpHttpOptions, readAnswer } from "./otlp-http.ts";
import type { ExportResult, Send } from "./result.ts";

export interface OfficialTraceExporterOptions extends Omit<OtlpHttpOptions, "contentType"> {
  /** Of every span that is sent, whoever has made it. */
  resource: Attributes;
}

type ExporterConfig = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>;

/** One call of the exporter, which shall make one request. */
interface Attempt {
  result?: ExportResult;
}

const REQUEST_CREATED = "http.client.request.created";

/**
 * Sends spans as OTLP/JSON with OpenTelemetry's own exporter, which is loaded when the first batch is sent.
 *
 * Of a request that failed it tells only that, and it repeats it by itself for up to the timeout, without the answer's
 * Retry-After when that is longer, and without regard for a flush. The queue in front of it knows better, so the answer is read here
 * as well, from the request that the exporter makes, and the exporter is told that repeating is of no use.
 */
export function officialTraceExporter(options: OfficialTraceExporterOptions): Send<ReadableSpan[]> {
  const resource = resourceFromAttributes(options.resource);
  const attempts = new AsyncLocalStorage<Attempt>();
  let loaded: Promise<OTLPTraceExporter> | undefined;

  const onRequest = (message: unknown): void => {
    const attempt = attempts.getStore();
    if (attempt !== undefined) watch((message as { request: ClientRequest }).request, attempt, options);
  };

  return (spans) => {
    const attempt: Attempt = {};
    subscribe(REQUEST_CREATED, onRequest);
    return context
      .with(UNTRACED, () =>
        attempts.run(attempt, async () => {
          loaded ??= load(options);
          return await exportOnce(
            await loaded,
            spans.map((span) => withResource(span, resource)),
            attempt,
          );
        }),
      )
      .catch((error: unknown): ExportResult => ({ status: "permanent", error: String(error) }))
      .finally(() => unsubscribe(REQUEST_CREATED, onRequest));
  };
}

async function load({ url, headers, timeoutMs, gzip }: OfficialTraceExporterOptions): Promise<OTLPTraceExporter> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
  return new OTLPTraceExporter({
    url,
    headers,
    compression: (gzip ? "gzip" : "none") as NonNullable<ExporterConfig["compression"]>,
    // The request is given up by `watch` before; this one only counts the silence on its socket.
    timeoutMillis: 2 * timeoutMs,
  });
}

function exportOnce(exporter: OTLPTraceExporter, spans: ReadableSpan[], attempt: Attempt): Promise<ExportResult> {
  return new Promise((resolve) => {
    exporter.export(spans, ({ code, error }) => {
      const unseen: ExportResult =
        code === ExportResultCode.SUCCESS
          ? { status: "ok", rejected: 0, reason: "" }
          : { status: "permanent", error: error?.message ?? "the exporter gives no reason" };
      resolve(attempt.result ?? unseen);
    });
  });
}

/** Node publishes a request before its maker sees it, so these listeners run before the exporter's. */
function watch(request: ClientRequest, attempt: Attempt, options: OfficialTraceExporterOptions): void {
  addAbortSignal(AbortSignal.timeout(options.timeoutMs), request);
  // Exporting must not keep the app alive.
  request.once("socket", (socket) => socket.unref());
  request.prependOnceListener("response", (response: IncomingMessage) => {
    readAnswer(response, options, (result) => (attempt.result ??= result));
    // To the exporter a refusal for good: it would repeat the request by itself.
    if (isRetryable(response.statusCode)) response.statusCode = 500;
  });
  request.prependListener("error", (error: NodeJS.ErrnoException) => {
    attempt.result ??= { status: "retry", error: describe(error, options) };
    // By its code the exporter knows an error after which it would repeat the request.
    delete error.code;
  });
}

/** A copy, because the span's own provider has given it a resource of its own. */
function withResource(span: ReadableSpan, resource: ReadableSpan["resource"]): ReadableSpan {
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanContext && { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    status: span.status,
    attributes: span.attributes,
    links: span.links,
    events: span.events,
    duration: span.duration,
    ended: span.ended,
    resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}
