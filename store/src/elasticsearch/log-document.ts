import { messageText, severityLevel, type Attributes, type LogItem, type LogRecord } from "@tocsin/model";
import { effectiveTime } from "../logs/log-block.ts";
import type { BulkDocument } from "./bulk-writer.ts";
import {
  attributesMember,
  attributesOf,
  hashNumber,
  resourceOf,
  searchMember,
  sha1,
  SharedParts,
  splitTime,
  type StoredDocument,
} from "./document.ts";
import { attributeTerms, searchWords } from "./search-terms.ts";

export interface LogBatch {
  records: readonly LogRecord[];
  /** The bytes the records came in: the same bytes again are the same records. */
  bytes: Uint8Array;
}

/** So many records of a batch can be told apart by their place in it. */
const PLACES = 2 ** 20;

/**
 * Documents of a batch. An id is made of the batch's content and the record's place in it, so that a replay writes over what
 * it wrote before; a record that does not say when it happened is new each time it comes.
 */
export function logDocuments(
  { records, bytes }: LogBatch,
  indexName: (ms: number) => string,
  at: number,
): BulkDocument[] {
  const digest = sha1(bytes);
  const batchId = digest.toString("base64url").slice(0, 16);
  const head = hashNumber(digest) * PLACES;
  const parts = new SharedParts();
  const received = new Date(at).toISOString();
  return records.map((record, i) => {
    const time = effectiveTime(record);
    const { ms, nanos } = time === 0n ? { ms: Math.round(at), nanos: 0 } : splitTime(time);
    const untimed = time === 0n ? `-${Math.round(at).toString(36)}` : "";
    const severity = record.severityNumber >= 0 && record.severityNumber <= 24 ? record.severityNumber : 0;
    const message = messageText(record.body);
    const resource = parts.resource(record.resource);
    const source =
      `{"@timestamp":"${new Date(ms).toISOString()}","nanos":${nanos},"order":${head + (i % PLACES)},` +
      `"received":"${received}",${resource.members}${parts.scope(record.scope)},` +
      `"severity":"${severityLevel(severity)}","severity_number":${severity}` +
      textMember("severity_text", record.severityText) +
      `,"message":${JSON.stringify(message)}` +
      textMember("trace_id", record.traceId) +
      textMember("span_id", record.spanId) +
      textMember("event", record.eventName) +
      attributesMember("attributes", record.attributes) +
      searchMember(searchWords(message), attributeTerms("a", record.attributes), resource.terms) +
      "}";
    return { index: indexName(ms), id: `${batchId}${i.toString(36)}${untimed}`, source };
  });
}

const textMember = (name: string, text: string): string => (text === "" ? "" : `,"${name}":${JSON.stringify(text)}`);

export interface StoredLog extends StoredDocument {
  severity_number: number;
  message: string;
  trace_id?: string;
  span_id?: string;
  event?: string;
}

export function toLogItem(id: string, log: StoredLog): LogItem {
  const ms = Date.parse(log["@timestamp"]);
  return {
    id: `${ms.toString(36).padStart(9, "0")}-${id}`,
    time: new Date(ms).toISOString(),
    timeUnixNano: `${BigInt(ms) * 1_000_000n + BigInt(log.nanos)}`,
    service: log.service,
    severity: severityLevel(log.severity_number),
    severityNumber: log.severity_number,
    message: log.message,
    attributes: attributesOf(log),
    resource: resourceOf(log),
    scope: log.scope ?? "",
    traceId: log.trace_id ?? "",
    spanId: log.span_id ?? "",
  };
}

/** As much of the record as a search can ask for. */
export function toSearchedLog(log: StoredLog): LogRecord {
  return {
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: log.severity_number,
    severityText: "",
    body: log.message,
    attributes: attributesOf(log) as Attributes,
    traceId: log.trace_id ?? "",
    spanId: log.span_id ?? "",
    flags: 0,
    eventName: log.event ?? "",
    resource: { attributes: resourceOf(log) as Attributes },
    scope: { name: log.scope ?? "", version: "", attributes: {} },
  };
}
