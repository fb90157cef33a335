import { serviceName, type AttributeValue, type LogRecord, type Span } from "../signal.ts";
import type { Field, FieldTest, Query, TextTest } from "./query.ts";
import { atoms, containsAtoms, fold, globMatches } from "./words.ts";

export const SPAN_KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export const SPAN_STATUSES = ["unset", "ok", "error"] as const;

/** An attribute value as text: what is shown, compared and indexed. */
export function valueText(value: AttributeValue): string {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return base64(value);
  if (typeof value === "object" && value !== null) return JSON.stringify(plainValue(value));
  return String(value);
}

/** An attribute value as JSON has it: large integers and bytes (base64) become text. */
export function plainValue(value: AttributeValue): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return base64(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
  }
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The text of a log that bare words search: its body, or the JSON of a structured body. */
export function messageText(body: AttributeValue): string {
  return body === null ? "" : valueText(body);
}

/** Turns a field test into a predicate; an absent value satisfies none. */
export function fieldPredicate(test: FieldTest): (value: AttributeValue | undefined) => boolean {
  if (test.kind === "exists") return (value) => value !== undefined;
  const one = scalarPredicate(test);
  return (value) => value !== undefined && (Array.isArray(value) ? value.some(one) : one(value));
}

function scalarPredicate(test: Exclude<FieldTest, { kind: "exists" }>): (value: AttributeValue) => boolean {
  if (test.kind === "equals") {
    const wanted = test.value.toLowerCase();
    const number = test.value.trim() === "" ? Number.NaN : Number(test.value);
    return (value) => (typeof value === "number" && value === number) || valueText(value).toLowerCase() === wanted;
  }
  if (test.kind === "glob") {
    const pattern = test.pattern.toLowerCase();
    return (value) => globMatches(pattern, valueText(value).toLowerCase());
  }
  return (value) => inRange(test, numericValue(value));
}

/** The number that a value is compared by in ranges; NaN when it is none. */
export function numericValue(value: AttributeValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

function inRange(test: Extract<FieldTest, { kind: "range" }>, value: number): boolean {
  return (
    !Number.isNaN(value) &&
    !(test.gt !== undefined && value <= test.gt) &&
    !(test.gte !== undefined && value < test.gte) &&
    !(test.lt !== undefined && value >= test.lt) &&
    !(test.lte !== undefined && value > test.lte)
  );
}

/** Turns a text test into a predicate over a message. */
export function textPredicate(test: TextTest): (text: string) => boolean {
  if (test.kind === "words") return (text) => containsAtoms(atoms(text), test.atoms, test.prefix);
  if (test.whole) {
    const pattern = `*${fold(test.pattern)}*`;
    return (text) => globMatches(pattern, fold(text));
  }
  const pattern = fold(test.pattern);
  return (text) => atoms(text).some((atom) => globMatches(pattern, atom));
}

/** Whether a record satisfies the query, field by field: the meaning that every store has to reproduce. */
export function matchesLog(query: Query, record: LogRecord): boolean {
  return matches(
    query,
    () => messageText(record.body),
    (field) => logField(record, field),
  );
}

/** Whether a span satisfies the query. */
export function matchesSpan(query: Query, span: Span): boolean {
  return matches(
    query,
    () => span.name,
    (field) => spanField(span, field),
  );
}

function matches(query: Query, text: () => string, values: (field: Field) => AttributeValue[]): boolean {
  switch (query.op) {
    case "all":
      return true;
    case "and":
      return query.parts.every((part) => matches(part, text, values));
    case "or":
      return query.parts.some((part) => matches(part, text, values));
    case "not":
      return !matches(query.part, text, values);
    case "text":
      return textPredicate(query.test)(text());
    case "field":
      return values(query.field).some(fieldPredicate(query.test));
  }
}

function logField(record: LogRecord, field: Field): AttributeValue[] {
  if (field.in !== "known") return attributeField(record, field);
  switch (field.name) {
    case "service":
      return [serviceName(record.resource)];
    case "severity":
      return [record.severityNumber];
    case "trace":
      return present(record.traceId);
    case "span":
      return present(record.spanId);
    case "scope":
      return present(record.scope.name);
    case "event":
      return present(record.eventName);
    case "kind":
    case "status":
    case "duration":
    case "parent":
      return [];
  }
}

function spanField(span: Span, field: Field): AttributeValue[] {
  if (field.in !== "known") return attributeField(span, field);
  switch (field.name) {
    case "service":
      return [serviceName(span.resource)];
    case "kind":
      return [SPAN_KINDS[span.kind]];
    case "status":
      return [SPAN_STATUSES[span.status.code]];
    case "duration":
      return [Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6];
    case "trace":
      return present(span.traceId);
    case "span":
      return present(span.spanId);
    case "parent":
      return present(span.parentSpanId);
    case "scope":
      return present(span.scope.name);
    case "severity":
    case "event":
      return [];
  }
}

const present = (text: string): string[] => (text === "" ? [] : [text]);

function attributeField(
  record: Pick<LogRecord, "attributes" | "resource">,
  field: Exclude<Field, { in: "known" }>,
): AttributeValue[] {
  const found: AttributeValue[] = [];
  if (field.in !== "resource") collect(record.attributes, field.key, found);
  if (field.in !== "attributes") collect(record.resource.attributes, field.key, found);
  return found;
}

function collect(from: Record<string, AttributeValue>, key: string, into: AttributeValue[]): void {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  if (value !== undefined) into.push(value);
}
