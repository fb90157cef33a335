import type { Attributes, AttributeValue } from "@tocsin/model";
import { ByteReader, type ByteWriter } from "./bytes.ts";

/** One field of all records of a block, in one of the forms that are quick to test. */
export type Column =
  /** `rows[i]` is 0 where absent, else 1 + an index into `dict`. */
  | { kind: "dict"; dict: readonly AttributeValue[]; rows: Uint32Array }
  | { kind: "numbers"; values: ArrayLike<number> }
  /** An empty text is an absent one. */
  | { kind: "texts"; at: (row: number) => string };

export type DictColumn = Extract<Column, { kind: "dict" }>;

/** Gives equal values one number each, in order of appearance. */
export class Dictionary<T> {
  readonly values: T[] = [];
  readonly #index = new Map<unknown, number>();
  readonly #key: (value: T) => unknown;

  constructor(key: (value: T) => unknown) {
    this.#key = key;
  }

  add(value: T): number {
    const key = this.#key(value);
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    this.#index.set(key, this.values.length);
    return this.values.push(value) - 1;
  }
}

/** JSON holds strings, finite numbers, booleans and null as they are; everything else is an object with one tag. */
function toTagged(value: AttributeValue): unknown {
  if (typeof value === "bigint") return { i: value.toString() };
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { f: Object.is(value, -0) ? "-0" : String(value) };
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return { a: value.map(toTagged) };
  if (typeof value === "object" && value !== null)
    return { o: Object.entries(value).map(([key, item]) => [key, toTagged(item)]) };
  return value;
}

type Tagged =
  | string
  | number
  | boolean
  | null
  | { i: string }
  | { f: string }
  | { b: string }
  | { a: Tagged[] }
  | { o: [string, Tagged][] };

function fromTagged(value: Tagged): AttributeValue {
  if (typeof value !== "object" || value === null) return value;
  if ("i" in value) return BigInt(value.i);
  if ("f" in value) return Number(value.f);
  if ("b" in value) return new Uint8Array(Buffer.from(value.b, "base64"));
  if ("a" in value) return value.a.map(fromTagged);
  return fromEntries(value.o.map(([key, item]) => [key, fromTagged(item)]));
}

/** Like Object.fromEntries, for keys that came over the wire (`__proto__` becomes a plain key). */
function fromEntries(entries: [string, AttributeValue][]): Attributes {
  const attributes: Attributes = {};
  for (const [key, value] of entries) setOwn(attributes, key, value);
  return attributes;
}

function setOwn(attributes: Attributes, key: string, value: AttributeValue): void {
  if (key === "__proto__")
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
  else attributes[key] = value;
}

export const encodeValue = (value: AttributeValue): string => JSON.stringify(toTagged(value));
export const decodeValue = (json: string): AttributeValue => fromTagged(JSON.parse(json) as Tagged);

/** A Map key that is equal exactly for equal values. */
function valueKey(value: AttributeValue): unknown {
  if (typeof value === "object" && value !== null) return `\0${encodeValue(value)}`;
  return Object.is(value, -0) ? "\0-0" : value;
}

export function writeIndexes(writer: ByteWriter, rows: ArrayLike<number>): void {
  for (let i = 0; i < rows.length; i++) writer.varint(rows[i] as number);
}

export const readIndexes = (reader: ByteReader, n: number): Uint32Array => reader.varints(new Uint32Array(n));

/** Turns attribute maps into one dictionary column per key. */
export class ColumnBuilder {
  readonly #n: number;
  readonly columns = new Map<string, { dictionary: Dictionary<AttributeValue>; rows: Uint32Array; count: number }>();

  constructor(n: number) {
    this.#n = n;
  }

  add(row: number, attributes: Attributes): void {
    for (const key of Object.keys(attributes)) {
      let column = this.columns.get(key);
      if (!column) {
        column = { dictionary: new Dictionary<AttributeValue>(valueKey), rows: new Uint32Array(this.#n), count: 0 };
        this.columns.set(key, column);
      }
      column.rows[row] = column.dictionary.add(attributes[key] as AttributeValue) + 1;
      column.count++;
    }
  }

  /** count, then per column: key, length, and (dictionary JSON, dense or sparse rows) within that length. */
  write(writer: ByteWriter, part: () => ByteWriter): void {
    writer.varint(this.columns.size);
    for (const [key, { dictionary, rows, count }] of this.columns) {
      const inner = part();
      inner.text(JSON.stringify(dictionary.values.map(toTagged)));
      const sparse = count * 8 < rows.length;
      inner.varint(sparse ? 1 : 0);
      if (sparse) writeSparse(inner, rows, count);
      else writeIndexes(inner, rows);
      writer.text(key);
      writer.bytes(inner.finish());
    }
  }
}

function writeSparse(writer: ByteWriter, rows: Uint32Array, count: number): void {
  writer.varint(count);
  let last = 0;
  rows.forEach((value, i) => {
    if (value === 0) return;
    writer.varint(i - last);
    writer.varint(value);
    last = i;
  });
}

/** The attribute columns of a block; each is decoded when first asked for. */
export class AttributeColumns {
  readonly #n: number;
  readonly #encoded = new Map<string, Buffer>();
  readonly #decoded = new Map<string, DictColumn>();

  constructor(reader: ByteReader, n: number) {
    this.#n = n;
    const count = reader.varint();
    for (let i = 0; i < count; i++) this.#encoded.set(reader.text(), reader.bytes());
  }

  keys(): Iterable<string> {
    return this.#encoded.keys();
  }

  get(key: string): DictColumn | undefined {
    const known = this.#decoded.get(key);
    if (known) return known;
    const bytes = this.#encoded.get(key);
    if (!bytes) return undefined;
    const reader = new ByteReader(bytes);
    const dict = (JSON.parse(reader.text()) as Tagged[]).map(fromTagged);
    const rows = reader.varint() === 1 ? readSparse(reader, this.#n) : readIndexes(reader, this.#n);
    const column: DictColumn = { kind: "dict", dict, rows };
    this.#decoded.set(key, column);
    return column;
  }

  row(i: number): Attributes {
    const attributes: Attributes = {};
    for (const key of this.#encoded.keys()) {
      const column = this.get(key);
      const at = column?.rows[i];
      if (column && at) setOwn(attributes, key, column.dict[at - 1] as AttributeValue);
    }
    return attributes;
  }
}

function readSparse(reader: ByteReader, n: number): Uint32Array {
  const rows = new Uint32Array(n);
  let at = 0;
  for (let left = reader.varint(); left > 0; left--) {
    at += reader.varint();
    rows[at] = reader.varint();
  }
  return rows;
}
