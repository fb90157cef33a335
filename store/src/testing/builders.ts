import type { Attributes, AttributeValue, LogRecord, Span, SpanKind, StatusCode } from "@tocsin/model";

/** 2026-01-10T07:00:00Z */
export const BASE_MS = 1_768_028_400_000;

export interface LogFields {
  atMs?: number;
  body?: AttributeValue;
  service?: string;
  severityNumber?: number;
  attributes?: Attributes;
  resource?: Attributes;
  traceId?: string;
  spanId?: string;
}

/** A log record that states only what matters. */
export function logRecord(fields: LogFields = {}): LogRecord {
  const time = BigInt(fields.atMs ?? BASE_MS) * 1_000_000n;
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: fields.severityNumber ?? 9,
    severityText: "",
    body: fields.body ?? "hello",
    attributes: fields.attributes ?? {},
    traceId: fields.traceId ?? "",
    spanId: fields.spanId ?? "",
    flags: 0,
    eventName: "",
    resource: { attributes: { "service.name": fields.service ?? "api", ...fields.resource } },
    scope: { name: "test", version: "", attributes: {} },
  };
}

export interface SpanFields {
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  atMs?: number;
  durationMs?: number;
  name?: string;
  service?: string;
  kind?: SpanKind;
  status?: StatusCode;
  attributes?: Attributes;
  resource?: Attributes;
}

/** A hexadecimal id of the given width that holds a number. */
export const id = (n: number, digits: 16 | 32): string => `f${n.toString(16).padStart(digits - 1, "0")}`;

/** A span that states only what matters. */
export function span(fields: SpanFields = {}): Span {
  const start = BigInt(fields.atMs ?? BASE_MS) * 1_000_000n;
  return {
    traceId: fields.traceId ?? id(1, 32),
    spanId: fields.spanId ?? id(1, 16),
    parentSpanId: fields.parentSpanId ?? "",
    traceState: "",
    flags: 1,
    name: fields.name ?? "GET /",
    kind: fields.kind ?? 2,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(Math.round((fields.durationMs ?? 10) * 1e6)),
    attributes: fields.attributes ?? {},
    events: [],
    links: [],
    status: { code: fields.status ?? 0, message: "" },
    resource: { attributes: { "service.name": fields.service ?? "api", ...fields.resource } },
    scope: { name: "test", version: "", attributes: {} },
  };
}
