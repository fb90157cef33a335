import fc from "fast-check";
import { expect, test } from "vitest";
import { compileMatchers, CompiledMatcher, matchesAll } from "./matcher.ts";
import { compilePattern } from "./regexp.ts";

test.each([
  ["=", "b", "b", true],
  ["=", "b", "bb", false],
  ["!=", "b", "bb", true],
  ["=~", "b.", "bb", true],
  ["=~", "b", "bb", false],
  ["!~", "b", "bb", true],
  ["=~", "a|b", "b", true],
  ["=~", "(a|b)", "a|b", false],
  ["=~", "", "", true],
  ["=~", ".*", "", true],
  ["=~", ".+", "", false],
  ["=~", "a.*", "a\nb", true],
  ["=~", "ab?", "a", true],
  ["=~", "ab|cd", "cd", true],
  ["=~", "(?i)AB", "ab", true],
] as const)("%s %j against %j is %s", (type, pattern, value, expected) => {
  expect(new CompiledMatcher({ name: "l", type, value: pattern }).matches(value)).toBe(expected);
});

test("a missing label counts as empty", () => {
  expect(matchesAll(compileMatchers([{ name: "a", type: "=", value: "" }]), {})).toBe(true);
  expect(matchesAll(compileMatchers([{ name: "a", type: "!=", value: "" }]), {})).toBe(false);
  expect(matchesAll([], { any: "thing" })).toBe(true);
});

test("tells the few values that can match, and the beginning that every match has", () => {
  expect(compilePattern("(api|sms)").literals).toEqual(["api", "sms"]);
  expect(compilePattern("api").literals).toEqual(["api"]);
  expect(compilePattern("5..").prefix).toBe("5");
  expect(compilePattern("ab*").prefix).toBe("a");
  expect(compilePattern("ab|cd.").prefix).toBe("");
});

test("an invalid pattern is refused with its reason", () => {
  expect(() => compilePattern("a(")).toThrow(/missing closing \)/);
});

test("a pattern that backtracking engines choke on ends", () => {
  expect(compilePattern("(a+)+$").matches(`${"a".repeat(5000)}b`)).toBe(false);
});

test("agrees with JavaScript's engine on patterns where both mean the same", () => {
  const atom = fc.constantFrom("a", "b", ".", "a*", "b+", "a?", "[ab]", "(a|b)", "|", "^a");
  const pattern = fc.array(atom, { maxLength: 5 }).map((parts) => parts.join(""));
  const text = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 6 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(pattern, text, (source, value) => {
      expect(compilePattern(source).matches(value)).toBe(new RegExp(`^(?:${source})$`, "s").test(value));
    }),
    { numRuns: 2000 },
  );
});
