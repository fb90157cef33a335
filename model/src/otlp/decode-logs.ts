import type { LogRecord, Resource, Scope } from "../signal.ts";
import { readAnyValue, readAttribute, readRequest } from "./decode-common.ts";
import { decodeAt, type Reader } from "./reader.ts";
import { requestSchemas, schemas } from "./schema.ts";

/** Reads an ExportLogsServiceRequest. Throws OtlpDecodeError. */
export function decodeLogs(bytes: Uint8Array): LogRecord[] {
  return decodeAt(requestSchemas.logs.request, bytes, (reader) => {
    const records: LogRecord[] = [];
    readRequest(reader, requestSchemas.logs, (reader, resource, scope) => {
      records.push(readLogRecord(reader, resource, scope));
    });
    return records;
  });
}

function readLogRecord(reader: Reader, resource: Resource, scope: Scope): LogRecord {
  const outer = reader.enter();
  reader.countObject();
  const record: LogRecord = {
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: 0,
    severityText: "",
    body: null,
    attributes: {},
    traceId: "",
    spanId: "",
    flags: 0,
    eventName: "",
    resource,
    scope,
  };
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 9:
        record.timeUnixNano = reader.fixed64();
        break;
      case 16:
        record.severityNumber = reader.int32();
        break;
      case 26:
        record.severityText = reader.string();
        break;
      case 42:
        record.body = readAnyValue(reader);
        break;
      case 50:
        readAttribute(reader, record.attributes);
        break;
      case 56:
        reader.varint();
        break;
      case 69:
        record.flags = reader.fixed32();
        break;
      case 74:
        record.traceId = reader.id(16);
        break;
      case 82:
        record.spanId = reader.id(8);
        break;
      case 89:
        record.observedTimeUnixNano = reader.fixed64();
        break;
      case 98:
        record.eventName = reader.string();
        break;
      default:
        reader.skip(tag, schemas.LogRecord);
    }
  }
  reader.leave(outer);
  return record;
}
