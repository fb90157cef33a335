import { SPAN_KINDS, SPAN_STATUSES } from "./match.ts";
import {
  LOG_FIELDS,
  MATCH_ALL,
  TRACE_FIELDS,
  type Field,
  type FieldTest,
  type KnownField,
  type Query,
} from "./query.ts";
import { atoms } from "./words.ts";

/** What is searched decides which fields have a meaning of their own. */
export type SearchTarget = "logs" | "traces";

/** A mistake in a search; `start` and `end` are offsets into the text, for underlining. */
export class SearchSyntaxError extends Error {
  override readonly name = "SearchSyntaxError";
  readonly start: number;
  readonly end: number;

  constructor(message: string, start: number, end: number) {
    super(`${message} (at character ${start + 1})`);
    this.start = start;
    this.end = end;
  }
}

const MAX_LENGTH = 4096;
const MAX_DEPTH = 32;
const MAX_TERMS = 256;

/**
 * Reads the search language: words, "phrases", prefix*, key:value, key:>500, key:[1 TO 5], key:*, wildcards, NOT or -,
 * AND (also by standing side by side), OR, parentheses, key:(a OR b). An empty text matches everything.
 * Throws SearchSyntaxError with the place.
 */
export function parseQuery(text: string, target: SearchTarget): Query {
  if (text.length > MAX_LENGTH) {
    throw new SearchSyntaxError(`a search has at most ${MAX_LENGTH} characters`, MAX_LENGTH, text.length);
  }
  return new Parser(text, target).parse();
}

type Token =
  | { type: "(" | ")" | "-" | "AND" | "OR" | "NOT"; start: number; end: number }
  | { type: "key"; key: string; start: number; end: number }
  /** `pattern` is `text` with unescaped `*` and `?` left as wildcards and escaped ones kept escaped. */
  | { type: "value"; text: string; pattern: string; quoted: boolean; wild: boolean; start: number; end: number }
  | { type: "compare"; sign: ">" | ">=" | "<" | "<="; text: string; start: number; end: number }
  | { type: "range"; from: string; to: string; openFrom: boolean; openTo: boolean; start: number; end: number };

class Parser {
  readonly #tokens: Token[];
  readonly #text: string;
  readonly #target: SearchTarget;
  #at = 0;
  #depth = 0;
  #terms = 0;

  constructor(text: string, target: SearchTarget) {
    this.#text = text;
    this.#target = target;
    this.#tokens = tokenize(text);
  }

  parse(): Query {
    if (this.#tokens.length === 0) return MATCH_ALL;
    const query = this.#or(undefined);
    const rest = this.#tokens[this.#at];
    if (rest) throw new SearchSyntaxError("a closing parenthesis without an opening one", rest.start, rest.end);
    return query;
  }

  #or(field: Field | undefined): Query {
    const parts = [this.#and(field)];
    while (this.#take("OR")) parts.push(this.#and(field));
    return join("or", parts);
  }

  #and(field: Field | undefined): Query {
    const parts = [this.#not(field)];
    for (;;) {
      const next = this.#tokens[this.#at];
      if (!next || next.type === "OR" || next.type === ")") return join("and", parts);
      this.#take("AND");
      parts.push(this.#not(field));
    }
  }

  #not(field: Field | undefined): Query {
    if (this.#take("NOT") || this.#take("-")) return this.#nested(() => ({ op: "not", part: this.#not(field) }));
    return this.#primary(field);
  }

  #primary(field: Field | undefined): Query {
    const token = this.#tokens[this.#at];
    if (!token) throw this.#missing("the search ends where a word or key:value is expected");
    this.#at++;
    if (token.type === "(") return this.#nested(() => this.#group(token.start, field));
    return token.type === "key" ? this.#keyed(token, field) : this.#leaf(token, field);
  }

  #keyed(token: KeyToken, outer: Field | undefined): Query {
    if (outer) throw new SearchSyntaxError("a key inside the parentheses of another key", token.start, token.end);
    const field = resolveField(token.key, this.#target);
    const next = this.#tokens[this.#at];
    if (!next || next.start !== token.end) {
      const message = `${token.key}: has no value (write ${token.key}:value or ${token.key}:*)`;
      throw new SearchSyntaxError(message, token.start, token.end);
    }
    this.#at++;
    return next.type === "(" ? this.#nested(() => this.#group(next.start, field)) : this.#leaf(next, field);
  }

  #group(start: number, field: Field | undefined): Query {
    const query = this.#or(field);
    if (!this.#take(")")) throw new SearchSyntaxError("this parenthesis is not closed", start, start + 1);
    return query;
  }

  #leaf(token: Token, field: Field | undefined): Query {
    if (++this.#terms > MAX_TERMS) {
      throw new SearchSyntaxError(`a search has at most ${MAX_TERMS} terms`, token.start, token.end);
    }
    if (token.type === "value") {
      return field && !isText(field) ? fieldQuery(field, valueTest(field, token)) : textQuery(token);
    }
    if (token.type !== "compare" && token.type !== "range") {
      throw new SearchSyntaxError(`${describe(token)} where a word or key:value is expected`, token.start, token.end);
    }
    if (!field) throw new SearchSyntaxError("a comparison needs a key, like duration:>500ms", token.start, token.end);
    if (isText(field)) throw new SearchSyntaxError("text cannot be compared by size", token.start, token.end);
    return fieldQuery(field, token.type === "compare" ? compareTest(field, token) : rangeTest(field, token));
  }

  #nested(read: () => Query): Query {
    if (++this.#depth > MAX_DEPTH) {
      const at = this.#tokens[this.#at - 1]?.start ?? 0;
      throw new SearchSyntaxError(`more than ${MAX_DEPTH} levels of parentheses`, at, at + 1);
    }
    const query = read();
    this.#depth--;
    return query;
  }

  #take(type: Token["type"]): boolean {
    if (this.#tokens[this.#at]?.type !== type) return false;
    this.#at++;
    return true;
  }

  #missing(message: string): SearchSyntaxError {
    const end = this.#text.length;
    return new SearchSyntaxError(message, Math.max(0, end - 1), end);
  }
}

function describe(token: Token): string {
  if (token.type === ")") return "a closing parenthesis";
  return token.type === "key" ? `${token.key}:` : token.type;
}

const join = (op: "and" | "or", parts: Query[]): Query => (parts.length === 1 ? (parts[0] as Query) : { op, parts });

const TEXT: Field = { in: "any", key: "" };
const isText = (field: Field): boolean => field === TEXT;
const fieldQuery = (field: Field, test: FieldTest): Query => ({ op: "field", field, test });

const ALIASES: Record<string, KnownField | "text"> = {
  level: "severity",
  trace_id: "trace",
  traceid: "trace",
  span_id: "span",
  spanid: "span",
  parent_span_id: "parent",
  "service.name": "service",
};
const TEXT_NAMES = { logs: ["message", "msg", "body"], traces: ["name", "operation"] };

/** What a key in a search stands for. */
export function resolveField(key: string, target: SearchTarget): Field {
  const lower = key.toLowerCase();
  if (TEXT_NAMES[target].includes(lower)) return TEXT;
  const name = ALIASES[lower] ?? lower;
  const known: readonly string[] = target === "logs" ? LOG_FIELDS : TRACE_FIELDS;
  if (known.includes(name)) return { in: "known", name: name as KnownField };
  if (key.startsWith("resource.")) return { in: "resource", key: key.slice("resource.".length) };
  if (key.startsWith("attributes.")) return { in: "attributes", key: key.slice("attributes.".length) };
  return { in: "any", key };
}

type KeyToken = Extract<Token, { type: "key" }>;
type ValueToken = Extract<Token, { type: "value" }>;

function textQuery(token: ValueToken): Query {
  if (token.pattern === "*" && !token.quoted) return MATCH_ALL;
  const units = atoms(token.text);
  const inner = token.pattern.slice(0, -1);
  if (
    token.wild &&
    inner !== "" &&
    token.pattern.endsWith("*") &&
    !/(?<!\\)[*?]/.test(inner) &&
    /[\p{L}\p{N}_]$/u.test(inner)
  ) {
    return { op: "text", test: { kind: "words", text: token.text, atoms: units, prefix: true } };
  }
  if (token.wild) {
    const whole = /[^\p{L}\p{N}\p{M}_*?]/u.test(token.pattern);
    return { op: "text", test: { kind: "glob", pattern: token.pattern, whole } };
  }
  if (units.length === 0) return { op: "text", test: { kind: "glob", pattern: token.pattern, whole: true } };
  return { op: "text", test: { kind: "words", text: token.text, atoms: units, prefix: false } };
}

function valueTest(field: Field, token: ValueToken): FieldTest {
  if (token.pattern === "*" && !token.quoted) return { kind: "exists" };
  if (field.in === "known") {
    if (field.name === "severity") return severityTest(token);
    if (field.name === "duration") {
      const value = milliseconds(token.text, token);
      return { kind: "range", gte: value, lte: value };
    }
    if (field.name === "kind") oneOf("kind", SPAN_KINDS, token);
    if (field.name === "status") oneOf("status", SPAN_STATUSES, token);
  }
  return token.wild ? { kind: "glob", pattern: token.pattern } : { kind: "equals", value: token.text };
}

function oneOf(name: string, allowed: readonly string[], token: ValueToken): void {
  if (token.wild || allowed.includes(token.text.toLowerCase())) return;
  throw new SearchSyntaxError(`${name} is one of ${allowed.join(", ")}`, token.start, token.end);
}

const LEVELS: Record<string, number> = {
  unset: 0,
  trace: 1,
  debug: 5,
  info: 9,
  information: 9,
  warn: 13,
  warning: 13,
  error: 17,
  err: 17,
  fatal: 21,
  critical: 21,
};

/** The lowest and highest OTLP number of a level, or a number itself twice. */
function severityBounds(text: string, place: { start: number; end: number }): [number, number] {
  if (/^\d{1,2}$/.test(text)) return [Number(text), Number(text)];
  const low = Object.hasOwn(LEVELS, text.toLowerCase()) ? LEVELS[text.toLowerCase()] : undefined;
  if (low === undefined) {
    const message = `${JSON.stringify(text)} is no severity (write trace, debug, info, warn, error, fatal, unset, or a number)`;
    throw new SearchSyntaxError(message, place.start, place.end);
  }
  return low === 0 ? [0, 0] : [low, low + 3];
}

function severityTest(token: ValueToken): FieldTest {
  const [gte, lte] = severityBounds(token.text, token);
  return { kind: "range", gte, lte };
}

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(text: string, place: { start: number; end: number }): number {
  const match = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)?$/.exec(text);
  if (match) return Number(match[1]) * (UNITS[match[2] ?? "ms"] as number);
  throw new SearchSyntaxError(
    `${JSON.stringify(text)} is no duration (write 250ms, 1.5s or 2m)`,
    place.start,
    place.end,
  );
}

function bounds(field: Field, text: string, place: { start: number; end: number }): [number, number] {
  if (field.in === "known") {
    if (field.name === "severity") return severityBounds(text, place);
    if (field.name === "duration") {
      const value = milliseconds(text, place);
      return [value, value];
    }
    throw new SearchSyntaxError(`${field.name} cannot be compared by size`, place.start, place.end);
  }
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw new SearchSyntaxError(`${JSON.stringify(text)} is no number`, place.start, place.end);
  return [value, value];
}

function compareTest(field: Field, token: Extract<Token, { type: "compare" }>): FieldTest {
  const [low, high] = bounds(field, token.text, token);
  switch (token.sign) {
    case ">":
      return { kind: "range", gt: high };
    case ">=":
      return { kind: "range", gte: low };
    case "<":
      return { kind: "range", lt: low };
    case "<=":
      return { kind: "range", lte: high };
  }
}

function rangeTest(field: Field, token: Extract<Token, { type: "range" }>): FieldTest {
  const test: FieldTest = { kind: "range" };
  if (token.from !== "*") {
    const [low, high] = bounds(field, token.from, token);
    if (token.openFrom) test.gt = high;
    else test.gte = low;
  }
  if (token.to !== "*") {
    const [low, high] = bounds(field, token.to, token);
    if (token.openTo) test.lt = low;
    else test.lte = high;
  }
  return test;
}

const SPACE = /\s/;

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at] as string;
    if (SPACE.test(character)) at++;
    else if (character === "(" || character === ")") tokens.push({ type: character, start: at, end: ++at });
    else if (character === "-" && startsTerm(text, at)) tokens.push({ type: "-", start: at, end: ++at });
    else {
      for (const token of readTerm(text, at)) tokens.push(token);
      at = (tokens.at(-1) as Token).end;
    }
  }
  return tokens;
}

/** A minus negates when a term follows it at once; `- ` and `->` are text. */
function startsTerm(text: string, at: number): boolean {
  return /^[^\s)\->]/.test(text.slice(at + 1, at + 2));
}

function readTerm(text: string, at: number): Token[] {
  const tokens: Token[] = [];
  const keyed = readKey(text, at);
  if (keyed) {
    tokens.push(keyed);
    const next = text[keyed.end];
    if (next === undefined || next === "(" || next === ")" || SPACE.test(next)) return tokens;
    return [...tokens, readValue(text, keyed.end, true)];
  }
  return [readValue(text, at, false)];
}

function readKey(text: string, at: number): KeyToken | undefined {
  const quoted = text[at] === '"' ? /^"((?:[^"\\]|\\.)*)":/.exec(text.slice(at)) : null;
  if (quoted) {
    return {
      type: "key",
      key: (quoted[1] as string).replaceAll(/\\(.)/g, "$1"),
      start: at,
      end: at + quoted[0].length,
    };
  }
  const plain = /^([\p{L}_@][\p{L}\p{N}_@./-]*):(?!\/\/)/u.exec(text.slice(at));
  return plain ? { type: "key", key: plain[1] as string, start: at, end: at + plain[0].length } : undefined;
}

function readValue(text: string, at: number, keyed: boolean): Token {
  if (text[at] === '"') return readQuoted(text, at);
  if (keyed) {
    const sign = /^(>=|<=|>|<)/.exec(text.slice(at, at + 2))?.[1] as ">" | undefined;
    if (sign) {
      const end = endOfWord(text, at + sign.length);
      if (end === at + sign.length) throw new SearchSyntaxError(`${sign} needs a value right behind it`, at, end);
      return { type: "compare", sign, text: text.slice(at + sign.length, end), start: at, end };
    }
    if (text[at] === "[" || text[at] === "{") return readRange(text, at);
  }
  const end = endOfWord(text, at);
  const raw = text.slice(at, end);
  if (!keyed && (raw === "AND" || raw === "OR" || raw === "NOT")) return { type: raw, start: at, end };
  return {
    type: "value",
    text: raw.replaceAll(/\\(.)/g, "$1").replace(/\*$/, (star) => (raw.endsWith("\\*") ? star : "")),
    pattern: raw.replaceAll(/\\([^*?\\])/g, "$1"),
    quoted: false,
    wild: /(?<!\\)(?:\\\\)*[*?]/.test(raw),
    start: at,
    end,
  };
}

function readQuoted(text: string, at: number): ValueToken {
  const match = /^"((?:[^"\\]|\\.)*)"/s.exec(text.slice(at));
  if (!match) throw new SearchSyntaxError("this quotation mark is not closed", at, text.length);
  const inner = (match[1] as string).replaceAll(/\\(.)/gs, "$1");
  const pattern = inner.replaceAll(/[\\*?]/g, String.raw`\$&`);
  return { type: "value", text: inner, pattern, quoted: true, wild: false, start: at, end: at + match[0].length };
}

function readRange(text: string, at: number): Token {
  const match = /^([[{])\s*([^\s\]}]+)\s+TO\s+([^\s\]}]+)\s*([\]}])/.exec(text.slice(at));
  if (!match) throw new SearchSyntaxError("a range is written [1 TO 5], {1 TO 5} or [1 TO *]", at, text.length);
  const [whole, open, from, to, close] = match as unknown as [string, string, string, string, string];
  return { type: "range", from, to, openFrom: open === "{", openTo: close === "}", start: at, end: at + whole.length };
}

/** A word ends at white space, a parenthesis or a quotation mark; a backslash takes the next character in. */
function endOfWord(text: string, at: number): number {
  let end = at;
  while (end < text.length && !/[\s()"]/.test(text[end] as string)) end += text[end] === "\\" ? 2 : 1;
  return Math.min(end, text.length);
}
