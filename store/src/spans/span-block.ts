import {
  indexText,
  serviceName,
  SPAN_KINDS,
  SPAN_STATUSES,
  type Field,
  type Span,
  type SpanKind,
  type StatusCode,
} from "@tocsin/model";
import type { BlockParts, BlockView, EncodedBlock } from "../blocks/block.ts";
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
import { compress, decompress } from "../blocks/compress.ts";
import { idAt, packIds } from "../blocks/ids.ts";
import { Origin, OriginBuilder } from "../blocks/origin.ts";
import { joinNano, readTimes, splitTimes, writeTimes } from "../blocks/times.ts";
import { addValueTokens, knownToken, pairToken, serviceToken, traceToken, wordToken } from "../blocks/tokens.ts";
import { peerOf, type Peer } from "./peer.ts";

export function encodeSpanBlock(spans: readonly Span[]): EncodedBlock {
  const starts = splitTimes(spans.map((span) => span.startTimeUnixNano));
  return {
    t0: starts.ms.reduce((a, b) => Math.min(a, b), Infinity),
    t1: starts.ms.reduce((a, b) => Math.max(a, b), 0),
    n: spans.length,
    hot: compress(encodeHot(spans)),
    ids: compress(encodeIds(spans)),
    attrs: compress(encodeAttributes(spans)),
    body: compress(encodeRest(spans)),
  };
}

function encodeHot(spans: readonly Span[]): Buffer {
  const writer = new ByteWriter();
  const services = new Dictionary<string>((text) => text);
  const names = new Dictionary<string>((text) => text);
  const peers = new Dictionary<Peer>(({ kind, name }) => `${kind}\0${name}`);
  const serviceRows = spans.map((span) => services.add(serviceName(span.resource)));
  const nameRows = spans.map((span) => names.add(span.name));
  const peerRows = spans.map((span) => {
    const peer = peerOf(span);
    return peer ? peers.add(peer) + 1 : 0;
  });
  writer.varint(spans.length);
  writeTimes(writer, splitTimes(spans.map((span) => span.startTimeUnixNano)));
  writeDurations(
    writer,
    spans.map((span) => span.endTimeUnixNano - span.startTimeUnixNano),
  );
  writer.text(JSON.stringify(services.values));
  writeIndexes(writer, serviceRows);
  writer.text(JSON.stringify(names.values));
  writeIndexes(writer, nameRows);
  for (const span of spans) writer.varint(span.kind * 3 + span.status.code);
  writer.text(JSON.stringify(peers.values));
  writeIndexes(writer, peerRows);
  return writer.finish();
}

/** Whole milliseconds of either sign, then the nanoseconds beyond: clocks that disagree make negative durations. */
function writeDurations(writer: ByteWriter, durations: readonly bigint[]): void {
  const rests = durations.map((nanos) => ((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n);
  durations.forEach((nanos, i) => writer.signed(Number((nanos - (rests[i] as bigint)) / 1_000_000n)));
  for (const rest of rests) writer.varint(Number(rest));
}

function encodeIds(spans: readonly Span[]): Buffer {
  const writer = new ByteWriter();
  writer.raw(
    packIds(
      spans.map((span) => span.traceId),
      16,
    ),
  );
  writer.raw(
    packIds(
      spans.map((span) => span.spanId),
      8,
    ),
  );
  writer.raw(
    packIds(
      spans.map((span) => span.parentSpanId),
      8,
    ),
  );
  return writer.finish();
}

function encodeAttributes(spans: readonly Span[]): Buffer {
  const writer = new ByteWriter();
  const origin = new OriginBuilder();
  const columns = new ColumnBuilder(spans.length);
  spans.forEach((span, i) => {
    origin.add(span.resource, span.scope);
    columns.add(i, span.attributes);
  });
  origin.write(writer);
  columns.write(writer);
  return writer.finish();
}

function encodeRest(spans: readonly Span[]): Buffer {
  const writer = new ByteWriter();
  for (const span of spans) {
    writer.varint(span.flags);
    writer.text(span.traceState);
    writer.text(span.status.message);
    writer.varint(span.events.length);
    for (const event of span.events) {
      writer.text(event.timeUnixNano.toString());
      writer.text(event.name);
      writer.text(encodeValue(event.attributes));
    }
    writer.varint(span.links.length);
    for (const link of span.links) {
      writer.text(link.traceId);
      writer.text(link.spanId);
      writer.text(link.traceState);
      writer.text(encodeValue(link.attributes));
    }
  }
  return writer.finish();
}

/** What the index of blocks knows of a block: traces, services, operations, kinds, statuses, attributes. */
export function spanBlockTokens(spans: readonly Span[]): Set<string> {
  const tokens = new Set<string>();
  const resources = new Set<object>();
  const names = new Set<string>();
  const columns = new ColumnBuilder(spans.length);
  spans.forEach((span, i) => {
    const service = serviceName(span.resource);
    const kind = SPAN_KINDS[span.kind];
    const status = SPAN_STATUSES[span.status.code];
    tokens.add(traceToken(span.traceId)).add(serviceToken(service));
    tokens.add(knownToken("kind", kind)).add(knownToken("status", status)).add(pairToken(service, status));
    if (span.scope.name !== "") tokens.add(knownToken("scope", span.scope.name));
    names.add(span.name);
    columns.add(i, span.attributes);
    if (resources.has(span.resource)) return;
    resources.add(span.resource);
    for (const [key, value] of Object.entries(span.resource.attributes)) addValueTokens(tokens, key, value);
  });
  for (const name of names) {
    for (const word of indexText(name)
      .toLowerCase()
      .match(/[a-z0-9_\u0080-\uffff]+/g) ?? [])
      tokens.add(wordToken(word));
  }
  for (const [key, value] of columns.values()) addValueTokens(tokens, key, value);
  return tokens;
}

type Rest = Pick<Span, "flags" | "traceState" | "events" | "links"> & { statusMessage: string };

/** A block of spans under search; parts are decompressed when first needed. */
export class SpanBlock implements BlockView {
  readonly n: number;
  readonly ms: Float64Array;
  readonly nanos: Uint32Array;
  readonly durationMs: Float64Array;
  readonly services: string[];
  /** Index into `services`, plus one. */
  readonly serviceRows: Uint32Array;
  readonly names: string[];
  readonly nameRows: Uint32Array;
  readonly kinds: Uint8Array;
  readonly statuses: Uint8Array;
  readonly peers: Peer[];
  /** 0 for none, else index into `peers`, plus one. */
  readonly peerRows: Uint32Array;
  readonly #parts: BlockParts;
  readonly #wholeMs: Float64Array;
  readonly #restNanos: Uint32Array;
  #ids: { trace: Buffer; span: Buffer; parent: Buffer } | undefined;
  #attrs: { origin: Origin; columns: AttributeColumns } | undefined;
  #rest: Rest[] | undefined;

  constructor(parts: BlockParts) {
    this.#parts = parts;
    const reader = new ByteReader(decompress(parts.hot));
    this.n = reader.varint();
    ({ ms: this.ms, nanos: this.nanos } = readTimes(reader, this.n));
    this.#wholeMs = reader
      .varints(new Float64Array(this.n))
      .map((zigzag) => (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2));
    this.#restNanos = reader.varints(new Uint32Array(this.n));
    this.durationMs = this.#wholeMs.map((ms, i) => ms + (this.#restNanos[i] as number) / 1e6);
    this.services = JSON.parse(reader.text()) as string[];
    this.serviceRows = readIndexes(reader, this.n).map((row) => row + 1);
    this.names = JSON.parse(reader.text()) as string[];
    this.nameRows = readIndexes(reader, this.n);
    this.kinds = new Uint8Array(this.n);
    this.statuses = new Uint8Array(this.n);
    const packed = reader.varints(new Uint8Array(this.n));
    for (let i = 0; i < this.n; i++) {
      this.kinds[i] = Math.floor((packed[i] as number) / 3);
      this.statuses[i] = (packed[i] as number) % 3;
    }
    this.peers = JSON.parse(reader.text()) as Peer[];
    this.peerRows = readIndexes(reader, this.n);
  }

  text(row: number): string {
    return this.names[this.nameRows[row] as number] as string;
  }

  columns(field: Field): Column[] {
    if (field.in !== "known") {
      const own = field.in === "resource" ? [] : this.#attributeColumn(field.key);
      return field.in === "attributes" ? own : [...own, this.#readAttrs().origin.column(field.key)];
    }
    switch (field.name) {
      case "service":
        return [{ kind: "dict", dict: this.services, rows: this.serviceRows }];
      case "kind":
        return [{ kind: "dict", dict: SPAN_KINDS, rows: Uint32Array.from(this.kinds, (kind) => kind + 1) }];
      case "status":
        return [{ kind: "dict", dict: SPAN_STATUSES, rows: Uint32Array.from(this.statuses, (status) => status + 1) }];
      case "duration":
        return [{ kind: "numbers", values: this.durationMs }];
      case "trace":
        return [{ kind: "texts", at: (row) => this.traceId(row) }];
      case "span":
        return [{ kind: "texts", at: (row) => this.spanId(row) }];
      case "parent":
        return [{ kind: "texts", at: (row) => this.parentSpanId(row) }];
      case "scope":
        return [{ kind: "texts", at: (row) => this.#readAttrs().origin.scope(row).name }];
      case "severity":
      case "event":
        return [];
    }
  }

  service(row: number): string {
    return this.services[(this.serviceRows[row] as number) - 1] as string;
  }

  traceId(row: number): string {
    return idAt(this.ids().trace, row, 16);
  }

  spanId(row: number): string {
    return idAt(this.ids().span, row, 8);
  }

  parentSpanId(row: number): string {
    return idAt(this.ids().parent, row, 8);
  }

  ids(): { trace: Buffer; span: Buffer; parent: Buffer } {
    if (this.#ids) return this.#ids;
    const reader = new ByteReader(decompress(this.#parts.ids));
    this.#ids = { trace: reader.raw(this.n * 16), span: reader.raw(this.n * 8), parent: reader.raw(this.n * 8) };
    return this.#ids;
  }

  record(row: number): Span {
    const { origin, columns } = this.#readAttrs();
    const { statusMessage, ...rest } = this.#readRest()[row] as Rest;
    const start = joinNano(this.ms[row] as number, this.nanos[row] as number);
    return {
      traceId: this.traceId(row),
      spanId: this.spanId(row),
      parentSpanId: this.parentSpanId(row),
      name: this.text(row),
      kind: this.kinds[row] as SpanKind,
      startTimeUnixNano: start,
      endTimeUnixNano:
        start + BigInt(this.#wholeMs[row] as number) * 1_000_000n + BigInt(this.#restNanos[row] as number),
      attributes: columns.row(row),
      status: { code: this.statuses[row] as StatusCode, message: statusMessage },
      resource: origin.resource(row),
      scope: origin.scope(row),
      ...rest,
    };
  }

  #attributeColumn(key: string): Column[] {
    const column = this.#readAttrs().columns.get(key);
    return column ? [column] : [];
  }

  #readAttrs(): { origin: Origin; columns: AttributeColumns } {
    if (this.#attrs) return this.#attrs;
    const reader = new ByteReader(decompress(this.#parts.attrs));
    this.#attrs = { origin: new Origin(reader, this.n), columns: new AttributeColumns(reader, this.n) };
    return this.#attrs;
  }

  #readRest(): Rest[] {
    if (this.#rest) return this.#rest;
    const reader = new ByteReader(decompress(this.#parts.body));
    this.#rest = Array.from({ length: this.n }, () => readRest(reader));
    return this.#rest;
  }
}

function readRest(reader: ByteReader): Rest {
  const attributes = () => decodeValue(reader.text()) as Span["attributes"];
  return {
    flags: reader.varint(),
    traceState: reader.text(),
    statusMessage: reader.text(),
    events: Array.from({ length: reader.varint() }, () => ({
      timeUnixNano: BigInt(reader.text()),
      name: reader.text(),
      attributes: attributes(),
    })),
    links: Array.from({ length: reader.varint() }, () => ({
      traceId: reader.text(),
      spanId: reader.text(),
      traceState: reader.text(),
      attributes: attributes(),
    })),
  };
}
