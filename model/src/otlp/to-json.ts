import type { Signal } from "../signal.ts";
import { decodeAt, type Reader } from "./reader.ts";
import { requestSchemas, schemas, type FieldSchema, type MessageSchema } from "./schema.ts";

/** Fields of eight bytes that are floating point; the others are times and counts. */
const DOUBLES = new Set([
  "double_value",
  "as_double",
  "sum",
  "min",
  "max",
  "explicit_bounds",
  "quantile",
  "value",
  "zero_threshold",
]);
const BOOLEANS = new Set(["bool_value", "is_monotonic"]);
/** Zigzag integers. */
const SIGNED = new Set(["scale", "offset"]);

/**
 * Writes a protobuf export request as OTLP/JSON: proto3's JSON mapping with ids in hex and enums as numbers. Unknown fields are
 * left out. Throws OtlpDecodeError.
 */
export function requestToJson(signal: Signal, bytes: Uint8Array): string {
  const { request } = requestSchemas[signal];
  return JSON.stringify(decodeAt(request, bytes, (reader) => readMessage(reader, request)));
}

function readMessage(reader: Reader, schema: MessageSchema): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  // proto3 leaves empty lists out, but readers of OTLP expect a list value to hold one.
  if (schema === schemas.ArrayValue || schema === schemas.KeyValueList) json["values"] = [];
  while (reader.more) {
    const tag = reader.tag();
    const field = schema.fields[tag >>> 3];
    if (!field) {
      reader.skip(tag, schema);
      continue;
    }
    const name = jsonName(field.name);
    if (!field.repeated) {
      const value = readValue(reader, field, tag & 7);
      // Empty ids mean that there is none.
      if (value !== "" || (field.kind !== "traceId" && field.kind !== "spanId")) json[name] = value;
      continue;
    }
    const list = (json[name] ??= []) as unknown[];
    if ((tag & 7) === 2 && field.kind.startsWith("packed")) readPacked(reader, field, list);
    else list.push(readValue(reader, field, tag & 7));
  }
  return json;
}

function readPacked(reader: Reader, field: FieldSchema, into: unknown[]): void {
  const outer = reader.enter();
  while (reader.more) into.push(readValue(reader, field, field.kind === "packedFixed64" ? 1 : 0));
  reader.leave(outer);
}

const WIRE_TYPES: Readonly<Record<FieldSchema["kind"], number>> = {
  varint: 0,
  packedVarint: 0,
  fixed64: 1,
  packedFixed64: 1,
  string: 2,
  bytes: 2,
  traceId: 2,
  spanId: 2,
  message: 2,
  fixed32: 5,
};

function readValue(reader: Reader, field: FieldSchema, wireType: number): unknown {
  if (wireType !== WIRE_TYPES[field.kind]) {
    // Says which field has the wrong wire type.
    const only: MessageSchema = { name: field.name, fields: [undefined, field], object: false, record: false };
    reader.skip((1 << 3) | wireType, only);
  }
  switch (field.kind) {
    case "message":
      return readNested(reader, field.message as MessageSchema);
    case "string":
      return reader.string();
    case "bytes":
      return base64(reader.byteString());
    case "traceId":
      return reader.id(16);
    case "spanId":
      return reader.id(8);
    case "fixed32":
      return reader.fixed32();
    case "fixed64":
    case "packedFixed64":
      return readFixed64(reader, field.name);
    case "packedVarint":
      reader.varint();
      return String((BigInt(reader.hi) << 32n) | BigInt(reader.lo));
    case "varint":
      if (field.name === "int_value") return String(reader.int64());
      if (SIGNED.has(field.name)) return reader.sint32();
      return BOOLEANS.has(field.name) ? reader.bool() : reader.varint();
  }
}

function readNested(reader: Reader, schema: MessageSchema): unknown {
  const outer = reader.enter();
  const value = readMessage(reader, schema);
  reader.leave(outer);
  return value;
}

function readFixed64(reader: Reader, name: string): string | number {
  if (name === "as_int") return String(BigInt.asIntN(64, reader.fixed64()));
  if (!DOUBLES.has(name)) return String(reader.fixed64());
  const value = reader.double();
  return Number.isFinite(value) ? value : String(value);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

const names = new Map<string, string>();

function jsonName(name: string): string {
  let json = names.get(name);
  if (json === undefined) {
    json = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    names.set(name, json);
  }
  return json;
}
