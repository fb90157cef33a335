import type { Attributes, AttributeValue, LogRecord, Resource, Scope } from "@tocsin/model";
import type { PinoLine } from "../instrumentations/pino.ts";

/** A pino line in the queue; parsed only when its batch is sent. */
export interface QueuedLog extends PinoLine {
  timeUnixNano: bigint;
}

const SCOPE: Scope = { name: "pino", version: "", attributes: {} };
/** Said by the resource or by the record's own fields. */
const SAID_ELSEWHERE = ["level", "time", "pid", "hostname", "service", "trace_id", "span_id"];

const SEVERITIES = [
  { from: 60, number: 21, text: "FATAL" },
  { from: 50, number: 17, text: "ERROR" },
  { from: 40, number: 13, text: "WARN" },
  { from: 30, number: 9, text: "INFO" },
  { from: 20, number: 5, text: "DEBUG" },
  { from: -Infinity, number: 1, text: "TRACE" },
] as const;

/** Makes OTLP's log record of a pino line; a line that is not JSON (a custom stringifier) becomes the body as it is. */
export function toLogRecord(queued: QueuedLog, resource: Resource): LogRecord {
  const { messageKey, errorKey, level, span, timeUnixNano } = queued;
  const fields = parseFields(queued.line);
  const attributes: Attributes = fields ?? {};
  const body = fields === undefined ? queued.line.trimEnd() : (fields[messageKey] ?? "");
  delete attributes[messageKey];
  for (const key of SAID_ELSEWHERE) delete attributes[key];
  moveException(attributes, errorKey);
  const severity = SEVERITIES.find(({ from }) => level >= from) ?? SEVERITIES[5];
  return {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber: severity.number,
    severityText: severity.text,
    body,
    attributes,
    traceId: span?.traceId ?? "",
    spanId: span?.spanId ?? "",
    flags: span?.traceFlags ?? 0,
    eventName: "",
    resource,
    scope: SCOPE,
  };
}

function parseFields(line: string): Record<string, AttributeValue> | undefined {
  try {
    return JSON.parse(line) as Record<string, AttributeValue>;
  } catch {
    return undefined;
  }
}

/** `err: { type, message, stack }` becomes `exception.…`, the names of the semantic conventions. */
function moveException(attributes: Attributes, errorKey: string): void {
  const error = attributes[errorKey];
  if (typeof error !== "object" || error === null || Array.isArray(error) || error instanceof Uint8Array) return;
  const { type, message, stack, ...rest } = error;
  if (typeof message !== "string") return;
  delete attributes[errorKey];
  attributes["exception.message"] = message;
  if (typeof type === "string") attributes["exception.type"] = type;
  if (typeof stack === "string") attributes["exception.stacktrace"] = stack;
  if (Object.keys(rest).length > 0) attributes[errorKey] = rest;
}
