import { parseQuery } from "@tocsin/model";
import { describe, expect, test } from "vitest";
import { scoredTokens, toFilter } from "./query-dsl.ts";

const logs = (text: string) => toFilter(parseQuery(text, "logs"), "logs");

describe("words", () => {
  test.each([
    ["refused", { match_phrase: { "search.words": "refused" } }],
    ['"connection refused"', { match_phrase: { "search.words": "connection refused" } }],
    ["refus*", { prefix: { "search.words": "refus" } }],
    ["user@exam*", { match_phrase_prefix: { "search.words": { query: "user exam", max_expansions: 5000 } } }],
    ["送信に", { match_phrase: { "search.words": "送信 信に" } }],
    ["失", { prefix: { "search.words": "失" } }],
    ["*fused", { wildcard: { "search.words": { value: "*fused" } } }],
  ])("%s", (text, dsl) => expect(logs(text)).toEqual({ dsl, exact: true }));
});

describe("what words cannot decide is widened, and narrowed where it is negated", () => {
  const word = { wildcard: { "search.words": { value: "*api*" } } };

  test("a pattern across words", () => {
    expect(logs("/api/*")).toEqual({ dsl: { bool: { filter: [{ match_all: {} }, word] } }, exact: false });
  });

  test("not a pattern across words", () => {
    expect(logs("-/api/*")).toEqual({ dsl: { bool: { must_not: [{ match_none: {} }] } }, exact: false });
  });
});

describe("fields", () => {
  test.each([
    ["service:API", { term: { service: { value: "API", case_insensitive: true } } }],
    ["level:error", { terms: { severity_number: [17, 18, 19, 20] } }],
    ["trace:AB", { term: { trace_id: "ab" } }],
    ["k:*", { terms: { "search.terms": ["a.k", "r.k"] } }],
    ["resource.k:V", { terms: { "search.terms": ["r.k=v"] } }],
    ["attributes.k:a*", { wildcard: { "search.terms": { value: "a.k=a*" } } }],
    ['attributes.k:"a*"', { terms: { "search.terms": ["a.k=a*"] } }],
  ])("%s", (text, dsl) => expect(logs(text)).toEqual({ dsl, exact: true }));

  test("a number equals numbers, in whatever form", () => {
    expect(logs("attributes.n:5.0").dsl).toEqual({
      bool: {
        should: [
          { terms: { "search.terms": ["a.n=5.0"] } },
          { terms: { "search.numbers": ["a.n=nc014000000000000"] } },
        ],
        minimum_should_match: 1,
      },
    });
  });

  test("a range is of numbers and of text that is a number", () => {
    expect(logs("attributes.n:>5").dsl).toEqual({
      bool: {
        should: [
          { range: { "search.numbers": { gt: "a.n=nc014000000000000", lte: "a.n=ng" } } },
          { range: { "search.numbers": { gt: "a.n=sc014000000000000", lte: "a.n=sg" } } },
        ],
        minimum_should_match: 1,
      },
    });
  });

  test("a field that logs do not have matches nothing", () => {
    const kind = { op: "field", field: { in: "known", name: "kind" }, test: { kind: "exists" } } as const;
    expect(toFilter(kind, "logs")).toEqual({ dsl: { match_none: {} }, exact: true });
  });
});

test("words that must not occur do not score", () => {
  expect(scoredTokens(parseQuery("refused (timeout OR 送信) -noise service:api", "logs"))).toEqual([
    "refused",
    "timeout",
    "送信",
  ]);
});
