import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { Matcher } from "./matcher.ts";
import {
  compareMatchers,
  formatMatcher,
  formatMatchers,
  isLabelName,
  parseMatcher,
  parseMatchers,
} from "./matcher-syntax.ts";

const m = (name: string, type: Matcher["type"], value: string): Matcher => ({ name, type, value });

describe("the classic grammar", () => {
  test.each<[string, Matcher[]]>([
    ["a=b", [m("a", "=", "b")]],
    [' a != "x y" ', [m("a", "!=", "x y")]],
    ['{a="b",c=~"d.*"}', [m("a", "=", "b"), m("c", "=~", "d.*")]],
    ['a="x,y",b=z', [m("a", "=", "x,y"), m("b", "=", "z")]],
    ["a=b,", [m("a", "=", "b")]],
    ["a={x} y", [m("a", "=", "{x} y")]],
    ['a="\\d\\n\\"\\\\"', [m("a", "=", '\\d\n"\\')]],
    ["a=x\\", [m("a", "=", "x\\")]],
    ["a=", [m("a", "=", "")]],
    ["", []],
    ["{}", []],
    ["job:x=1", [m("job:x", "=", "1")]],
  ])("reads %j", (text, matchers) => {
    expect(parseMatchers(text, "classic").matchers).toEqual(matchers);
  });

  test.each([
    ["a", "bad matcher format: a"],
    ["1a=b", "bad matcher format: 1a=b"],
    ['a=x"y', 'matcher value contains unescaped double quote: x"y'],
    ['a="x', 'matcher value contains unescaped double quote: "x'],
    ['"a"=b', 'bad matcher format: "a"=b'],
    ["a=b,,c=d", "bad matcher format: "],
  ])("refuses %j", (text, message) => {
    expect(() => parseMatchers(text, "classic")).toThrow(message);
  });

  test("refuses a regular expression that is not RE2", () => {
    expect(() => parseMatchers("a=~(?=x)", "classic")).toThrow();
  });
});

describe("the UTF-8 grammar", () => {
  test.each<[string, Matcher[]]>([
    ["", []],
    ["{}", []],
    ["  { a = b , } ", [m("a", "=", "b")]],
    ['"grüß gott"=~"x\\\\d"', [m("grüß gott", "=~", "x\\d")]],
    ["λ!=🎉", [m("λ", "!=", "🎉")]],
    ['a="\\x41\\u0042\\t"', [m("a", "=", "AB\t")]],
    ['a!~"x{2}",b=y', [m("a", "!~", "x{2}"), m("b", "=", "y")]],
    ["a=1.5-x/y:z", [m("a", "=", "1.5-x/y:z")]],
  ])("reads %j", (text, matchers) => {
    expect(parseMatchers(text, "utf8").matchers).toEqual(matchers);
  });

  test.each([
    "a",
    "a=",
    "=b",
    "a==b",
    "a=b c=d",
    "{a=b",
    "a=b}",
    "{a=b}}",
    "{,}",
    "a=b,,c=d",
    'a="x',
    'a="\\d"',
    'a="\\xff"',
    "a=`b`",
    "a='b'",
    "a={b}",
    "a=x\\",
    "a!b",
  ])("refuses %j", (text) => {
    expect(() => parseMatchers(text, "utf8")).toThrow();
  });
});

describe("default mode", () => {
  test("only classic accepts: its result, with a warning", () => {
    const { matchers, warning } = parseMatchers("a=x y");
    expect(matchers).toEqual([m("a", "=", "x y")]);
    expect(warning).toContain('write it as {a="x y"}');
  });

  test("both accept but differ: the classic result, with a warning", () => {
    const { matchers, warning } = parseMatchers('a="\\t"');
    expect(matchers).toEqual([m("a", "=", "\\t")]);
    expect(warning).toContain('it is taken as {a="\\\\t"}');
  });

  test("both refuse: the classic error", () => {
    expect(() => parseMatchers("a")).toThrow("bad matcher format: a");
  });

  test("only UTF-8 accepts: its result, no warning", () => {
    expect(parseMatchers('"ü"=1')).toEqual({ matchers: [m("ü", "=", "1")] });
  });

  test("both agree: no warning", () => {
    expect(parseMatchers('{a="b"}')).toEqual({ matchers: [m("a", "=", "b")] });
  });
});

describe("a single matcher", () => {
  test("is read", () => expect(parseMatcher('a=~"x|y"')).toEqual({ matcher: m("a", "=~", "x|y") }));
  test("refuses braces", () => {
    expect(() => parseMatcher("{a=b}")).toThrow("unexpected open or close brace: {a=b}");
    expect(() => parseMatcher("a={b}", "utf8")).toThrow("unexpected open or close brace: a={b}");
  });
  test("in classic mode a brace is part of the value", () => {
    expect(parseMatcher("a={b}", "classic").matcher).toEqual(m("a", "=", "{b}"));
  });
  test("refuses a list", () =>
    expect(() => parseMatcher('a="b",c="d"', "utf8")).toThrow("expected 1 matcher, found 2"));
  test("refuses nothing", () => expect(() => parseMatcher("", "utf8")).toThrow("no matchers"));
});

test("names are quoted only where they have reserved characters", () => {
  expect(formatMatcher(m("a", "=", 'x"y\\\n'))).toBe('a="x\\"y\\\\\\n"');
  expect(formatMatcher(m("a b", "!~", ""))).toBe('"a b"!~""');
  expect(formatMatchers([m("ü", "=", "1"), m("b", "!=", "2")])).toBe('{ü="1",b!="2"}');
});

test("matchers sort by name, value, operator", () => {
  const sorted = [m("b", "=", "1"), m("a", "!=", "2"), m("a", "=~", "1"), m("a", "=", "1")].sort(compareMatchers);
  expect(formatMatchers(sorted)).toBe('{a="1",a=~"1",a!="2",b="1"}');
});

test("what is printed reads back the same in the UTF-8 grammar", () => {
  const text = fc.string({ unit: "grapheme" }).filter((s) => s.isWellFormed());
  fc.assert(
    fc.property(
      text.filter((s) => s !== ""),
      text,
      fc.constantFrom("=" as const, "!=" as const),
      (name, value, type) => {
        expect(parseMatchers(formatMatcher(m(name, type, value)), "utf8").matchers).toEqual([m(name, type, value)]);
      },
    ),
  );
});

test("label names: any text, or classic ones in classic mode", () => {
  expect(isLabelName("grüß gott")).toBe(true);
  expect(isLabelName("")).toBe(false);
  expect(isLabelName("a:b", "classic")).toBe(false);
  expect(isLabelName("a_b1", "classic")).toBe(true);
});
