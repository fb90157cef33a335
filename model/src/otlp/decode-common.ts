import type { Attributes, AttributeValue, Resource, Scope } from "../signal.ts";
import type { Reader } from "./reader.ts";
import { schemas, type MessageSchema, type RequestSchema } from "./schema.ts";

const emptyScope = (): Scope => ({ name: "", version: "", attributes: {} });

/** Reads one KeyValue into the map; of a name given twice the last value stays. */
export function readAttribute(reader: Reader, into: Attributes): void {
  const outer = reader.enter();
  let key = "";
  let value: AttributeValue = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) key = reader.string();
    else if (tag === 18) value = readAnyValue(reader);
    else reader.skip(tag, schemas.KeyValue);
  }
  reader.leave(outer);
  setAttribute(into, key, value);
}

/** `into[key] = value`, for the one key that would set the prototype instead as well. */
export function setAttribute(into: Attributes, key: string, value: AttributeValue): void {
  if (key === "__proto__")
    Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  else into[key] = value;
}

/** An AnyValue without any of its fields is null. */
export function readAnyValue(reader: Reader): AttributeValue {
  const outer = reader.enter();
  let value: AttributeValue = null;
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        value = reader.string();
        break;
      case 16:
        value = reader.bool();
        break;
      case 24:
        value = reader.int64();
        break;
      case 33:
        value = reader.double();
        break;
      case 42:
        value = readArray(reader);
        break;
      case 50:
        value = readKeyValueList(reader);
        break;
      case 58:
        value = reader.byteString();
        break;
      default:
        reader.skip(tag, schemas.AnyValue);
    }
  }
  reader.leave(outer);
  return value;
}

function readArray(reader: Reader): AttributeValue[] {
  const outer = reader.enter();
  const values: AttributeValue[] = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) values.push(readAnyValue(reader));
    else reader.skip(tag, schemas.ArrayValue);
  }
  reader.leave(outer);
  return values;
}

function readKeyValueList(reader: Reader): Attributes {
  const outer = reader.enter();
  const values: Attributes = {};
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readAttribute(reader, values);
    else reader.skip(tag, schemas.KeyValueList);
  }
  reader.leave(outer);
  return values;
}

/** Fills the given resource: its fields may come after the records that refer to it. */
export function readResource(reader: Reader, resource: Resource): void {
  const outer = reader.enter();
  reader.countObject();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readAttribute(reader, resource.attributes);
    else if (tag === 16) reader.varint();
    else if (tag === 26) readEntityRef(reader);
    else reader.skip(tag, schemas.Resource);
  }
  reader.leave(outer);
}

/** Checked, not kept: the model has no place for it yet. */
function readEntityRef(reader: Reader): void {
  const outer = reader.enter();
  reader.countObject();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10 || tag === 18 || tag === 26 || tag === 34) reader.string();
    else reader.skip(tag, schemas.EntityRef);
  }
  reader.leave(outer);
}

/** Fills the given scope. */
function readScope(reader: Reader, scope: Scope): void {
  const outer = reader.enter();
  reader.countObject();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) scope.name = reader.string();
    else if (tag === 18) scope.version = reader.string();
    else if (tag === 26) readAttribute(reader, scope.attributes);
    else if (tag === 32) reader.varint();
    else reader.skip(tag, schemas.Scope);
  }
  reader.leave(outer);
}

/**
 * Reads a whole export request of any signal: resource groups, scope groups, records. The three requests differ only in
 * their records, so the walk down to them is written once.
 */
export function readRequest(
  reader: Reader,
  schema: RequestSchema,
  readRecord: (reader: Reader, resource: Resource, scope: Scope) => void,
): void {
  while (reader.more) {
    const tag = reader.tag();
    if (tag !== 10) {
      reader.skip(tag, schema.request);
      continue;
    }
    const outer = reader.enter();
    reader.countObject();
    const resource: Resource = { attributes: {} };
    while (reader.more) {
      const tag = reader.tag();
      if (tag === 10) readResource(reader, resource);
      else if (tag === 18) readScopeGroup(reader, schema.scopeGroup, resource, readRecord);
      else if (tag === 26) reader.string();
      else reader.skip(tag, schema.resourceGroup);
    }
    reader.leave(outer);
  }
}

function readScopeGroup(
  reader: Reader,
  schema: MessageSchema,
  resource: Resource,
  readRecord: (reader: Reader, resource: Resource, scope: Scope) => void,
): void {
  const outer = reader.enter();
  reader.countObject();
  const scope = emptyScope();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readScope(reader, scope);
    else if (tag === 18) readRecord(reader, resource, scope);
    else if (tag === 26) reader.string();
    else reader.skip(tag, schema);
  }
  reader.leave(outer);
}
