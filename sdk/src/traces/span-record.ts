import type { Attributes as ApiAttributes, HrTime } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Attributes, Resource, Scope, Span, SpanKind } from "@tocsin/model";

/** Turns finished spans of the OpenTelemetry SDK into OTLP's. Spans of one tracer share their scope object. */
export class SpanConverter {
  readonly #resource: Resource;
  readonly #scopes = new Map<string, Scope>();

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  convert(span: ReadableSpan): Span {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const parent = span.parentSpanContext;
    return {
      traceId,
      spanId,
      parentSpanId: parent?.spanId ?? "",
      traceState: traceState?.serialize() ?? "",
      // Bits 8 and 9 of OTLP's flags: whether it is known that the parent is remote, and whether it is.
      flags: traceFlags | 0x100 | (parent?.isRemote === true ? 0x200 : 0),
      name: span.name,
      // OTLP counts from 1, because 0 is unspecified there.
      kind: (span.kind + 1) as SpanKind,
      startTimeUnixNano: toNano(span.startTime),
      endTimeUnixNano: toNano(span.endTime),
      attributes: toAttributes(span.attributes),
      events: span.events.map(({ time, name, attributes = {} }) => ({
        timeUnixNano: toNano(time),
        name,
        attributes: toAttributes(attributes),
      })),
      links: span.links.map(({ context, attributes = {} }) => ({
        traceId: context.traceId,
        spanId: context.spanId,
        traceState: context.traceState?.serialize() ?? "",
        attributes: toAttributes(attributes),
      })),
      status: { code: span.status.code, message: span.status.message ?? "" },
      resource: this.#resource,
      scope: this.#scope(span.instrumentationScope),
    };
  }

  #scope({ name, version = "" }: ReadableSpan["instrumentationScope"]): Scope {
    const key = `${name}@${version}`;
    const known = this.#scopes.get(key);
    if (known !== undefined) return known;
    const scope = { name, version, attributes: {} };
    this.#scopes.set(key, scope);
    return scope;
  }
}

const toNano = ([seconds, nanos]: HrTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

/** The API's attributes are a subset of OTLP's, but for arrays with holes. */
const toAttributes = (attributes: ApiAttributes): Attributes => attributes as Attributes;
