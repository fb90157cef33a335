import { expect, test } from "vitest";
import { ConfigError } from "@tocsin/platform";
import { parseRuleFile } from "./rule-file.ts";

const defaults = { evaluationIntervalMs: 60_000, queryOffsetMs: 0 };
const read = (text: string) => parseRuleFile("r.yml", text, defaults);

function mistakes(text: string): string {
  try {
    read(text);
    return "none";
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

test("an empty file is valid, and only the first document counts", () => {
  expect(read("").groups).toEqual([]);
  expect(read("groups: []\n---\nnonsense: 1\n").warnings).toEqual(["r.yml: only the first YAML document is read"]);
});

test("a group has its own interval, offset and limit, and its labels go to every rule", () => {
  const { groups } = read(`
groups:
  - name: g
    interval: 30s
    query_offset: 5s
    limit: 10
    labels: {team: core, tier: 1.10}
    rules:
      - record: a:b
        expr: sum( up)
        labels: {team: other}
      - alert: Down
        expr: up==0
        for: 1m30s
        keep_firing_for: 1h
        annotations: {summary: "{{ $labels.job }} is down"}
`);
  expect(groups[0]).toMatchObject({
    file: "r.yml",
    name: "g",
    intervalMs: 30_000,
    queryOffsetMs: 5000,
    limit: 10,
    rules: [
      { kind: "recording", name: "a:b", query: "sum(up)", labels: { team: "other", tier: "1.10" } },
      {
        kind: "alerting",
        name: "Down",
        query: "up == 0",
        forMs: 90_000,
        keepFiringForMs: 3_600_000,
        labels: { team: "core", tier: "1.10" },
      },
    ],
  });
});

test("without its own a group takes the global interval", () => {
  expect(read("groups: [{name: g, rules: []}]").groups[0]?.intervalMs).toBe(60_000);
});

test.each([
  ["groups:\n  - name: g\n    intervall: 1m", "r.yml:3:5 groups.0.intervall: unknown key"],
  ["groups:\n  - name: g\n    name: h", "r.yml:3:5: Map keys must be unique"],
  ["groups:\n  - rules: []", "r.yml:2:5 groups.0.name: groupname must not be empty"],
  ["groups:\n  - name: g\n  - name: g", 'r.yml:3:5 groups.1.name: groupname: "g" is repeated in the same file'],
  [
    "groups:\n  - name: g\n    rules:\n      - {record: a, alert: b, expr: up}",
    `r.yml:4:9 groups.0.rules.0: group "g", rule 1, "a": only one of 'record' and 'alert' must be set`,
  ],
  [
    "groups:\n  - name: g\n    rules:\n      - expr: up",
    `r.yml:4:9 groups.0.rules.0: group "g", rule 1, "": one of 'record' or 'alert' must be set`,
  ],
  [
    "groups:\n  - name: g\n    rules:\n      - record: a",
    `r.yml:4:9 groups.0.rules.0.expr: group "g", rule 1, "a": field 'expr' must be set in rule`,
  ],
  [
    "groups:\n  - name: g\n    rules:\n      - record: a\n        expr: up\n        for: 1m",
    `r.yml:6:9 groups.0.rules.0.for: group "g", rule 1, "a": invalid field 'for' in recording rule`,
  ],
  [
    'groups:\n  - name: g\n    rules:\n      - record: a{b="c"}\n        expr: up',
    `r.yml:4:9 groups.0.rules.0.record: group "g", rule 1, "a{b=\\"c\\"}": braces present in the recording rule name; should it be in expr?: a{b="c"}`,
  ],
  [
    "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up\n        labels:\n          __name__: x",
    `r.yml:7:11 groups.0.rules.0.labels.__name__: group "g", rule 1, "A": invalid label name: __name__`,
  ],
  [
    'groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up\n        annotations:\n          s: "{{ nope }}"',
    `r.yml:7:11 groups.0.rules.0.annotations.s: group "g", rule 1, "A": annotation "s": template: __alert_A:1: function "nope" not defined`,
  ],
  [
    "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: up\n        for: 5x",
    'r.yml:6:9 groups.0.rules.0.for: group "g", rule 1, "A": for: not a valid duration string: "5x" (write it like 1h30m, 45s or 250ms)',
  ],
])("names the place and the reason: %j", (text, message) => {
  expect(mistakes(text)).toBe(message);
});

test("an expression that does not parse is placed at the expression", () => {
  expect(mistakes("groups:\n  - name: g\n    rules:\n      - record: a\n        expr: sum(\n")).toMatch(
    /^r\.yml:5:15 groups\.0\.rules\.0\.expr: group "g", rule 1, "a": could not parse expression: 1:5: parse error: /,
  );
});

test("tells all mistakes of a file at once", () => {
  const text =
    "groups:\n  - name: g\n    rules:\n      - record: a\n      - alert: b\n        expr: up\n        for: x";
  expect(mistakes(text).split("\n")).toHaveLength(2);
});

test("anchors and aliases are followed", () => {
  const text = "x-labels: &team {team: core}\n";
  const groups = "groups: [{name: g, labels: &l {team: core}, rules: [{record: a, expr: up, labels: *l}]}]";
  expect(read(groups).groups[0]?.rules[0]?.labels).toEqual({ team: "core" });
  expect(mistakes(text + groups)).toBe("r.yml:1:1 x-labels: unknown key");
});

test("a file of aliases upon aliases is refused", () => {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`);
  expect(() => read(`a0: &a0 x\n${levels.join("\n")}\ngroups: *a9\n`)).toThrow("more than 200000 values");
});

test("an alias to what it stands in is refused", () => {
  expect(mistakes("groups: &a [{name: *a}]")).toBe("r.yml:1:1: nested more than 100 deep");
});

test("a group's digest changes with its text only", () => {
  const digest = (expr: string) => read(`groups: [{name: g, rules: [{record: a, expr: ${expr}}]}]`).groups[0]?.digest;
  expect(digest("up")).toBe(digest("up"));
  expect(digest("up")).not.toBe(digest("down"));
});
