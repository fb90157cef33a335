import {
  atoms,
  fieldPredicate,
  fold,
  indexTokens,
  SPAN_KINDS,
  SPAN_STATUSES,
  type Field,
  type FieldTest,
  type KnownField,
  type Query,
  type SearchTarget,
  type TextTest,
} from "@tocsin/model";
import type { Json } from "./connection.ts";
import { keyTerm, numberPrefix, numberTerm, sortable, valueTerm, type Holder } from "./search-terms.ts";

export interface Filter {
  /** A query that finds at least what it should. */
  dsl: Json;
  /** Whether it finds nothing else; otherwise what it finds has to be looked at again. */
  exact: boolean;
}

const ALL: Json = { match_all: {} };
const NONE: Json = { match_none: {} };

/** Translates a search. What the server's indexes cannot decide is widened and reported as not exact. */
export function toFilter(query: Query, target: SearchTarget): Filter {
  const { atLeast, atMost } = translate(query, target);
  return { dsl: atLeast, exact: atLeast === atMost };
}

/** Bounds of what a query matches; the same object where they meet. */
interface Bounds {
  atLeast: Json;
  atMost: Json;
}

const exactly = (dsl: Json): Bounds => ({ atLeast: dsl, atMost: dsl });

function translate(query: Query, target: SearchTarget): Bounds {
  switch (query.op) {
    case "all":
      return exactly(ALL);
    case "and":
      return combine(query.parts, target, (parts) => ({ bool: { filter: parts } }));
    case "or":
      return combine(query.parts, target, any);
    case "not": {
      const { atLeast, atMost } = translate(query.part, target);
      const without = (dsl: Json): Json => ({ bool: { must_not: [dsl] } });
      return atLeast === atMost ? exactly(without(atLeast)) : { atLeast: without(atMost), atMost: without(atLeast) };
    }
    case "text":
      return textBounds(query.test);
    case "field":
      return exactly(fieldQuery(query.field, query.test, target));
  }
}

function combine(queries: readonly Query[], target: SearchTarget, join: (parts: Json[]) => Json): Bounds {
  const parts = queries.map((query) => translate(query, target));
  const atLeast = join(parts.map((part) => part.atLeast));
  if (parts.every((part) => part.atLeast === part.atMost)) return exactly(atLeast);
  return { atLeast, atMost: join(parts.map((part) => part.atMost)) };
}

const any = (parts: Json[]): Json =>
  parts.length === 1 ? (parts[0] as Json) : { bool: { should: parts, minimum_should_match: 1 } };

/** How many words a phrase's last, unfinished word may stand for. */
const MAX_EXPANSIONS = 5000;
const WORDS = "search.words";

function textBounds(test: TextTest): Bounds {
  if (test.kind === "words") return exactly(wordsQuery(test.atoms, test.prefix));
  if (!test.whole && /^[\x20-\x7e]*[a-z0-9_][\x20-\x7e]*$/i.test(test.pattern)) {
    return exactly({ wildcard: { [WORDS]: { value: fold(test.pattern) } } });
  }
  return { atLeast: { bool: { filter: [ALL, ...literalWords(test.pattern)] } }, atMost: NONE };
}

function wordsQuery(units: readonly string[], prefix: boolean): Json {
  const tokens = wordTokens(units, prefix);
  const last = tokens.at(-1);
  if (!last) return ALL;
  if (!last.prefix) return { match_phrase: { [WORDS]: tokens.map(({ token }) => token).join(" ") } };
  if (tokens.length === 1) return { prefix: { [WORDS]: last.token } };
  const query = tokens.map(({ token }) => token).join(" ");
  return { match_phrase_prefix: { [WORDS]: { query, max_expansions: MAX_EXPANSIONS } } };
}

/** Of a run in an unspaced script the last character needs no token of its own: the pair before has it. */
function wordTokens(units: readonly string[], prefix: boolean): { token: string; prefix: boolean }[] {
  const tokens = indexTokens(units, prefix);
  const paired = tokens.length > 1 && tokens.at(-2)?.token === `${units.at(-2)}${units.at(-1)}`;
  return paired ? tokens.slice(0, -1) : tokens;
}

/** The words that texts matching a pattern must have; the first and last of a piece may be parts of longer ones. */
function literalWords(pattern: string): Json[] {
  const pieces = pattern.split(/(?<!\\)(?:\\\\)*[*?]/).map((piece) => piece.replaceAll(/\\(.)/g, "$1"));
  return pieces
    .filter((piece) => /^[\x20-\x7e]*$/.test(piece))
    .flatMap((piece) => {
      const words = atoms(piece);
      return words.map((word, i) => {
        const before = i === 0 ? "*" : "";
        const after = i === words.length - 1 ? "*" : "";
        return { wildcard: { [WORDS]: { value: `${before}${word}${after}` } } };
      });
    });
}

/** The words of a search that add to a record's score: all but those that must not occur. */
export function scoredTokens(query: Query): string[] {
  switch (query.op) {
    case "and":
    case "or":
      return query.parts.flatMap(scoredTokens);
    case "text":
      return query.test.kind === "words"
        ? wordTokens(query.test.atoms, query.test.prefix).flatMap(({ token, prefix }) => (prefix ? [] : [token]))
        : [];
    case "all":
    case "not":
    case "field":
      return [];
  }
}

/** A query that scores by these words and demands none of them. */
export const scoreQuery = (tokens: readonly string[]): Json => ({ match: { [WORDS]: { query: tokens.join(" ") } } });

function fieldQuery(field: Field, test: FieldTest, target: SearchTarget): Json {
  if (field.in !== "known") return attributeQuery(field, test);
  return (target === "logs" ? LOG_QUERIES : SPAN_QUERIES)[field.name]?.(test) ?? NONE;
}

type TestQuery = (test: FieldTest) => Json;

/** A field of few values: the values that satisfy the test are listed. */
const oneOf =
  (name: string, values: readonly (string | number)[]): TestQuery =>
  (test) => ({ terms: { [name]: values.filter((value) => fieldPredicate(test)(value)) } });

const textField =
  (name: string): TestQuery =>
  (test) => {
    switch (test.kind) {
      case "exists":
        return { exists: { field: name } };
      case "equals":
        return { term: { [name]: { value: test.value, case_insensitive: true } } };
      case "glob":
        return { wildcard: { [name]: { value: test.pattern, case_insensitive: true } } };
      case "range":
        return NONE;
    }
  };

const idField =
  (name: string): TestQuery =>
  (test) =>
    test.kind === "equals" ? { term: { [name]: test.value.toLowerCase() } } : textField(name)(test);

const durationQuery: TestQuery = (test) => {
  if (test.kind === "exists") return ALL;
  if (test.kind === "glob") return NONE;
  const { kind, ...range } = test;
  if (kind === "range") return { range: { duration_ms: range } };
  const value = Number(test.value);
  return test.value.trim() === "" || !Number.isFinite(value) ? NONE : { term: { duration_ms: value } };
};

const LOG_QUERIES: Partial<Record<KnownField, TestQuery>> = {
  service: textField("service"),
  severity: oneOf(
    "severity_number",
    Array.from({ length: 25 }, (_, number) => number),
  ),
  trace: idField("trace_id"),
  span: idField("span_id"),
  scope: textField("scope"),
  event: textField("event"),
};

const SPAN_QUERIES: Partial<Record<KnownField, TestQuery>> = {
  service: textField("service"),
  kind: oneOf("kind", SPAN_KINDS),
  status: oneOf("status", SPAN_STATUSES),
  duration: durationQuery,
  trace: idField("trace_id"),
  span: idField("span_id"),
  parent: idField("parent_span_id"),
  scope: textField("scope"),
};

const HOLDERS: Record<"attributes" | "resource" | "any", readonly Holder[]> = {
  attributes: ["a"],
  resource: ["r"],
  any: ["a", "r"],
};
const TERMS = "search.terms";
const NUMBERS = "search.numbers";

function attributeQuery({ in: where, key }: Exclude<Field, { in: "known" }>, test: FieldTest): Json {
  const holders = HOLDERS[where];
  switch (test.kind) {
    case "exists":
      return { terms: { [TERMS]: holders.map((holder) => keyTerm(holder, key)) } };
    case "equals":
      return any([equalText(holders, key, test.value), ...equalNumber(holders, key, test.value)]);
    case "glob": {
      const pattern = test.pattern.toLowerCase();
      return any(
        holders.map((holder) => ({ wildcard: { [TERMS]: { value: literal(`${keyTerm(holder, key)}=`) + pattern } } })),
      );
    }
    case "range":
      return any(
        holders.flatMap((holder) => (["n", "s"] as const).map((from) => numberRange(holder, key, from, test))),
      );
  }
}

const equalText = (holders: readonly Holder[], key: string, value: string): Json => ({
  terms: { [TERMS]: holders.map((holder) => valueTerm(holder, key, value)) },
});

function equalNumber(holders: readonly Holder[], key: string, value: string): Json[] {
  const number = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isNaN(number)) return [];
  return [{ terms: { [NUMBERS]: holders.map((holder) => numberTerm(holder, key, number, "n")) } }];
}

const literal = (text: string): string => text.replaceAll(/[\\*?]/g, "\\$&");

function numberRange(
  holder: Holder,
  key: string,
  origin: "n" | "s",
  { gt, gte, lt, lte }: Extract<FieldTest, { kind: "range" }>,
): Json {
  const prefix = numberPrefix(holder, key, origin);
  return {
    range: {
      [NUMBERS]: {
        ...(gt !== undefined
          ? { gt: prefix + sortable(gt) }
          : { gte: prefix + (gte === undefined ? "" : sortable(gte)) }),
        ...(lt !== undefined
          ? { lt: prefix + sortable(lt) }
          : { lte: prefix + (lte === undefined ? "g" : sortable(lte)) }),
      },
    },
  };
}
