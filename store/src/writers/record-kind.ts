import type { DatabaseSync } from "node:sqlite";
import { serviceName, type LogRecord, type Resource, type Span } from "@tocsin/model";
import type { BlockParts, EncodedBlock } from "../blocks/block.ts";
import { effectiveTime, encodeLogBlock, LogBlock, logBlockTokens } from "../logs/log-block.ts";
import { summarizeLogs } from "./summarize-logs.ts";
import { summarizeSpans } from "./summarize-spans.ts";
import { encodeSpanBlock, SpanBlock, spanBlockTokens } from "../spans/span-block.ts";

export type StoredSignal = "logs" | "spans";

/** What the writer has to know of the records it files. */
export interface RecordKind<R> {
  signal: StoredSignal;
  encode(records: readonly R[]): EncodedBlock;
  decode(parts: BlockParts): R[];
  blockTokens(records: readonly R[]): Set<string>;
  /** Prepares what is indexed and counted beside the block itself; the function takes each closed block. */
  summarize(db: DatabaseSync, serviceId: (name: string) => number): (block: number, records: readonly R[]) => void;
  /** The record as it is filed: in range, with a time; undefined when it cannot be. */
  admit(record: R, at: number): R | undefined;
  /** Whether the record says itself when it happened, so that the same bytes again are the same record. */
  timed(record: R): boolean;
  /** Two records with one identity are one record. */
  identity?: (record: R) => string;
  timeMs(record: R): number;
  resource(record: R): Resource;
}

const decodeAll = <R>(block: { n: number; record(row: number): R }): R[] =>
  Array.from({ length: block.n }, (_, row) => block.record(row));

export const logKind: RecordKind<LogRecord> = {
  signal: "logs",
  encode: encodeLogBlock,
  decode: (parts) => decodeAll(new LogBlock(parts)),
  blockTokens: logBlockTokens,
  summarize: summarizeLogs,
  admit(record, at) {
    const severityNumber = inRange(record.severityNumber, 24);
    const time = effectiveTime(record);
    if (time !== 0n && severityNumber === record.severityNumber) return record;
    return { ...record, severityNumber, timeUnixNano: time === 0n ? BigInt(Math.round(at)) * 1_000_000n : time };
  },
  timed: (record) => effectiveTime(record) !== 0n,
  timeMs: (record) => Number(effectiveTime(record) / 1_000_000n),
  resource: (record) => record.resource,
};

export const spanKind: RecordKind<Span> = {
  signal: "spans",
  encode: encodeSpanBlock,
  decode: (parts) => decodeAll(new SpanBlock(parts)),
  blockTokens: spanBlockTokens,
  summarize: summarizeSpans,
  /** OTLP: a span without a valid trace id and span id is not one. */
  admit(span) {
    if (!isId(span.traceId, 32) || !isId(span.spanId, 16)) return undefined;
    const kind = inRange(span.kind, 5) as Span["kind"];
    const code = inRange(span.status.code, 2) as Span["status"]["code"];
    return kind === span.kind && code === span.status.code ? span : { ...span, kind, status: { ...span.status, code } };
  },
  timed: () => true,
  identity: (span) => span.traceId + span.spanId,
  timeMs: (span) => Number(span.startTimeUnixNano / 1_000_000n),
  resource: (span) => span.resource,
};

const inRange = (value: number, max: number): number =>
  Number.isInteger(value) && value >= 0 && value <= max ? value : 0;
const isId = (id: string, length: number): boolean => id.length === length && !/^0*$/.test(id);

/** A service as its resource names it. */
export function serviceOf(resource: Resource): { name: string; version: string } {
  const version = resource.attributes["service.version"];
  return { name: serviceName(resource), version: typeof version === "string" ? version : "" };
}
