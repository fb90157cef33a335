import type { Attributes, AttributeValue } from "@tocsin/model";
import { ByteReader, ByteWriter } from "./bytes.ts";

/** One field of all records of a block, in one of the forms that are quick to test. */
export type Column =
  /** `rows[i]` is 0 where absent, else 1 + an index into `dict`. */
  | { kind: "dict"; dict: readonly AttributeValue[]; rows: Uint32Array }
  /** Few records have it: those in `rows`, ascending; `values[k]` is the index into `dict` of the record `rows[k]`. */
  | { kind: "sparse"; dict: readonly AttributeValue[]; rows: Uint32Array; values: Uint32Array }
  | { kind: "numbers"; values: ArrayLike<number> }
  /** An empty text is an absent one. */
  | { kind: "texts"; at: (row: number) => string };

export type DictColumn = Extract<Column, { kind: "dict" }>;
type AttributeColumn = Extract<Column, { kind: "dict" | "sparse" }>;

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

interface ColumnInMaking {
  dictionary: Dictionary<AttributeValue>;
  /** The records that have the key, ascending, and their indexes into the dictionary. */
  rows: number[];
  values: number[];
}

/** A column that fewer than one in so many records have is written and read as a list of those that do. */
const SPARSE = 8;

/** Turns attribute maps into one dictionary column per key; its size follows the attributes, however many the keys. */
export class ColumnBuilder {
  readonly #n: number;
  readonly #columns = new Map<string, ColumnInMaking>();

  constructor(n: number) {
    this.#n = n;
  }

  /** Records come in order of their rows. */
  add(row: number, attributes: Attributes): void {
    for (const key of Object.keys(attributes)) {
      let column = this.#columns.get(key);
      if (!column) {
        column = { dictionary: new Dictionary<AttributeValue>(valueKey), rows: [], values: [] };
        this.#columns.set(key, column);
      }
      column.rows.push(row);
      column.values.push(column.dictionary.add(attributes[key] as AttributeValue));
    }
  }

  /** The different values of each key. */
  *values(): Generator<[key: string, value: AttributeValue]> {
    for (const [key, { dictionary }] of this.#columns) for (const value of dictionary.values) yield [key, value];
  }

  /** Number of columns; then of each its key, its length, and within that the dictionary and dense or sparse rows. */
  write(writer: ByteWriter): void {
    writer.varint(this.#columns.size);
    const inner = new ByteWriter();
    for (const [key, column] of this.#columns) {
      inner.clear();
      inner.text(JSON.stringify(column.dictionary.values.map(toTagged)));
      if (column.rows.length * SPARSE < this.#n) writeSparse(inner, column);
      else writeDense(inner, column, this.#n);
      writer.text(key);
      writer.bytes(inner.finish());
    }
  }
}

/** 0, then for each record 0 where absent, else 1 + the index. */
function writeDense(writer: ByteWriter, { rows, values }: ColumnInMaking, n: number): void {
  const dense = new Uint32Array(n);
  rows.forEach((row, k) => (dense[row] = (values[k] as number) + 1));
  writer.varint(0);
  writeIndexes(writer, dense);
}

/** The count, which is not 0; the rows as distances; the indexes. */
function writeSparse(writer: ByteWriter, { rows, values }: ColumnInMaking): void {
  writer.varint(rows.length);
  let last = 0;
  for (const row of rows) {
    writer.varint(row - last);
    last = row;
  }
  writeIndexes(writer, values);
}

/** The attribute columns of a block; each is decoded when first asked for. */
export class AttributeColumns {
  readonly #n: number;
  readonly #encoded = new Map<string, Buffer>();
  readonly #decoded = new Map<string, AttributeColumn>();

  constructor(reader: ByteReader, n: number) {
    this.#n = n;
    const count = reader.varint();
    for (let i = 0; i < count; i++) this.#encoded.set(reader.text(), reader.bytes());
  }

  get(key: string): AttributeColumn | undefined {
    const known = this.#decoded.get(key);
    if (known) return known;
    const bytes = this.#encoded.get(key);
    if (!bytes) return undefined;
    const column = readColumn(new ByteReader(bytes), this.#n);
    this.#decoded.set(key, column);
    return column;
  }

  row(i: number): Attributes {
    const attributes: Attributes = {};
    for (const key of this.#encoded.keys()) {
      const column = this.get(key);
      const at = column && indexAt(column, i);
      if (column && at !== undefined) setOwn(attributes, key, column.dict[at] as AttributeValue);
    }
    return attributes;
  }
}

function readColumn(reader: ByteReader, n: number): AttributeColumn {
  const dict = (JSON.parse(reader.text()) as Tagged[]).map(fromTagged);
  const count = reader.varint();
  if (count === 0) return { kind: "dict", dict, rows: readIndexes(reader, n) };
  const rows = readIndexes(reader, count);
  for (let k = 1; k < count; k++) rows[k] = (rows[k] as number) + (rows[k - 1] as number);
  return { kind: "sparse", dict, rows, values: readIndexes(reader, count) };
}

/** Where in the dictionary the value of a record stands; undefined when it has none. */
function indexAt(column: AttributeColumn, row: number): number | undefined {
  if (column.kind === "dict") {
    const at = column.rows[row] as number;
    return at === 0 ? undefined : at - 1;
  }
  const k = column.rows.indexOf(row);
  return k < 0 ? undefined : column.values[k];
}
