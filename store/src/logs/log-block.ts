import { messageText, serviceName, severityLevel, indexText, type Field, type LogRecord } from "@tocsin/model";
import { ByteReader, ByteWriter } from "../blocks/bytes.ts";
import {
  AttributeColumns,
  ColumnBuilder,
  decodeValue,
  Dictionary,
  encodeValue,
  readIndexes,
  writeIndexes,
  type Column,
} from "../blocks/columns.ts";
import type { BlockParts, BlockView, EncodedBlock } from "../blocks/block.ts";
import { compress, decompress } from "../blocks/compress.ts";
import { idAt, packIds } from "../blocks/ids.ts";
import { Origin, OriginBuilder } from "../blocks/origin.ts";
import { joinNano, readTimes, splitTimes, writeTimes, type Times } from "../blocks/times.ts";
import { addValueTokens, knownToken, pairToken, serviceToken, traceToken } from "../blocks/tokens.ts";

/** The time a record is filed under: its own, else when it was observed. */
export const effectiveTime = (record: LogRecord): bigint =>
  record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano;

export function encodeLogBlock(records: readonly LogRecord[]): EncodedBlock {
  const times = splitTimes(records.map(effectiveTime));
  return {
    t0: times.ms.reduce((a, b) => Math.min(a, b), Infinity),
    t1: times.ms.reduce((a, b) => Math.max(a, b), 0),
    n: records.length,
    hot: compress(encodeHot(records, times)),
    ids: compress(encodeIds(records)),
    attrs: compress(encodeAttributes(records)),
    body: compress(encodeBodies(records)),
  };
}

function encodeHot(records: readonly LogRecord[], times: Times): Buffer {
  const writer = new ByteWriter();
  const services = new Dictionary<string>((name) => name);
  const rows = records.map((record) => services.add(serviceName(record.resource)));
  writer.varint(records.length);
  writeTimes(writer, times);
  writer.text(JSON.stringify(services.values));
  writeIndexes(writer, rows);
  for (const record of records) writer.varint(record.severityNumber);
  return writer.finish();
}

function encodeIds(records: readonly LogRecord[]): Buffer {
  const writer = new ByteWriter();
  writer.raw(
    packIds(
      records.map((record) => record.traceId),
      16,
    ),
  );
  writer.raw(
    packIds(
      records.map((record) => record.spanId),
      8,
    ),
  );
  return writer.finish();
}

function encodeAttributes(records: readonly LogRecord[]): Buffer {
  const writer = new ByteWriter();
  const origin = new OriginBuilder();
  const columns = new ColumnBuilder(records.length);
  const events = new Dictionary<string>((text) => text);
  const severityTexts = new Dictionary<string>((text) => text);
  records.forEach((record, i) => {
    origin.add(record.resource, record.scope);
    columns.add(i, record.attributes);
  });
  const eventRows = records.map((record) => (record.eventName === "" ? 0 : events.add(record.eventName) + 1));
  const textRows = records.map((record) => severityTexts.add(record.severityText));
  origin.write(writer);
  writer.text(JSON.stringify(events.values));
  writeIndexes(writer, eventRows);
  writer.text(JSON.stringify(severityTexts.values));
  writeIndexes(writer, textRows);
  writeIndexes(
    writer,
    records.map((record) => record.flags),
  );
  writeTimes(writer, splitTimes(records.map((record) => record.observedTimeUnixNano)));
  columns.write(writer);
  return writer.finish();
}

/** A text body is kept as it is, any other as tagged JSON. */
function encodeBodies(records: readonly LogRecord[]): Buffer {
  const writer = new ByteWriter();
  const bodies = records.map(({ body }) =>
    typeof body === "string"
      ? { kind: 0, bytes: Buffer.from(body, "utf8") }
      : { kind: 1, bytes: Buffer.from(encodeValue(body), "utf8") },
  );
  for (const { kind, bytes } of bodies) writer.varint(bytes.length * 2 + kind);
  for (const { bytes } of bodies) writer.raw(bytes);
  return writer.finish();
}

/** The words of each record, and its trace, as the index of rows takes them. */
export function logRowTokens(record: LogRecord): string {
  const words = indexText(messageText(record.body));
  return record.traceId === "" ? words : `${words} ${traceToken(record.traceId)}`;
}

/** What the index of blocks knows of a block. */
export function logBlockTokens(records: readonly LogRecord[]): Set<string> {
  const tokens = new Set<string>();
  const resources = new Set<object>();
  const columns = new ColumnBuilder(records.length);
  records.forEach((record, i) => {
    const service = serviceName(record.resource);
    const level = severityLevel(record.severityNumber);
    tokens.add(serviceToken(service)).add(knownToken("severity", level)).add(pairToken(service, level));
    if (record.scope.name !== "") tokens.add(knownToken("scope", record.scope.name));
    if (record.eventName !== "") tokens.add(knownToken("event", record.eventName));
    columns.add(i, record.attributes);
    if (resources.has(record.resource)) return;
    resources.add(record.resource);
    for (const [key, value] of Object.entries(record.resource.attributes)) addValueTokens(tokens, key, value);
  });
  for (const [key, value] of columns.values()) addValueTokens(tokens, key, value);
  return tokens;
}

interface LogAttributes {
  origin: Origin;
  events: string[];
  eventRows: Uint32Array;
  severityTexts: string[];
  severityTextRows: Uint32Array;
  flags: Uint32Array;
  observed: Times;
  columns: AttributeColumns;
}

/** A block of logs under search; parts are decompressed when first needed. */
export class LogBlock implements BlockView {
  readonly n: number;
  readonly ms: Float64Array;
  readonly nanos: Uint32Array;
  readonly services: string[];
  readonly serviceRows: Uint32Array;
  readonly severities: Uint32Array;
  readonly #parts: BlockParts;
  #attrs: LogAttributes | undefined;
  #ids: { trace: Buffer; span: Buffer } | undefined;
  #bodies: { buffer: Buffer; offsets: Uint32Array; kinds: Uint8Array } | undefined;

  constructor(parts: BlockParts) {
    this.#parts = parts;
    const reader = new ByteReader(decompress(parts.hot));
    this.n = reader.varint();
    ({ ms: this.ms, nanos: this.nanos } = readTimes(reader, this.n));
    this.services = JSON.parse(reader.text()) as string[];
    this.serviceRows = readIndexes(reader, this.n).map((row) => row + 1);
    this.severities = readIndexes(reader, this.n);
  }

  text(row: number): string {
    const { buffer, offsets, kinds } = this.#readBodies();
    const raw = buffer.toString("utf8", offsets[row], offsets[row + 1]);
    return kinds[row] === 0 ? raw : messageText(decodeValue(raw));
  }

  columns(field: Field): Column[] {
    if (field.in !== "known") {
      const own = field.in === "resource" ? [] : this.#attributeColumn(field.key);
      return field.in === "attributes" ? own : [...own, this.#readAttrs().origin.column(field.key)];
    }
    switch (field.name) {
      case "service":
        return [{ kind: "dict", dict: this.services, rows: this.serviceRows }];
      case "severity":
        return [{ kind: "numbers", values: this.severities }];
      case "trace":
        return [{ kind: "texts", at: (row) => this.traceId(row) }];
      case "span":
        return [{ kind: "texts", at: (row) => this.spanId(row) }];
      case "scope":
        return [{ kind: "texts", at: (row) => this.#readAttrs().origin.scope(row).name }];
      case "event": {
        const { events, eventRows } = this.#readAttrs();
        return [{ kind: "dict", dict: events, rows: eventRows }];
      }
      case "kind":
      case "status":
      case "duration":
      case "parent":
        return [];
    }
  }

  traceId(row: number): string {
    return idAt(this.#readIds().trace, row, 16);
  }

  spanId(row: number): string {
    return idAt(this.#readIds().span, row, 8);
  }

  record(row: number): LogRecord {
    const attrs = this.#readAttrs();
    const { buffer, offsets, kinds } = this.#readBodies();
    const raw = buffer.toString("utf8", offsets[row], offsets[row + 1]);
    return {
      timeUnixNano: joinNano(this.ms[row] as number, this.nanos[row] as number),
      observedTimeUnixNano: joinNano(attrs.observed.ms[row] as number, attrs.observed.nanos[row] as number),
      severityNumber: this.severities[row] as number,
      severityText: attrs.severityTexts[attrs.severityTextRows[row] as number] as string,
      body: kinds[row] === 0 ? raw : decodeValue(raw),
      attributes: attrs.columns.row(row),
      traceId: this.traceId(row),
      spanId: this.spanId(row),
      flags: attrs.flags[row] as number,
      eventName: attrs.events[(attrs.eventRows[row] as number) - 1] ?? "",
      resource: attrs.origin.resource(row),
      scope: attrs.origin.scope(row),
    };
  }

  #attributeColumn(key: string): Column[] {
    const column = this.#readAttrs().columns.get(key);
    return column ? [column] : [];
  }

  #readAttrs(): LogAttributes {
    if (this.#attrs) return this.#attrs;
    const reader = new ByteReader(decompress(this.#parts.attrs));
    this.#attrs = {
      origin: new Origin(reader, this.n),
      events: JSON.parse(reader.text()) as string[],
      eventRows: readIndexes(reader, this.n),
      severityTexts: JSON.parse(reader.text()) as string[],
      severityTextRows: readIndexes(reader, this.n),
      flags: readIndexes(reader, this.n),
      observed: readTimes(reader, this.n),
      columns: new AttributeColumns(reader, this.n),
    };
    return this.#attrs;
  }

  #readIds(): { trace: Buffer; span: Buffer } {
    if (this.#ids) return this.#ids;
    const reader = new ByteReader(decompress(this.#parts.ids));
    this.#ids = { trace: reader.raw(this.n * 16), span: reader.raw(this.n * 8) };
    return this.#ids;
  }

  #readBodies(): { buffer: Buffer; offsets: Uint32Array; kinds: Uint8Array } {
    if (this.#bodies) return this.#bodies;
    const reader = new ByteReader(decompress(this.#parts.body));
    const offsets = new Uint32Array(this.n + 1);
    const kinds = new Uint8Array(this.n);
    for (let i = 0; i < this.n; i++) {
      const packed = reader.varint();
      kinds[i] = packed % 2;
      offsets[i + 1] = (offsets[i] as number) + Math.floor(packed / 2);
    }
    this.#bodies = { buffer: reader.raw(offsets[this.n] as number), offsets, kinds };
    return this.#bodies;
  }
}
