import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkRules } from "./check-rules.ts";
import { runRuleTests } from "./rule-tests.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tocsin-rule-tests-"));
  writeFileSync(join(folder, "rules.yml"), RULES);
});
afterEach(() => rmSync(folder, { recursive: true }));

const RULES = `
groups:
  - name: g
    interval: 1h
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: job:up:sum < 2
        for: 2m
        labels: {severity: page}
        annotations:
          summary: "{{ $labels.job }} has {{ $value }} ({{ $externalLabels.region }})"
          others: '{{ range query "up" }}{{ .Value }}{{ end }}'
`;

async function failures(tests: string): Promise<string[]> {
  const file = join(folder, "t.yml");
  writeFileSync(file, `rule_files: ["*les.yml"]\nevaluation_interval: 1m\n${tests}`);
  const [result] = await runRuleTests([file]);
  return result?.failures ?? [];
}

const INPUT = `
tests:
  - name: one
    interval: 1m
    external_labels: {region: eu}
    input_series:
      - {series: 'up{job="x",i="1"}', values: '1x2 0x10'}
      - {series: 'up{job="x",i="2"}', values: '1x20'}
`;

test("passes where alerts, expressions and times are as expected", async () => {
  expect(
    await failures(`${INPUT}
    alert_rule_test:
      - {eval_time: 4m59s, alertname: Down}
      - eval_time: 5m
        alertname: Down
        exp_alerts:
          - exp_labels: {severity: page, job: x}
            exp_annotations: {summary: "x has 1 (eu)", others: "01"}
    promql_expr_test:
      - {expr: job:up:sum, eval_time: 3m, exp_samples: [{labels: 'job:up:sum{job="x"}', value: 1}]}
      - {expr: scalar(job:up:sum), eval_time: 0m, exp_samples: [{labels: '{}', value: 2}]}
      - {expr: 'ALERTS{alertstate="pending"}', eval_time: 4m, exp_samples: [{labels: 'ALERTS{alertname="Down",alertstate="pending",job="x",severity="page"}', value: 1}]}
      - {expr: nothing, eval_time: 4m}
`),
  ).toEqual([]);
});

test("shows what was expected and what came", async () => {
  const [first, second, ...rest] = await failures(`${INPUT}
    alert_rule_test:
      - {eval_time: 6m, alertname: Down, exp_alerts: []}
    promql_expr_test:
      - {expr: job:up:sum, eval_time: 3m, exp_samples: [{labels: 'job:up:sum{job="x"}', value: 2}]}
      - {expr: 'sum(', eval_time: 3m}
`);
  expect(first).toMatch(/^one: alertname: Down, time: 6m\nexp:\[\]\ngot:\[\n {2}0:\n {4}Labels:\{alertname="Down"/);
  expect(second).toBe(
    'one: expr: "job:up:sum", time: 3m\nexp: {__name__="job:up:sum", job="x"} 2E+0\ngot: {__name__="job:up:sum", job="x"} 1E+0',
  );
  expect(rest).toEqual(['one: expr: "sum(", time: 3m, err: 1:5: parse error: unclosed left parenthesis']);
});

test("a rule that cannot be evaluated ends its test", async () => {
  writeFileSync(join(folder, "rules.yml"), "groups: [{name: g, rules: [{record: r, expr: up * on () up}]}]");
  const [only, ...others] = await failures(`${INPUT}
    promql_expr_test:
      - {expr: up, eval_time: 3m}
`);
  expect(only).toMatch(/^one: rule: r, time: 0s, err: /);
  expect(others).toEqual([]);
});

test("a mistake in the test file is told with its place", async () => {
  expect(await failures("tests:\n  - input_serie: []\n")).toEqual([
    `${join(folder, "t.yml")}:4:5 tests.0.input_serie: unknown key`,
  ]);
});

test("fuzzy comparison forgives one unit in the last place", async () => {
  const exprTest = `${INPUT}
    promql_expr_test:
      - {expr: '0.1 + 0.2 + 0 * job:up:sum', eval_time: 1m, exp_samples: [{labels: '{job="x"}', value: 0.3}]}
`;
  expect(await failures(exprTest)).toHaveLength(1);
  expect(await failures(`fuzzy_compare: true\n${exprTest}`)).toEqual([]);
});

test("a check counts groups and rules, and tells duplicates", async () => {
  const file = join(folder, "rules.yml");
  expect(await checkRules([join(folder, "*.yml")])).toEqual([
    { file, groups: 1, rules: 2, duplicates: [], warnings: [] },
  ]);
  writeFileSync(file, "groups: [{name: g, rules: [{record: x, expr: up}, {record: x, expr: down}]}]");
  expect((await checkRules([file]))[0]?.duplicates).toEqual([{ name: "x", labels: {} }]);
});

test("a check tells the mistakes of all files with their places", async () => {
  writeFileSync(join(folder, "a.yml"), "groups: [{nam: g}]");
  writeFileSync(join(folder, "b.yml"), "grups: []");
  await expect(checkRules([join(folder, "*.yml")])).rejects.toThrow(
    `${join(folder, "a.yml")}:1:11 groups.0.nam: unknown key\n${join(folder, "b.yml")}:1:1 grups: unknown key`,
  );
  await expect(checkRules([join(folder, "*.yaml")])).rejects.toThrow(`no file matches ${join(folder, "*.yaml")}`);
  await expect(checkRules([join(folder, "missing.yml")])).rejects.toThrow(`cannot read ${join(folder, "missing.yml")}`);
});
