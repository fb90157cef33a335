import { expect, test } from "vitest";
import fc from "fast-check";
import { goQuote, goUnquote } from "./go-quote.ts";

test.each([
  ["plain text", '"plain text"'],
  ['a "b" \\ c', '"a \\"b\\" \\\\ c"'],
  ["tab\tnl\nbell\x07", '"tab\\tnl\\nbell\\a"'],
  ["nul\x00del\x7f", '"nul\\x00del\\x7f"'],
  ["grüß ♥ 🎉", '"grüß ♥ 🎉"'],
  ["nbsp\u00a0zwj\u200d", '"nbsp\\u00a0zwj\\u200d"'],
])("quotes %j as Go does", (text, quoted) => {
  expect(goQuote(text)).toBe(quoted);
});

test.each([
  ['"\\x41\\102\\u0043\\U0001F389"', "ABC🎉"],
  ['"\\xc3\\xbc"', "ü"],
  ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\x07\b\f\n\r\t\v\\"'],
])("unquotes %s", (literal, text) => {
  expect(goUnquote(literal)).toBe(text);
});

test.each(['"\\d"', '"\\\'"', '"\\xff"', '"\\u12"', '"\\ud800"', '"a\nb"', '"a"b"', "a", '"', '"\\400"'])(
  "refuses %j",
  (literal) => {
    expect(() => goUnquote(literal)).toThrow();
  },
);

test("unquoting undoes quoting", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(text.isWellFormed());
      expect(goUnquote(goQuote(text))).toBe(text);
    }),
  );
});
