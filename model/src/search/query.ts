/** A search over logs or spans as one tree; every store translates this, and nothing else, to its own terms. */
export type Query =
  | { op: "all" }
  | { op: "and"; parts: Query[] }
  | { op: "or"; parts: Query[] }
  | { op: "not"; part: Query }
  | { op: "text"; test: TextTest }
  | { op: "field"; field: Field; test: FieldTest };

/** What a bare word or `message:…` asks of a log's message, or of a span's name. All of it ignores case. */
export type TextTest =
  /** These atoms one after another; with `prefix` the last one may go on. `text` is what the user wrote. */
  | { kind: "words"; text: string; atoms: string[]; prefix: boolean }
  /** `*` and `?` within one word (`whole` false), or anywhere in the text (`whole` true). */
  | { kind: "glob"; pattern: string; whole: boolean };

/** Fields with a meaning of their own. `severity` is OTLP's number, `duration` is in milliseconds. */
export const LOG_FIELDS = ["service", "severity", "trace", "span", "scope", "event"] as const;
export const TRACE_FIELDS = ["service", "kind", "status", "duration", "trace", "span", "parent", "scope"] as const;
export type KnownField = (typeof LOG_FIELDS)[number] | (typeof TRACE_FIELDS)[number];

/** A known field, or an attribute by key: of the record, of its resource, or of either (`any`). */
export type Field = { in: "known"; name: KnownField } | { in: "attributes" | "resource" | "any"; key: string };

/** What a field must be. Text is compared without case; a list matches when one of its members does. */
export type FieldTest =
  | { kind: "equals"; value: string }
  /** `*` any run, `?` one character, against the whole value. */
  | { kind: "glob"; pattern: string }
  | { kind: "range"; gt?: number; gte?: number; lt?: number; lte?: number }
  | { kind: "exists" };

export const MATCH_ALL: Query = { op: "all" };
