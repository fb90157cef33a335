import type { Resource, Signal } from "../signal.ts";
import { readResource } from "./decode-common.ts";
import { packedLength } from "./decode-metrics.ts";
import { decodeAt, WireError, type Reader } from "./reader.ts";
import { requestSchemas, schemas, type FieldSchema, type MessageSchema } from "./schema.ts";

export interface Inspection {
  /** Log records, spans, or metric data points. */
  records: number;
  /** service.name of the first resource; empty when it has none. */
  service: string;
  /** Spans that lack a trace id or a span id, which makes them invalid; they decode all the same. */
  incomplete: number;
}

/**
 * Walks a protobuf export request down to every field without building objects, so that what it accepts also decodes.
 * Throws OtlpDecodeError.
 */
export function inspect(signal: Signal, bytes: Uint8Array): Inspection {
  const { request } = requestSchemas[signal];
  return decodeAt(request, bytes, (reader) => {
    const walk: Walk = { records: 0, service: undefined, incomplete: 0, ids: 0 };
    walkMessage(reader, request, walk);
    return { records: walk.records, service: walk.service ?? "", incomplete: walk.incomplete };
  });
}

interface Walk {
  records: number;
  /** Undefined until the first resource has been seen. */
  service: string | undefined;
  incomplete: number;
  /** Which ids the span at hand has: 1 trace id, 2 span id. */
  ids: number;
}

function walkMessage(reader: Reader, schema: MessageSchema, walk: Walk): void {
  while (reader.more) {
    const tag = reader.tag();
    const field = schema.fields[tag >>> 3];
    if (field) walkField(reader, tag, field, schema, walk);
    else reader.skip(tag, schema);
  }
}

function walkField(reader: Reader, tag: number, field: FieldSchema, owner: MessageSchema, walk: Walk): void {
  const type = tag & 7;
  switch (field.kind) {
    case "message":
      if (type !== 2) return reader.skip(tag, owner);
      return walkInto(reader, field.message as MessageSchema, walk);
    case "string": {
      if (type !== 2) return reader.skip(tag, owner);
      const length = reader.length();
      reader.checkText(reader.pos, length);
      reader.pos += length;
      return;
    }
    case "varint":
      if (type !== 0) return reader.skip(tag, owner);
      reader.varint();
      return;
    case "fixed64":
      if (type !== 1) return reader.skip(tag, owner);
      reader.skip64();
      return;
    case "fixed32":
      if (type !== 5) return reader.skip(tag, owner);
      reader.fixed32();
      return;
    case "bytes":
      if (type !== 2) return reader.skip(tag, owner);
      reader.skipBytes();
      return;
    case "traceId":
    case "spanId":
      if (type !== 2) return reader.skip(tag, owner);
      walkId(reader, field, owner, walk);
      return;
    case "packedFixed64":
      if (type === 1) return reader.skip64();
      if (type !== 2) return reader.skip(tag, owner);
      {
        const length = packedLength(reader);
        reader.pos += length;
      }
      return;
    case "packedVarint":
      if (type === 0) return void reader.varint();
      if (type !== 2) return reader.skip(tag, owner);
      walkVarints(reader);
  }
}

function walkInto(reader: Reader, schema: MessageSchema, walk: Walk): void {
  if (schema === schemas.Resource && walk.service === undefined) {
    // The first resource is read, not only walked: the caller wants its service.
    const resource: Resource = { attributes: {} };
    readResource(reader, resource);
    const name = resource.attributes["service.name"];
    walk.service = typeof name === "string" ? name : "";
    return;
  }
  const outer = reader.enter();
  if (schema.object) reader.countObject();
  if (schema.record) walk.records++;
  if (schema === schemas.Span) walk.ids = 0;
  walkMessage(reader, schema, walk);
  if (schema === schemas.Span && walk.ids !== 3) walk.incomplete++;
  reader.leave(outer);
}

function walkId(reader: Reader, field: FieldSchema, owner: MessageSchema, walk: Walk): void {
  const at = reader.pos;
  const size = field.kind === "traceId" ? 16 : 8;
  const length = reader.length();
  if (length !== size && length !== 0) throw new WireError(at, `an id has ${size} bytes, not ${length}`);
  const end = reader.pos + length;
  let any = 0;
  for (let i = reader.pos; i < end; i++) any |= reader.bytes[i] as number;
  reader.pos = end;
  if (owner !== schemas.Span || field.name === "parent_span_id") return;
  const bit = field.kind === "traceId" ? 1 : 2;
  walk.ids = any === 0 ? walk.ids & ~bit : walk.ids | bit;
}

function walkVarints(reader: Reader): void {
  const outer = reader.enter();
  while (reader.more) reader.varint();
  reader.leave(outer);
}
