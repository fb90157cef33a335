import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { parseQuery, SearchSyntaxError, type SearchTarget } from "./parse.ts";
import type { Field, Query } from "./query.ts";

const words = (text: string, atoms: string[], prefix = false): Query => ({
  op: "text",
  test: { kind: "words", text, atoms, prefix },
});
const word = (text: string): Query => words(text, [text]);
const key = (name: string): Field => ({ in: "any", key: name });
const equals = (name: string, value: string): Query => ({
  op: "field",
  field: key(name),
  test: { kind: "equals", value },
});

describe("words", () => {
  test.each<[string, Query]>([
    ["", { op: "all" }],
    ["   ", { op: "all" }],
    ["*", { op: "all" }],
    ["Refused", words("Refused", ["refused"])],
    ["time*", words("time", ["time"], true)],
    ["user@example.com", words("user@example.com", ["user", "example", "com"])],
    ['"connection refused"', words("connection refused", ["connection", "refused"])],
    ['"50*"', words("50*", ["50"])],
    ["http://a.b/c", words("http://a.b/c", ["http", "a", "b", "c"])],
    ["12:30:05", words("12:30:05", ["12", "30", "05"])],
    ["東京", words("東京", ["東", "京"])],
    ["*out", { op: "text", test: { kind: "glob", pattern: "*out", whole: false } }],
    ["/api/*/orders", { op: "text", test: { kind: "glob", pattern: "/api/*/orders", whole: true } }],
    ["->", { op: "text", test: { kind: "glob", pattern: "->", whole: true } }],
    [String.raw`a\*`, words("a*", ["a"])],
    ["message:refused", word("refused")],
    ['msg:"a b"', words("a b", ["a", "b"])],
  ])("%s", (text, query) => expect(parseQuery(text, "logs")).toEqual(query));
});

describe("fields", () => {
  test.each<[string, SearchTarget, Query]>([
    ["user:42", "logs", equals("user", "42")],
    ['user:"a b"', "logs", equals("user", "a b")],
    ['"odd key":x', "logs", equals("odd key", "x")],
    ["url:http://a", "logs", equals("url", "http://a")],
    ["user:*", "logs", { op: "field", field: key("user"), test: { kind: "exists" } }],
    ["path:/a/*", "logs", { op: "field", field: key("path"), test: { kind: "glob", pattern: "/a/*" } }],
    ["n:>5", "logs", { op: "field", field: key("n"), test: { kind: "range", gt: 5 } }],
    ["n:<=-5.5", "logs", { op: "field", field: key("n"), test: { kind: "range", lte: -5.5 } }],
    ["n:[1 TO 5}", "logs", { op: "field", field: key("n"), test: { kind: "range", gte: 1, lt: 5 } }],
    ["n:{1 TO *]", "logs", { op: "field", field: key("n"), test: { kind: "range", gt: 1 } }],
    [
      "resource.host:a",
      "logs",
      { op: "field", field: { in: "resource", key: "host" }, test: { kind: "equals", value: "a" } },
    ],
    [
      "attributes.service:a",
      "logs",
      { op: "field", field: { in: "attributes", key: "service" }, test: { kind: "equals", value: "a" } },
    ],
    [
      "service:a",
      "logs",
      { op: "field", field: { in: "known", name: "service" }, test: { kind: "equals", value: "a" } },
    ],
    [
      "trace_id:ab",
      "logs",
      { op: "field", field: { in: "known", name: "trace" }, test: { kind: "equals", value: "ab" } },
    ],
    [
      "level:Error",
      "logs",
      { op: "field", field: { in: "known", name: "severity" }, test: { kind: "range", gte: 17, lte: 20 } },
    ],
    [
      "level:>=warn",
      "logs",
      { op: "field", field: { in: "known", name: "severity" }, test: { kind: "range", gte: 13 } },
    ],
    ["level:>warn", "logs", { op: "field", field: { in: "known", name: "severity" }, test: { kind: "range", gt: 16 } }],
    [
      "severity:unset",
      "logs",
      { op: "field", field: { in: "known", name: "severity" }, test: { kind: "range", gte: 0, lte: 0 } },
    ],
    [
      "duration:>1.5s",
      "traces",
      { op: "field", field: { in: "known", name: "duration" }, test: { kind: "range", gt: 1500 } },
    ],
    ["duration:>1.5", "logs", { op: "field", field: key("duration"), test: { kind: "range", gt: 1.5 } }],
    [
      "status:error",
      "traces",
      { op: "field", field: { in: "known", name: "status" }, test: { kind: "equals", value: "error" } },
    ],
    ["status:teapot", "logs", equals("status", "teapot")],
    ["name:orders", "traces", word("orders")],
  ])("%s of %s", (text, target, query) => expect(parseQuery(text, target)).toEqual(query));
});

describe("combinations", () => {
  const [a, b, c] = [word("a"), word("b"), word("c")];
  test.each<[string, Query]>([
    ["a b", { op: "and", parts: [a, b] }],
    ["a AND b", { op: "and", parts: [a, b] }],
    ["a OR b c", { op: "or", parts: [a, { op: "and", parts: [b, c] }] }],
    ["(a OR b) c", { op: "and", parts: [{ op: "or", parts: [a, b] }, c] }],
    ["-a", { op: "not", part: a }],
    ["NOT a b", { op: "and", parts: [{ op: "not", part: a }, b] }],
    ["-(a b)", { op: "not", part: { op: "and", parts: [a, b] } }],
    ["-k:v", { op: "not", part: equals("k", "v") }],
    ["k:(v OR w)", { op: "or", parts: [equals("k", "v"), equals("k", "w")] }],
    ["k:(-v)", { op: "not", part: equals("k", "v") }],
    ["or and not", { op: "and", parts: [word("or"), word("and"), word("not")] }],
  ])("%s", (text, query) => expect(parseQuery(text, "logs")).toEqual(query));
});

describe("mistakes say what and where", () => {
  test.each<[string, SearchTarget, string, number, number]>([
    ["(a", "logs", "this parenthesis is not closed", 0, 1],
    ["a )", "logs", "a closing parenthesis without an opening one", 2, 3],
    ["a OR", "logs", "the search ends where a word or key:value is expected", 3, 4],
    ["a OR OR b", "logs", "OR where a word or key:value is expected", 5, 7],
    ["()", "logs", "a closing parenthesis where a word or key:value is expected", 1, 2],
    ['x "a', "logs", "this quotation mark is not closed", 2, 4],
    ["user: x", "logs", "user: has no value (write user:value or user:*)", 0, 5],
    ["n:> 5", "logs", "> needs a value right behind it", 2, 3],
    ["n:>five", "logs", '"five" is no number', 2, 7],
    ["n:[1 5]", "logs", "a range is written [1 TO 5], {1 TO 5} or [1 TO *]", 2, 7],
    ["service:>a", "logs", "service cannot be compared by size", 8, 10],
    ["message:>5", "logs", "text cannot be compared by size", 8, 10],
    ["a:(b:c)", "logs", "a key inside the parentheses of another key", 3, 5],
    ["kind:web", "traces", "kind is one of unspecified, internal, server, client, producer, consumer", 5, 8],
    ["duration:>soon", "traces", '"soon" is no duration (write 250ms, 1.5s or 2m)', 9, 14],
  ])("%s of %s", (text, target, message, start, end) => {
    const error = mistake(text, target);
    expect([error.message, error.start, error.end]).toEqual([`${message} (at character ${start + 1})`, start, end]);
  });

  test("limits length, depth and terms", () => {
    expect(mistake("a".repeat(4097), "logs").message).toContain("at most 4096 characters");
    expect(mistake("(".repeat(33), "logs").message).toContain("more than 32 levels");
    expect(mistake("a ".repeat(257), "logs").message).toContain("at most 256 terms");
  });
});

test("reads any text, or says why not", () => {
  const part = fc.constantFrom(
    "a",
    "k:",
    '"',
    "(",
    ")",
    "*",
    "-",
    "[1 TO 2]",
    ">",
    "\\",
    " ",
    "OR",
    "é",
    "京",
    ":",
    "level:",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.constantFrom("logs", "traces"), (parts, target) => {
      const text = parts.join("");
      try {
        parseQuery(text, target);
      } catch (error) {
        expect(error).toBeInstanceOf(SearchSyntaxError);
        const { start, end } = error as SearchSyntaxError;
        expect(start).toBeGreaterThanOrEqual(0);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
      }
    }),
    { numRuns: 2000 },
  );
});

function mistake(text: string, target: SearchTarget): SearchSyntaxError {
  try {
    parseQuery(text, target);
  } catch (error) {
    if (error instanceof SearchSyntaxError) return error;
    throw error;
  }
  throw new Error(`${text} was read without complaint`);
}
