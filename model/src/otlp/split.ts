import type { Signal } from "../signal.ts";
import { decodeAt, type Reader } from "./reader.ts";
import { requestSchemas, schemas, type MessageSchema } from "./schema.ts";

/** A request in pieces, each a valid request. */
export interface SplitRequest {
  parts: Uint8Array[];
  /** Requests of one record each that are larger than the limit all the same; they are not among the parts. */
  tooLarge: Uint8Array[];
}

/** A field that repeats on the way from the request to its records, or the one that holds a metric's points. */
const REPEATED: ReadonlyMap<MessageSchema, readonly number[]> = new Map([
  ...Object.values(requestSchemas).flatMap(
    ({ request, resourceGroup, scopeGroup }): (readonly [MessageSchema, readonly number[]])[] => [
      [request, [1]],
      [resourceGroup, [2]],
      [scopeGroup, [2]],
    ],
  ),
  [schemas.Metric, [5, 7, 9, 10, 11]],
  [schemas.Gauge, [1]],
  [schemas.Sum, [1]],
  [schemas.Histogram, [1]],
  [schemas.ExponentialHistogram, [1]],
  [schemas.Summary, [1]],
]);

/**
 * Cuts a protobuf export request into requests of at most `maxBytes`: between resources where that is enough, else between
 * scopes, records and a metric's points. Each part repeats the resource and scope its records belong to; order stays; fields
 * that are not known here stay too. Throws OtlpDecodeError for what is not a request.
 */
export function splitRequest(signal: Signal, bytes: Uint8Array, maxBytes: number): SplitRequest {
  if (bytes.length <= maxBytes) return { parts: [bytes], tooLarge: [] };
  const { request } = requestSchemas[signal];
  return decodeAt(request, bytes, (reader) => split(reader, request, maxBytes));
}

interface Field {
  start: number;
  end: number;
  number: number;
  /** Where the content of a length-prefixed field begins. */
  content: number;
}

function split(reader: Reader, schema: MessageSchema, maxBytes: number): SplitRequest {
  const items: Field[] = [];
  const envelope: Uint8Array[] = [];
  const repeated = REPEATED.get(schema) ?? [];
  while (reader.more) {
    const field = readField(reader, schema);
    if (repeated.includes(field.number)) items.push(field);
    else envelope.push(reader.bytes.subarray(field.start, field.end));
  }
  const envelopeBytes = envelope.reduce((sum, { length }) => sum + length, 0);
  const result: SplitRequest = { parts: [], tooLarge: [] };
  let pending: Uint8Array[] = [];
  let size = envelopeBytes;
  const flush = () => {
    if (pending.length > 0) result.parts.push(concat([...envelope, ...pending]));
    pending = [];
    size = envelopeBytes;
  };
  for (const item of items) {
    const length = item.end - item.start;
    if (envelopeBytes + length > maxBytes) {
      flush();
      const inner = splitItem(reader, schema, item, maxBytes - envelopeBytes);
      for (const part of inner.parts) result.parts.push(concat([...envelope, part]));
      for (const record of inner.tooLarge) result.tooLarge.push(concat([...envelope, record]));
      continue;
    }
    if (size + length > maxBytes) flush();
    pending.push(reader.bytes.subarray(item.start, item.end));
    size += length;
  }
  flush();
  return result;
}

/** One item in pieces, each with the item's own tag and length around it. */
function splitItem(reader: Reader, parent: MessageSchema, item: Field, maxBytes: number): SplitRequest {
  const schema = parent.fields[item.number]?.message;
  const whole = reader.bytes.subarray(item.start, item.end);
  if (!schema || !REPEATED.has(schema)) return { parts: [], tooLarge: [whole] };
  const resume = reader.pos;
  const outer = reader.limit;
  reader.pos = item.content;
  reader.limit = item.end;
  const prefixBytes = item.content - item.start;
  const inner = split(reader, schema, maxBytes - prefixBytes);
  reader.pos = resume;
  reader.limit = outer;
  const wrap = (content: Uint8Array) => concat([varint((item.number << 3) | 2), varint(content.length), content]);
  return { parts: inner.parts.map(wrap), tooLarge: inner.tooLarge.map(wrap) };
}

function readField(reader: Reader, schema: MessageSchema): Field {
  const start = reader.pos;
  const tag = reader.tag();
  if ((tag & 7) !== 2) {
    const content = reader.pos;
    if ((tag & 7) === 0) reader.varint();
    else if ((tag & 7) === 1) reader.skip64();
    else if ((tag & 7) === 5) reader.fixed32();
    else reader.skip(tag, schema);
    return { start, end: reader.pos, number: 0, content };
  }
  const length = reader.length();
  const content = reader.pos;
  reader.pos += length;
  return { start, end: reader.pos, number: tag >>> 3, content };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
