import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { checkRules, runRuleTests } from "@tocsin/alerting";

/** Debian's promtool 2.42 judges the shipped rules and our own checker and test runner. */
const PROMTOOL = "/usr/bin/promtool";
const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tocsin-promtool-"));
afterAll(() => rmSync(folder, { recursive: true }));

const promtool = (...args: string[]) => spawnSync(PROMTOOL, args, { encoding: "utf8" });

test("promtool accepts the shipped rules, their tests and prometheus.yml", () => {
  const rules = globSync(`${root}prometheus/rules/*.yml`);
  const tests = globSync(`${root}prometheus/tests/*.yml`);
  expect(rules.length).toBeGreaterThan(0);
  expect(promtool("check", "rules", ...rules)).toMatchObject({ status: 0 });
  expect(promtool("check", "config", `${root}prometheus/prometheus.yml`)).toMatchObject({ status: 0 });
  expect(promtool("test", "rules", ...tests)).toMatchObject({ status: 0 });
});

test("the shared rule test passes in both", async () => {
  const file = `${root}../shared/data/promql/ruletest/t.yml`;
  expect(promtool("test", "rules", file)).toMatchObject({ status: 0 });
  expect((await runRuleTests([file])).flatMap(({ failures }) => failures)).toEqual([]);
});

/** Each case of the test file by itself: both must find it right, or both wrong. */
test.each([
  ["{eval_time: 0m, alertname: Two, exp_alerts: [{exp_labels: {team: a}}]}", true],
  ["{eval_time: 0m, alertname: Two, exp_alerts: [{exp_labels: {team: b}}]}", false],
  ["{eval_time: 4m, alertname: High, exp_alerts: []}", true],
  ["{eval_time: 5m, alertname: High, exp_alerts: []}", false],
  [
    "{eval_time: 5m, alertname: High, exp_alerts: [{exp_labels: {team: a, job: x, who: X}, exp_annotations: {v: '12 1.2e+01'}}]}",
    false,
  ],
  [
    "{eval_time: 5m, alertname: High, exp_alerts: [{exp_labels: {team: a, job: x, who: X}, exp_annotations: {v: '12 12'}}]}",
    true,
  ],
  [
    "{eval_time: 8m, alertname: High, exp_alerts: [{exp_labels: {team: a, job: x, who: X}, exp_annotations: {v: '12 12'}}]}",
    true,
  ],
  ["{eval_time: 12m, alertname: High, exp_alerts: []}", true],
])("agrees with promtool about %s", async (item, right) => {
  const file = write(`    alert_rule_test:\n      - ${item}\n`);
  expect(promtool("test", "rules", file).status === 0).toBe(right);
  expect((await runRuleTests([file]))[0]?.failures.length === 0).toBe(right);
});

test.each([
  ["{expr: 'job:v:sum', eval_time: 3m, exp_samples: [{labels: 'job:v:sum{job=\"x\",team=\"a\"}', value: 8}]}", true],
  ["{expr: 'job:v:sum', eval_time: 3m, exp_samples: [{labels: 'job:v:sum{job=\"x\"}', value: 8}]}", false],
  ["{expr: 'job:v:sum', eval_time: 3m, exp_samples: [{labels: 'job:v:sum{job=\"x\",team=\"a\"}', value: 8.1}]}", false],
  [
    '{expr: \'ALERTS{alertname="High"}\', eval_time: 3m, exp_samples: [{labels: \'ALERTS{alertname="High",alertstate="pending",team="a",job="x",who="X"}\', value: 1}]}',
    true,
  ],
  [
    '{expr: \'ALERTS_FOR_STATE{alertname="High"}\', eval_time: 7m, exp_samples: [{labels: \'ALERTS_FOR_STATE{alertname="High",team="a",job="x",who="X"}\', value: 180}]}',
    true,
  ],
  [
    '{expr: \'count_over_time(ALERTS{alertname="High",alertstate="firing"}[20m])\', eval_time: 20m, exp_samples: [{labels: \'{alertname="High",alertstate="firing",team="a",job="x",who="X"}\', value: 4}]}',
    true,
  ],
  ["{expr: 'scalar(job:v:sum)', eval_time: 3m, exp_samples: [{labels: '{}', value: 8}]}", true],
  ["{expr: 'nothing', eval_time: 3m}", true],
  ["{expr: 'sum(', eval_time: 3m}", false],
  ["{expr: 'v[5m]', eval_time: 3m}", false],
])("agrees with promtool about %s", async (item, right) => {
  const file = write(`    promql_expr_test:\n      - ${item}\n`);
  const { status, stdout, stderr } = promtool("test", "rules", file);
  expect({ right: status === 0, output: stdout + stderr }).toMatchObject({ right });
  const [result] = await runRuleTests([file]);
  expect({ right: result?.failures.length === 0, failures: result?.failures }).toMatchObject({ right });
});

test.each([
  ["groups: []", true],
  ["groups: [{name: a, rules: [{record: r, expr: up}]}]", true],
  ["groups: [{name: a, interval: 1x}]", false],
  ["groups: [{name: a}, {name: a}]", false],
  ["groups: [{name: '', rules: []}]", false],
  ["groups: [{name: a, rulez: []}]", false],
  ["groups: [{name: a, rules: [{expr: up}]}]", false],
  ["groups: [{name: a, rules: [{record: r, alert: b, expr: up}]}]", false],
  ["groups: [{name: a, rules: [{record: r}]}]", false],
  ["groups: [{name: a, rules: [{record: r, expr: 'sum('}]}]", false],
  ["groups: [{name: a, rules: [{record: r, expr: up, for: 1m}]}]", false],
  ["groups: [{name: a, rules: [{alert: r, expr: up, labels: {a: '{{ .x '}}]}]", false],
  ["groups: [{name: a, rules: [{alert: r, expr: up, annotations: {a: '{{ nope }}'}}]}]", false],
  ["groups: [{name: a, rules: [{alert: r, expr: up, annotations: {a: '{{ $labels.x | humanize }}'}}]}]", true],
  ["groups: [{name: a, rules: [{alert: r, expr: 1, for: 0, labels: {n: 1.50, b: true}}]}]", true],
  ["groups: [{name: a, name: b}]", false],
  ["x: 1", false],
])("agrees with promtool whether %s is a rule file", async (text, right) => {
  const file = join(folder, "check.yml");
  writeFileSync(file, text);
  expect(promtool("check", "rules", file).status === 0).toBe(right);
  const ours = await checkRules([file]).then(
    () => true,
    () => false,
  );
  expect(ours).toBe(right);
});

const TEMPLATES = [
  "{{ $value }} {{ $value | humanize }} {{ humanize1024 123456789.0 }} {{ humanizePercentage 0.12345 }}",
  "{{ humanizeDuration 93784 }} {{ humanizeDuration 0.00012 }} {{ humanizeTimestamp 1449937280.7 }}",
  '{{ title "heLLo wide world" }} {{ toUpper "grüße" }} {{ toLower "ÀB" }} {{ match "^a.*z$" "abcz" }}',
  '{{ reReplaceAll "(\\\\w+)-(\\\\w+)" "${2}/$1" "eu-west us-east" }} {{ stripPort "h:1" }} {{ stripDomain "a.b.c:9" }}',
  '{{ range query "v" | sortByLabel "i" }}{{ .Labels.i }}:{{ .Value }},{{ end }}{{ with query "v" }}{{ . | first | label "job" }}{{ end }}',
  '{{ graphLink "up{a=\\"b\\"}" }} {{ tableLink "a b" }} {{ printf "%.2f|%5d|%q" $value 7 "x" }} {{ len "über" }}',
  "{{ if gt $value 5.0 }}big{{ else }}small{{ end }} {{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }} {{ $labels.none }}|",
  '{{ $x := 1 }}{{ $x = 2 }}{{ $x }} {{- /* c */ -}} ! {{ eq $labels.job "x" }} {{ and true 0 }} {{ args 1 2 }}',
  '{{ humanize "abc" }}',
  '{{ template "nope" }}',
  '{{ index $labels "job" }} {{ $labels.job.x }}',
];

test("annotations come out as in Prometheus", async () => {
  const annotations = TEMPLATES.map((text, i) => `          a${i}: ${JSON.stringify(text)}`).join("\n");
  writeFileSync(
    join(folder, "templates.yml"),
    `groups:\n  - name: g\n    rules:\n      - alert: T\n        expr: sum by (job) (v)\n        annotations:\n${annotations}\n`,
  );
  const file = join(folder, "templates-test.yml");
  writeFileSync(
    file,
    `rule_files: [templates.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n${SERIES}    alert_rule_test:\n      - {eval_time: 3m, alertname: T, exp_alerts: []}\n`,
  );
  const { stdout, stderr } = promtool("test", "rules", file);
  const shown = stdout + stderr;
  const printed = /Annotations:\{(.*)\}/.exec(shown)?.[1];
  const [result] = await runRuleTests([file]);
  const ours = /Annotations:\{(.*)\}/.exec(result?.failures[0] ?? "")?.[1];
  expect(printed).toContain("a0=");
  expect(ours?.split(/, (?=a\d+=)/)).toEqual(printed?.split(/, (?=a\d+=)/));
});

const SERIES = `    input_series:\n      - {series: 'v{job="x",i="1"}', values: '1+1x20'}\n      - {series: 'v{job="x",i="2"}', values: '1+1x20'}\n`;

function write(cases: string): string {
  writeFileSync(
    join(folder, "rules.yml"),
    `
groups:
  - name: g
    rules:
      - record: job:v:sum
        expr: sum by (job) (v)
        labels: {team: a}
      - alert: High
        expr: job:v:sum > 6 and job:v:sum < 14
        for: 2m
        keep_firing_for: 3m
        labels: {who: "{{ $labels.job | toUpper }}"}
        annotations: {v: "{{ $value }} {{ humanize $value }}"}
      - alert: Two
        expr: vector(2) > bool 1
        labels: {team: a}
`,
  );
  const file = join(folder, "test.yml");
  writeFileSync(file, `rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n${SERIES}${cases}`);
  return file;
}
