import type { Attributes, AttributeValue, LogRecord, Resource, Scope } from "@tocsin/model";
import type { PinoLine } from "../instrumentations/pino.ts";

/** A pino line in the queue; parsed only when its batch is sent. */
export interface QueuedLog extends PinoLine {
  timeUnixNano: bigint;
}

const MAX_LINE_CHARS = 64 * 1024;

/** Bounds what the queue can hold. A line cut short is no JSON any more, and so becomes the record's body as text. */
export function bounded(line: string): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  // By way of a buffer, because a slice would keep the whole line in memory.
  return Buffer.from(`${line.slice(0, MAX_LINE_CHARS)}… (${line.length} characters)`).toString();
}

const SCOPE: Scope = { name: "pino", version: "", attributes: {} };
/** Said by the resource or by the record's own fields. */
const SAID_ELSEWHERE = new Set(["level", "time", "pid", "hostname", "service", "trace_id", "span_id"]);

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
  const severity = SEVERITIES.find(({ from }) => level >= from) ?? SEVERITIES[5];
  return {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber: severity.number,
    severityText: severity.text,
    body: fields === undefined ? queued.line.trimEnd() : (fields[messageKey] ?? ""),
    attributes: attributesOf(fields ?? {}, messageKey, errorKey),
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

function attributesOf(fields: Record<string, AttributeValue>, messageKey: string, errorKey: string): Attributes {
  const attributes: Attributes = {};
  for (const key in fields) {
    if (key === messageKey || SAID_ELSEWHERE.has(key)) continue;
    const value = fields[key] ?? null;
    if (isDeeperThan(value, MAX_DEPTH)) attributes[key] = JSON.stringify(value);
    else if (key !== errorKey || !addException(attributes, errorKey, value)) attributes[key] = value;
  }
  return attributes;
}

/** Far below what a collector takes; one record beyond its limit would cost the whole batch. */
const MAX_DEPTH = 16;

function isDeeperThan(value: AttributeValue, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner: AttributeValue) => isDeeperThan(inner, levels - 1));
}

/** `err: { type, message, stack }` becomes `exception.…`, the names of the semantic conventions. False if it is none. */
function addException(attributes: Attributes, errorKey: string, error: AttributeValue): boolean {
  if (typeof error !== "object" || error === null || Array.isArray(error) || error instanceof Uint8Array) return false;
  const { type, message, stack, ...rest } = error;
  if (typeof message !== "string") return false;
  attributes["exception.message"] = message;
  if (typeof type === "string") attributes["exception.type"] = type;
  if (typeof stack === "string") attributes["exception.stacktrace"] = stack;
  if (Object.keys(rest).length > 0) attributes[errorKey] = rest;
  return true;
}
