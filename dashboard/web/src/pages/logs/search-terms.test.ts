import { expect, test } from "vitest";
import { stackBars } from "./level.ts";
import { hasTerm, searchProblem, term, toggleTerm } from "./search-terms.ts";

test("quotes a value only where it would not read as one word", () => {
  expect(term("service", "rate-limiter")).toBe("service:rate-limiter");
  expect(term("http.route", "POST /orders")).toBe('http.route:"POST /orders"');
});

test("adds a term, takes it out again, and turns it round", () => {
  expect(toggleTerm("timeout", "service:sms")).toBe("timeout service:sms");
  expect(toggleTerm("timeout service:sms", "service:sms")).toBe("timeout");
  expect(toggleTerm("timeout service:sms", "-service:sms")).toBe("timeout -service:sms");
  expect(toggleTerm('name:"a b" x', 'name:"a b"')).toBe("x");
});

test("finds a whole term only", () => {
  expect(hasTerm("service:sms2", "service:sms")).toBe(false);
  expect(hasTerm("x service:sms", "service:sms")).toBe(true);
});

test("says where a search cannot be read", () => {
  expect(searchProblem("service:sms (a OR b", "logs")).toMatchObject({ start: 12, end: 13 });
  expect(searchProblem("service:sms", "logs")).toBeUndefined();
});

test("stacks the worst levels at the bottom of a bar", () => {
  const [bar] = stackBars({
    fromMs: 0,
    toMs: 10,
    stepMs: 10,
    buckets: [{ startMs: 0, total: 9, levels: { info: 5, error: 3, warn: 1 } }],
  });
  expect(bar?.parts).toEqual([
    { level: "error", count: 3, from: 0, to: 3 },
    { level: "warn", count: 1, from: 3, to: 4 },
    { level: "info", count: 5, from: 4, to: 9 },
  ]);
});
