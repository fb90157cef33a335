import fc from "fast-check";
import { expect, test } from "vitest";
import { attributeTerms, searchWords, sortable, valueTerm } from "./search-terms.ts";

test("an attribute is found by its key, its value without case, and its number", () => {
  const attributes = { "http.route": "/Orders", code: 502, text: "502", tags: ["A", 1], none: [] };
  const { terms, numbers } = attributeTerms("a", attributes);
  expect({ terms: JSON.parse(`[${terms}]`) as unknown, numbers: JSON.parse(`[${numbers}]`) as unknown }).toEqual({
    terms: [
      "a.http.route",
      "a.http.route=/orders",
      "a.code",
      "a.code=502",
      "a.text",
      "a.text=502",
      "a.tags",
      "a.tags=a",
      "a.tags=1",
      "a.none",
    ],
    numbers: ["a.code=nc07f600000000000", "a.text=sc07f600000000000", "a.tags=nbff0000000000000"],
  });
});

test("key and value do not run into each other", () => {
  expect(valueTerm("a", "k=v", "w")).not.toBe(valueTerm("a", "k", "v=w"));
  expect(valueTerm("a", "k\\", "=v")).not.toBe(valueTerm("a", "k\\=", "v"));
});

test("long values are told apart beyond what is kept of them", () => {
  const long = "x".repeat(40_000);
  expect(valueTerm("a", "k", `${long}1`)).not.toBe(valueTerm("a", "k", `${long}2`));
  expect(valueTerm("a", "k", long).length).toBeLessThan(1100);
});

test("numbers as text sort as numbers do", () => {
  const number = fc.double({ noNaN: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(Math.sign(sortable(a) < sortable(b) ? -1 : sortable(a) > sortable(b) ? 1 : 0)).toBe(
        Math.sign(a < b ? -1 : a > b ? 1 : 0),
      );
    }),
  );
});

test("a text becomes words parted by spaces, unspaced scripts become pairs", () => {
  expect(searchWords("GET /orders/42 → Café")).toBe("get orders 42 cafe");
  expect(searchWords("10.0.0.1, user_id=7")).toBe("10 0 0 1 user_id 7");
  expect(searchWords("注文を送信")).toBe("注文 文を を送 送信 信");
});
