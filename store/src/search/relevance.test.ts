import { parseQuery } from "@tocsin/model";
import { expect, test } from "vitest";
import { Bm25, formatRankCursor, parseRankCursor, recency, scoredWords } from "./relevance.ts";

const score = (search: string, texts: readonly string[]) => {
  const bm25 = new Bm25(scoredWords(parseQuery(search, "logs")), texts);
  return texts.map((_, i) => Number(bm25.score(i).toFixed(4)));
};

test("rare words, and words that fill a short text, count more", () => {
  expect(score("timeout OR provider", ["timeout", "timeout of a provider", "timeout in a very long text", ""])).toEqual(
    [0.2192, 0.5982, 0.1093, 0],
  );
});

test("a phrase counts where it stands in a row, also in unspaced scripts", () => {
  expect(score('"a b"', ["a b", "b a"])).toEqual([0.3151, 0]);
  expect(score("送信", ["注文の送信に失敗", "信送"])[1]).toBe(0);
});

test("what is half as old as the search is long counts half", () => {
  const range = { fromMs: 0, toMs: 1000 };
  expect([1000, 500, 0, 2000].map((ms) => recency(ms, range))).toEqual([1, 0.5, 0.25, 1]);
});

test("a cursor of another list is refused", () => {
  expect(parseRankCursor(formatRankCursor({ offset: 10, toMs: 5 }))).toEqual({ offset: 10, toMs: 5 });
  expect(() => parseRankCursor("abc")).toThrow("cursor: not a cursor of a list by relevance");
});
