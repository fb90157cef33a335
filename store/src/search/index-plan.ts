import {
  indexTokens,
  severityLevel,
  fieldPredicate,
  type Field,
  type FieldTest,
  type Query,
  type TextTest,
} from "@tocsin/model";
import {
  equalsToken,
  existsToken,
  knownToken,
  pairToken,
  serviceToken,
  traceToken,
  wordToken,
} from "../blocks/tokens.ts";

/** What the indexes of a file are asked before a block is opened. Undefined: they cannot help, look at every block. */
export interface IndexPlan {
  /** FTS5 expression over the rows of a file; every match is among its hits. */
  rows: string | undefined;
  /** The hits of `rows` are the matches exactly, so that no block needs opening to be sure. */
  rowsExact: boolean;
  /** FTS5 expression over the blocks of a file; every match is in a block among its hits. */
  blocks: string | undefined;
}

/** Logs have an index of rows (words, trace) and one of blocks (service, level, attributes). */
export function logIndexPlan(query: Query): IndexPlan {
  const rows = rowExpression(query);
  return { rows: rows?.expression, rowsExact: rows?.exact ?? false, blocks: blockExpression(query, "logs") };
}

/** Spans have one of blocks only. */
export function spanIndexPlan(query: Query): IndexPlan {
  return { rows: undefined, rowsExact: false, blocks: blockExpression(query, "spans") };
}

interface RowExpression {
  expression: string;
  exact: boolean;
}

function rowExpression(query: Query): RowExpression | undefined {
  switch (query.op) {
    case "text":
      return wordsExpression(query.test);
    case "field": {
      const traceId = equalTo(query, "trace");
      return traceId === undefined || traceId.length < 16
        ? undefined
        : { expression: quoteToken(traceToken(traceId.toLowerCase())), exact: false };
    }
    case "and": {
      const parts = query.parts.map(rowExpression);
      const known = parts.filter((part) => part !== undefined);
      if (known.length === 0) return undefined;
      return {
        expression: all(known.map(({ expression }) => expression)),
        exact: known.length === parts.length && known.every(({ exact }) => exact),
      };
    }
    case "or": {
      const parts = query.parts.map(rowExpression);
      const known = parts.filter((part) => part !== undefined);
      if (known.length < parts.length) return undefined;
      return { expression: any(known.map(({ expression }) => expression)), exact: known.every(({ exact }) => exact) };
    }
    case "all":
    case "not":
      return undefined;
  }
}

/** A word is exact; of several in a row the index knows only that all are there. */
function wordsExpression(test: TextTest): RowExpression | undefined {
  if (test.kind === "glob") return undefined;
  const tokens = indexTokens(test.atoms, test.prefix);
  const expression = all(tokens.map(({ token, prefix }) => quoteToken(token, prefix)));
  const mayMeanTrace = test.atoms.some((atom) => atom.startsWith("t_") || (test.prefix && "t_".startsWith(atom)));
  return { expression, exact: tokens.length === 1 && !mayMeanTrace };
}

type Target = "logs" | "spans";

function blockExpression(query: Query, target: Target): string | undefined {
  switch (query.op) {
    case "text":
      return target === "spans" ? nameExpression(query.test) : undefined;
    case "field":
      return fieldExpression(query.field, query.test, target);
    case "and": {
      const parts = [...query.parts.map((part) => blockExpression(part, target)), pairExpression(query.parts, target)];
      const known = parts.filter((part) => part !== undefined);
      return known.length === 0 ? undefined : all(known);
    }
    case "or": {
      const parts = query.parts.map((part) => blockExpression(part, target));
      const known = parts.filter((part) => part !== undefined);
      return known.length < parts.length ? undefined : any(known);
    }
    case "all":
    case "not":
      return undefined;
  }
}

function nameExpression(test: TextTest): string | undefined {
  if (test.kind === "glob") return undefined;
  return all(indexTokens(test.atoms, test.prefix).map(({ token, prefix }) => quoteToken(wordToken(token), prefix)));
}

function fieldExpression(field: Field, test: FieldTest, target: Target): string | undefined {
  if (field.in !== "known") return attributeExpression(field.key, test);
  if (field.name === "severity")
    return any(levelsWithin(test).map((level) => quoteToken(knownToken("severity", level))));
  if (test.kind !== "equals") return undefined;
  switch (field.name) {
    case "service":
      return quoteToken(serviceToken(test.value));
    case "trace":
      return target === "spans" && test.value.length >= 16
        ? quoteToken(traceToken(test.value.toLowerCase()))
        : undefined;
    case "kind":
    case "status":
    case "scope":
    case "event":
      return quoteToken(knownToken(field.name, test.value));
    case "duration":
    case "parent":
    case "span":
      return undefined;
  }
}

function attributeExpression(key: string, test: FieldTest): string | undefined {
  if (test.kind !== "equals") return quoteToken(existsToken(key));
  const texts = new Set([test.value]);
  const number = Number(test.value);
  if (test.value.trim() !== "" && !Number.isNaN(number)) texts.add(String(number));
  return any([...texts].map((text) => quoteToken(equalsToken(key, text))));
}

/** Service and level (of spans: status) of the same record, where a conjunction asks for both. */
function pairExpression(parts: readonly Query[], target: Target): string | undefined {
  const service = parts.map((part) => equalTo(part, "service")).find((value) => value !== undefined);
  if (service === undefined) return undefined;
  for (const part of parts) {
    if (part.op !== "field" || part.field.in !== "known") continue;
    if (target === "logs" && part.field.name === "severity") {
      return any(levelsWithin(part.test).map((level) => quoteToken(pairToken(service, level))));
    }
    if (target === "spans" && part.field.name === "status" && part.test.kind === "equals") {
      return quoteToken(pairToken(service, part.test.value));
    }
  }
  return undefined;
}

function equalTo(query: Query, name: "service" | "trace"): string | undefined {
  if (query.op !== "field" || query.field.in !== "known" || query.field.name !== name) return undefined;
  return query.test.kind === "equals" ? query.test.value : undefined;
}

function levelsWithin(test: FieldTest): string[] {
  const matches = fieldPredicate(test);
  const levels = new Set<string>();
  for (let severity = 0; severity <= 25; severity++) if (matches(severity)) levels.add(severityLevel(severity));
  return [...levels];
}

const quoteToken = (token: string, prefix = false): string => (prefix ? `"${token}" *` : `"${token}"`);
const all = (parts: readonly string[]): string =>
  parts.length === 1 ? (parts[0] as string) : `(${parts.join(" AND ")})`;
/** No alternative at all matches nothing: a token that is never written. */
const any = (parts: readonly string[]): string =>
  parts.length === 0 ? '"none"' : parts.length === 1 ? (parts[0] as string) : `(${parts.join(" OR ")})`;
