import { expect, test } from "vitest";
import { compileTemplatePattern, matchesSomewhere, replacePattern } from "./regexp-replace.ts";

test.each([
  ["a*", "baaac", "x", "xbxcx"],
  ["(.*):.*", "host:9100", "$1", "host"],
  ["(\\w+)-(\\w+)", "eu-west", "${2}_$1", "west_eu"],
  ["(?P<zone>[a-z]+)", "abc1", "<$zone>", "<abc>1"],
  ["a", "banana", "$$", "b$n$n$"],
  ["(a)(b)?", "ac", "[$1|$2|$3]", "[a||]c"],
  ["(a)", "a", "$1x", ""],
])("replaces %s in %s by %s as Go does", (pattern, text, replacement, result) => {
  expect(replacePattern(pattern, text, replacement)).toBe(result);
});

test("a pattern is not anchored", () => {
  expect(matchesSomewhere("b.", "abc")).toBe(true);
  expect(matchesSomewhere("^b", "abc")).toBe(false);
});

test("a pattern outside RE2 is refused", () => {
  expect(() => matchesSomewhere("(?=a)", "a")).toThrow();
});

test("a template pattern matches the whole text, newlines too, or nothing", () => {
  const pattern = compileTemplatePattern("(?P<zone>[a-z]+)-(.*)|x");
  expect(pattern.expand("eu-a\nb", "${zone}/$2")).toBe("eu/a\nb");
  expect(pattern.expand("1eu-a", "$1")).toBeUndefined();
  expect(pattern.matches("xy")).toBe(false);
  expect(pattern.matches("x")).toBe(true);
});
