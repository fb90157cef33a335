import fc from "fast-check";
import { expect, test } from "vitest";
import { atoms, containsAtoms, globMatches, indexText, indexTokens } from "./words.ts";

test.each<[string, string[]]>([
  ["GET /orders/42?x=a_b", ["get", "orders", "42", "x", "a_b"]],
  ["Café ＡＢＣ Ünïcode", ["cafe", "abc", "unicode"]],
  ["東京タワー3号", ["東", "京", "タ", "ワ", "ー", "3", "号"]],
  ["서울 hello", ["서", "울", "hello"]],
  ["हिन्दी", ["हिन्दी"]],
  ["…—»", []],
])("parts %s into what is searched", (text, expected) => expect(atoms(text)).toEqual(expected));

test("indexes neighbouring unspaced characters as pairs, the last one alone too", () => {
  expect(indexText("失敗しました foo 京")).toBe("失敗 敗し しま まし した た foo 京");
  expect(indexTokens(["失", "敗", "foo"], false)).toEqual([
    { token: "失敗", prefix: false },
    { token: "敗", prefix: true },
    { token: "foo", prefix: false },
  ]);
});

test.each<[string, string, boolean]>([
  ["*", "", true],
  ["a*c", "abbc", true],
  ["a*c", "abbcd", false],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  [String.raw`a\*c`, "a*c", true],
  [String.raw`a\*c`, "abc", false],
  ["*a*a*a*b", "a".repeat(60), false],
])("glob %s against %s is %s", (pattern, text, expected) => expect(globMatches(pattern, text)).toBe(expected));

const character = fc.constantFrom("a", "b", "é", "京", "都", "カ", " ", "-", "_", "1", "서");
const text = fc.array(character, { maxLength: 20 }).map((parts) => parts.join(""));

test("every text that contains atoms in a row has all their index tokens", () => {
  fc.assert(
    fc.property(text, text, fc.boolean(), (message, searched, prefix) => {
      const wanted = atoms(searched);
      if (wanted.length === 0 || !containsAtoms(atoms(message), wanted, prefix)) return;
      const tokens = indexText(message)
        .toLowerCase()
        .split(/[^a-z0-9_\u0080-\uffff]+/);
      for (const { token, prefix: begins } of indexTokens(wanted, prefix)) {
        expect(tokens.some((own) => (begins ? own.startsWith(token) : own === token))).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});
