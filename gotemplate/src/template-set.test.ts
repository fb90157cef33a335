import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createTemplateSet,
  goFunction,
  GoMap,
  GoStruct,
  GoTime,
  goTypes,
  type GoValue,
  parseTemplates,
  SafeContent,
  safeHtml,
  safeUrl,
  TemplateError,
  type TemplateSetOptions,
} from "./index.ts";

const { string, int, float64, strings } = goTypes;

const functions = {
  up: goFunction([string], (s) => s.toUpperCase()),
  join: goFunction([strings, string], (list, separator) => list.join(separator)),
  add: goFunction([int, int], (a, b) => a + b),
  fl: goFunction([float64], (x) => x),
  boom: goFunction([], () => {
    throw new Error("bang");
  }),
  safe: goFunction([string], safeHtml),
  safeUrl: goFunction([string], safeUrl),
  safeJs: goFunction([string], (s) => new SafeContent("JS", s)),
};

const data: GoValue = {
  S: "hi <b>",
  I: 42n,
  F: 1e6,
  T: true,
  L: [1n, "two", 3.5],
  SL: ["a", "b"],
  M: { b: "2", a: "1" },
  A: new GoStruct(
    "main.Alert",
    { Name: "n", Labels: { x: "y" }, N: 3n },
    { Hello: goFunction([string], (s) => `hello ${s}`) },
  ),
  E: [],
  Nil: null,
  U: "über €",
  G: { k: 1n, s: "x" },
  H: safeHtml("<i>safe</i>"),
  URL: "http://x/?a=b&c=d e",
  JS: "javascript:alert(1)",
  Q: 'it\'s "q" </script> `',
  C: "a:expression(x)",
  Em: "",
};

interface Golden {
  template: string;
  missingkey?: "zero";
  want: string;
}

const goldens = (mode: string): Golden[] =>
  JSON.parse(readFileSync(new URL(`testdata/${mode}.json`, import.meta.url), "utf8")) as Golden[];

function run(template: string, value: GoValue, options: Partial<TemplateSetOptions> = {}): string {
  try {
    return parseTemplates({ t: template }, { mode: "text", functions, ...options }).execute("t", value);
  } catch (error) {
    if (error instanceof TemplateError) return `ERR ${error.message}`;
    throw error;
  }
}

/** The wanted outputs and errors were written by Go 1.26 itself. */
test.each(["text", "html"] as const)("does as Go does in %s mode, to the letter", (mode) => {
  for (const { template, missingkey, want } of goldens(mode)) {
    const got = run(template, data, { mode, missingKey: missingkey ?? "default" });
    expect({ template, got }).toEqual({ template, got: want });
  }
});

test("templates of a set call each other, and a later definition replaces an earlier one", () => {
  const set = parseTemplates(
    {
      base: '{{define "subject"}}old{{end}}',
      page: '[{{template "subject" .}}]',
      user: '{{define "subject"}}new{{end}}',
    },
    { mode: "text" },
  );
  expect(set.execute("page", null)).toBe("[new]");
});

test("an empty definition does not replace one that says something", () => {
  const set = parseTemplates({ a: '{{define "x"}}full{{end}}', b: '{{define "x"}}  {{end}}' }, { mode: "text" });
  expect(set.execute("x", null)).toBe("full");
});

test("a clone can be changed without the original", () => {
  const set = parseTemplates({ a: "one" }, { mode: "html" });
  const copy = set.clone();
  copy.parse("a", "two");
  copy.parse("b", "three");
  expect([set.execute("a", null), set.has("b"), copy.execute("a", null)]).toEqual(["one", false, "two"]);
  expect(copy.names()).toEqual(["a", "b"]);
});

test("a text that does not parse adds nothing", () => {
  const set = createTemplateSet({ mode: "text" });
  expect(() => set.parse("a", '{{define "x"}}1{{end}}{{')).toThrow("template: a:1: unclosed action");
  expect(set.names()).toEqual([]);
});

test("a template parsed after an execution in html mode is seen by the next", () => {
  const set = parseTemplates({ a: '<p title="{{template "b" .}}">', b: "1{{.}}" }, { mode: "html" });
  expect(set.execute("a", '"')).toBe('<p title="1&#34;">');
  set.parse("b", "2{{.}}");
  expect(set.execute("a", '"')).toBe('<p title="2&#34;">');
});

test("nothing of JavaScript's own shows through", () => {
  for (const path of [".constructor", ".__proto__", ".toString", ".hasOwnProperty"]) {
    expect(run(`{{${path}}}`, { a: "b" })).toBe("<no value>");
    expect(run(`{{.x${path}}}`, { x: new GoStruct("T", {}) })).toContain("can't evaluate field");
    expect(run(`{{.x${path}}}`, { x: ["a"] })).toContain("can't evaluate field");
  }
});

test("a map may have a type name, methods and a form of its own", () => {
  const kv = new GoMap(
    { b: "2", a: "1" },
    {
      typeName: "template.KV",
      methods: { Keys: goFunction([], () => ["a", "b"]), String: goFunction([], () => "a=1, b=2") },
    },
  );
  expect(run("{{.}} {{.Keys}} {{.b}} {{range $k, $v := .}}{{$k}}{{$v}}{{end}}", kv)).toBe("a=1, b=2 [a b] 2 a1b2");
});

test("times and durations have Go's methods and print as in Go", () => {
  const at = GoTime.fromMs(Date.UTC(2026, 10, 21, 7, 5, 9, 120));
  expect(run('{{.}} {{.Format "Jan _2 15:04:05.000 MST 06"}} {{.Unix}} {{.Year}} {{.Month}} {{.Weekday}}', at)).toBe(
    "2026-11-21 07:05:09.12 +0000 UTC Nov 21 07:05:09.120 UTC 26 1795244709 2026 November Saturday",
  );
});

test.each([
  [
    "steps",
    "{{range 1000}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}",
    "exceeded the limit of 1000000 evaluation steps",
  ],
  [
    "output",
    "{{range 100000}}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{end}}",
    "output exceeds the limit of 8388608 characters",
  ],
  ["depth", '{{define "x"}}{{template "x"}}{{end}}{{template "x"}}', "exceeded maximum template depth (200)"],
  [
    "strings",
    '{{$x := "aaaaaaaa"}}{{range 40}}{{$x = print $x $x}}{{end}}',
    "result exceeds the limit of 8388608 characters",
  ],
  ["nesting", `${"{{if 1}}".repeat(400)}${"{{end}}".repeat(400)}`, "max expression depth exceeded"],
])("is stopped by the limit on %s", (_, template, message) => {
  expect(run(template, null)).toContain(message);
});

test("any text either parses and runs or fails with a TemplateError", () => {
  const piece = fc.constantFrom(
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    "if ",
    "range ",
    "end",
    "else",
    "with ",
    "define ",
    '"x"',
    "$x",
    ":=",
    "=",
    ",",
    "|",
    "(",
    ")",
    ".",
    ".A",
    ".S",
    "print",
    "index",
    "1",
    "'a'",
    "`r`",
    "/*",
    "*/",
    "<a href=",
    '"',
    "<script>",
    "</script>",
    "é",
    "template ",
    "break",
    "nil",
    "true",
    "0x",
    "1e9",
  );
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 25 }),
      fc.constantFrom("text" as const, "html" as const),
      (pieces, mode) => {
        run(pieces.join(""), data, { mode });
      },
    ),
    { numRuns: 2000 },
  );
});

test("whatever the data, it adds no element, attribute or script to a page", () => {
  const page = '<p title="{{.}}">{{.}}</p><a href="{{.}}">x</a><script>var a = {{.}}, b = "{{.}}";</script>';
  const set = parseTemplates({ page }, { mode: "html" });
  fc.assert(
    fc.property(fc.string({ unit: "grapheme-composite" }), (text) => {
      const out = set.execute("page", text);
      expect(out.match(/</g)).toHaveLength(6);
      expect(out.replaceAll(/\\./g, "").match(/"/g)).toHaveLength(8);
    }),
  );
});
