import { atoms, type Query, type SeverityLevel, type UnixMs } from "@tocsin/model";
import { TocsinError } from "@tocsin/platform/thread";
import { z } from "zod";
import type { TimeRange } from "../log-store.ts";

/**
 * `sort=relevance`: text × recency × severity. Text is BM25 of the words searched for (1 where a search has none), recency
 * halves over half of the time searched, severity weighs errors over chatter. docs/guides/search.md tells it to people.
 */

/** So many of the newest records that match are ranked. */
export const MAX_RANKED = 2000;

export const SEVERITY_WEIGHTS: Readonly<Record<SeverityLevel, number>> = {
  fatal: 2.5,
  error: 2,
  warn: 1.4,
  info: 1,
  unset: 1,
  debug: 0.7,
  trace: 0.5,
};

/** The age at which a record counts half, for a search over this time. */
export const halfLifeMs = ({ fromMs, toMs }: TimeRange): number => Math.max(1, (toMs - fromMs) / 2);

export const recency = (ms: UnixMs, range: TimeRange): number =>
  0.5 ** (Math.max(0, range.toMs - ms) / halfLifeMs(range));

const K1 = 1.2;
const B = 0.75;

/** BM25 over a set of texts, as Lucene computes it; a word is one or more atoms in a row. */
export class Bm25 {
  readonly #frequencies: Uint32Array[];
  readonly #lengths: number[];
  readonly #idf: number[];
  readonly #averageLength: number;

  constructor(words: readonly Word[], texts: readonly string[]) {
    const units = texts.map(atoms);
    this.#lengths = units.map(({ length }) => length);
    this.#averageLength = this.#lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, texts.length);
    this.#frequencies = words.map((word) => Uint32Array.from(units, (text) => occurrences(word, text)));
    this.#idf = this.#frequencies.map((counts) => {
      const having = counts.reduce((n, count) => n + Math.min(1, count), 0);
      return Math.log(1 + (texts.length - having + 0.5) / (having + 0.5));
    });
  }

  score(text: number): number {
    const length = (this.#lengths[text] as number) / Math.max(1, this.#averageLength);
    return this.#frequencies.reduce((sum, counts, word) => {
      const count = counts[text] as number;
      return sum + ((this.#idf[word] as number) * count) / (count + K1 * (1 - B + B * length));
    }, 0);
  }
}

/** What a search asks of a text as one thing: a word, a phrase, a beginning. */
export interface Word {
  atoms: readonly string[];
  prefix: boolean;
}

/** The words that make a record relevant: all but those it must not have. */
export function scoredWords(query: Query): Word[] {
  switch (query.op) {
    case "and":
    case "or":
      return query.parts.flatMap(scoredWords);
    case "text":
      return query.test.kind === "words" && query.test.atoms.length > 0 ? [query.test] : [];
    case "all":
    case "not":
    case "field":
      return [];
  }
}

function occurrences({ atoms: wanted, prefix }: Word, units: readonly string[]): number {
  const last = wanted.length - 1;
  let found = 0;
  for (let i = 0; i + last < units.length; i++) {
    const starts = wanted.every((atom, k) => {
      const unit = units[i + k] as string;
      return prefix && k === last ? unit.startsWith(atom) : unit === atom;
    });
    if (starts) found++;
  }
  return found;
}

/** Where a ranked list goes on: the ranks already given, and the newest time that was ranked, so that it stays the same list. */
export interface RankCursor {
  offset: number;
  toMs: UnixMs;
}

const Cursor = z.tuple([z.literal("rank"), z.int().min(0).max(MAX_RANKED), z.number()]);

export const formatRankCursor = ({ offset, toMs }: RankCursor): string =>
  Buffer.from(JSON.stringify(["rank", offset, toMs])).toString("base64url");

/** Throws TOCSIN_BAD_REQUEST when it is not a cursor of a ranked list. */
export function parseRankCursor(text: string): RankCursor {
  const [, offset, toMs] = read(Buffer.from(text, "base64url").toString("utf8"));
  return { offset, toMs };
}

function read(text: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(text));
  } catch (error) {
    throw new TocsinError("TOCSIN_BAD_REQUEST", "cursor: not a cursor of a list by relevance", { cause: error });
  }
}
