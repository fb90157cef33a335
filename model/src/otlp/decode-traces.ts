import type { Resource, Scope, Span, SpanEvent, SpanKind, SpanLink, StatusCode } from "../signal.ts";
import { readAttribute, readRequest } from "./decode-common.ts";
import { decodeAt, type Reader } from "./reader.ts";
import { requestSchemas, schemas } from "./schema.ts";

/** Reads an ExportTraceServiceRequest. Throws OtlpDecodeError. */
export function decodeTraces(bytes: Uint8Array): Span[] {
  return decodeAt(requestSchemas.traces.request, bytes, (reader) => {
    const spans: Span[] = [];
    readRequest(reader, requestSchemas.traces, (reader, resource, scope) => {
      spans.push(readSpan(reader, resource, scope));
    });
    return spans;
  });
}

function readSpan(reader: Reader, resource: Resource, scope: Scope): Span {
  const outer = reader.enter();
  reader.countObject();
  const span: Span = {
    traceId: "",
    spanId: "",
    parentSpanId: "",
    traceState: "",
    flags: 0,
    name: "",
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes: {},
    events: [],
    links: [],
    status: { code: 0, message: "" },
    resource,
    scope,
  };
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        span.traceId = reader.id(16);
        break;
      case 18:
        span.spanId = reader.id(8);
        break;
      case 26:
        span.traceState = reader.string();
        break;
      case 34:
        span.parentSpanId = reader.id(8);
        break;
      case 42:
        span.name = reader.string();
        break;
      case 48:
        span.kind = toSpanKind(reader.int32());
        break;
      case 57:
        span.startTimeUnixNano = reader.fixed64();
        break;
      case 65:
        span.endTimeUnixNano = reader.fixed64();
        break;
      case 74:
        readAttribute(reader, span.attributes);
        break;
      case 90:
        span.events.push(readEvent(reader));
        break;
      case 106:
        span.links.push(readLink(reader));
        break;
      case 122:
        readStatus(reader, span.status);
        break;
      case 133:
        span.flags = reader.fixed32();
        break;
      case 80:
      case 96:
      case 112:
        reader.varint();
        break;
      default:
        reader.skip(tag, schemas.Span);
    }
  }
  reader.leave(outer);
  return span;
}

/** A kind that OTLP does not know (yet) counts as unspecified. */
export function toSpanKind(value: number): SpanKind {
  return value >= 0 && value <= 5 ? (value as SpanKind) : 0;
}

/** A status code that OTLP does not know counts as unset. */
export function toStatusCode(value: number): StatusCode {
  return value === 1 || value === 2 ? value : 0;
}

function readEvent(reader: Reader): SpanEvent {
  const outer = reader.enter();
  reader.countObject();
  const event: SpanEvent = { timeUnixNano: 0n, name: "", attributes: {} };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 9) event.timeUnixNano = reader.fixed64();
    else if (tag === 18) event.name = reader.string();
    else if (tag === 26) readAttribute(reader, event.attributes);
    else if (tag === 32) reader.varint();
    else reader.skip(tag, schemas.SpanEvent);
  }
  reader.leave(outer);
  return event;
}

function readLink(reader: Reader): SpanLink {
  const outer = reader.enter();
  reader.countObject();
  const link: SpanLink = { traceId: "", spanId: "", traceState: "", attributes: {} };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) link.traceId = reader.id(16);
    else if (tag === 18) link.spanId = reader.id(8);
    else if (tag === 26) link.traceState = reader.string();
    else if (tag === 34) readAttribute(reader, link.attributes);
    else if (tag === 40) reader.varint();
    else if (tag === 53) reader.fixed32();
    else reader.skip(tag, schemas.SpanLink);
  }
  reader.leave(outer);
  return link;
}

function readStatus(reader: Reader, status: Span["status"]): void {
  const outer = reader.enter();
  reader.countObject();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 18) status.message = reader.string();
    else if (tag === 24) status.code = toStatusCode(reader.int32());
    else reader.skip(tag, schemas.Status);
  }
  reader.leave(outer);
}
