import type { Resource, Signal } from "../signal.ts";
import { readResource } from "./decode-common.ts";
import { decodeAt, MAX_INSPECTED_OBJECTS, WireError, type Reader } from "./reader.ts";
import { requestSchemas, schemas, type FieldKind, type FieldSchema, type MessageSchema } from "./schema.ts";

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
  const read = (reader: Reader) => {
    const found: Found = { records: 0, service: undefined, incomplete: 0, ids: 0 };
    walk(reader, planOf(request), found);
    return { records: found.records, service: found.service ?? "", incomplete: found.incomplete };
  };
  return decodeAt(request, bytes, read, MAX_INSPECTED_OBJECTS);
}

interface Found {
  records: number;
  /** Undefined until the first resource has been seen. */
  service: string | undefined;
  incomplete: number;
  /** Which ids the span at hand has: 1 trace id, 2 span id. */
  ids: number;
}

/** What to do with a field. A number, because this runs for every field of every record. */
const Step = {
  skip: 0,
  varint: 1,
  fixed64: 2,
  fixed32: 3,
  string: 4,
  bytes: 5,
  traceId: 6,
  spanId: 7,
  message: 8,
  packedFixed64: 9,
  packedVarint: 10,
} as const;

/** A message's schema as a table by tag, which one byte holds for fields up to 15 and two for those up to 31. */
interface Plan {
  schema: MessageSchema;
  steps: Uint8Array;
  /** Sub-messages by tag. */
  plans: (Plan | undefined)[];
}

const TAGS = 256;
const plans = new Map<MessageSchema, Plan>();

function planOf(schema: MessageSchema): Plan {
  const known = plans.get(schema);
  if (known) return known;
  const plan: Plan = { schema, steps: new Uint8Array(TAGS), plans: [] };
  plans.set(schema, plan);
  for (const [number, field] of schema.fields.entries()) {
    for (const [type, step] of field ? stepsOf(field) : []) {
      const tag = (number << 3) | type;
      plan.steps[tag] = step;
      if (field?.message) plan.plans[tag] = planOf(field.message);
    }
  }
  return plan;
}

const STEPS: Readonly<Record<FieldKind, readonly (readonly [type: number, step: number])[]>> = {
  varint: [[0, Step.varint]],
  fixed64: [[1, Step.fixed64]],
  fixed32: [[5, Step.fixed32]],
  string: [[2, Step.string]],
  bytes: [[2, Step.bytes]],
  traceId: [[2, Step.traceId]],
  spanId: [[2, Step.spanId]],
  message: [[2, Step.message]],
  packedFixed64: [
    [1, Step.fixed64],
    [2, Step.packedFixed64],
  ],
  packedVarint: [
    [0, Step.varint],
    [2, Step.packedVarint],
  ],
};

const stepsOf = (field: FieldSchema) => STEPS[field.kind];

function walk(reader: Reader, plan: Plan, found: Found): void {
  const { steps } = plan;
  while (reader.pos < reader.limit) {
    const tag = reader.tag();
    // An unknown field, or a known one with another wire type, which `skip` tells apart.
    const step = tag < TAGS ? (steps[tag] as number) : Step.skip;
    switch (step) {
      case Step.message:
        walkInto(reader, plan.plans[tag] as Plan, found);
        break;
      case Step.string: {
        const length = reader.length();
        reader.checkText(length);
        break;
      }
      case Step.varint:
        reader.varint();
        break;
      case Step.fixed64:
        reader.skip64();
        break;
      case Step.fixed32:
        reader.fixed32();
        break;
      case Step.bytes:
        reader.skipBytes();
        break;
      case Step.traceId:
        walkId(reader, 16, plan.schema === schemas.Span ? 1 : 0, found);
        break;
      case Step.spanId:
        // The other span id of a span is its parent's, in field 4.
        walkId(reader, 8, plan.schema === schemas.Span && tag >>> 3 === 2 ? 2 : 0, found);
        break;
      case Step.packedFixed64: {
        const length = reader.packedLength();
        reader.pos += length;
        break;
      }
      case Step.packedVarint:
        walkVarints(reader);
        break;
      default:
        reader.skip(tag, plan.schema);
    }
  }
}

function walkInto(reader: Reader, plan: Plan, found: Found): void {
  const { schema } = plan;
  if (schema === schemas.Resource && found.service === undefined) {
    // The first resource is read, not only walked: the caller wants its service.
    const resource: Resource = { attributes: {} };
    readResource(reader, resource);
    const name = resource.attributes["service.name"];
    found.service = typeof name === "string" ? name : "";
    return;
  }
  const outer = reader.enter();
  if (schema.object) reader.countObject();
  if (schema.record) found.records++;
  if (schema !== schemas.Span) walk(reader, plan, found);
  else {
    found.ids = 0;
    walk(reader, plan, found);
    if (found.ids !== 3) found.incomplete++;
  }
  reader.leave(outer);
}

/** `bit` is noted while the id is not all zeros. */
function walkId(reader: Reader, size: number, bit: number, found: Found): void {
  const at = reader.pos;
  const length = reader.length();
  if (length !== size && length !== 0) throw new WireError(at, `an id has ${size} bytes, not ${length}`);
  const end = reader.pos + length;
  let any = 0;
  for (let i = reader.pos; i < end; i++) any |= reader.bytes[i] as number;
  reader.pos = end;
  found.ids = any === 0 ? found.ids & ~bit : found.ids | bit;
}

function walkVarints(reader: Reader): void {
  const outer = reader.enter();
  while (reader.more) reader.varint();
  reader.leave(outer);
}
