import type { LogItem } from "@tocsin/model";
import type { LogSearch, Page } from "../log-store.ts";
import {
  Bm25,
  formatRankCursor,
  MAX_RANKED,
  parseRankCursor,
  recency,
  scoredWords,
  SEVERITY_WEIGHTS,
} from "../search/relevance.ts";
import { searchLogs, type LogReading } from "./log-queries.ts";

/**
 * The newest records that match, most relevant first. The index says which records have a word and not how often, so the
 * texts of these candidates are scored themselves. When time ran out, those found by then are ranked, and the answer says so.
 */
export function rankLogs(search: LogSearch, reading: LogReading): Page<LogItem> {
  const { query, fromMs, limit } = search;
  const { offset, toMs } =
    search.cursor === undefined ? { offset: 0, toMs: search.toMs } : parseRankCursor(search.cursor);
  const range = { fromMs, toMs };
  const { items, searchedToMs } = searchLogs({ ...range, query, limit: MAX_RANKED, order: "newest" }, reading);
  const ranked = rank(items, search, range);
  const more = offset + limit < ranked.length;
  return {
    items: ranked.slice(offset, offset + limit),
    ...(more && { cursor: formatRankCursor({ offset: offset + limit, toMs }) }),
    ...(searchedToMs !== undefined && { searchedToMs }),
  };
}

/** Of equally relevant records the newer comes first. */
function rank(items: readonly LogItem[], { query }: LogSearch, range: { fromMs: number; toMs: number }): LogItem[] {
  const words = scoredWords(query);
  const bm25 = new Bm25(words, words.length === 0 ? [] : items.map(({ message }) => message));
  return items
    .map((item, i) => {
      const text = words.length === 0 ? 1 : bm25.score(i);
      return { item, i, score: text * recency(Date.parse(item.time), range) * SEVERITY_WEIGHTS[item.severity] };
    })
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .map(({ item }) => item);
}
