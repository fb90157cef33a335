import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadRuleFiles } from "./rule-file.ts";
import { runRuleTests } from "./rule-tests.ts";

const root = fileURLToPath(new URL("../../../prometheus/", import.meta.url));
const groups = loadRuleFiles(globSync(`${root}rules/*.yml`), { evaluationIntervalMs: 60_000, queryOffsetMs: 0 });
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.flatMap((rule) => (rule.kind === "alerting" ? [rule] : []));
const tests = globSync(`${root}tests/*.yml`)
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

test("there are at least ten alerts, each with severity, service and the annotations that people need", () => {
  expect(alerts.length).toBeGreaterThanOrEqual(10);
  for (const { name, labels, annotations } of alerts) {
    expect([name, labels["severity"]]).toEqual([name, expect.stringMatching(/^(critical|warning|info)$/)]);
    expect([name, Object.keys(labels).sort()]).toEqual([name, ["service", "severity"]]);
    expect([name, Object.keys(annotations).sort()]).toEqual([name, ["description", "runbook_url", "summary"]]);
    expect(annotations["runbook_url"]).toBe(`{{ $externalURL }}/runbooks/${name}`);
  }
});

test("every rule has a unit test that expects it to fire, or its value", () => {
  const untested = rules.filter(({ name, kind }) =>
    kind === "alerting" ? !tests.includes(`/runbooks/${name}\n`) : !tests.includes(name),
  );
  expect(untested.map(({ name }) => name)).toEqual([]);
});

test("the unit tests pass", async () => {
  const results = await runRuleTests(globSync(`${root}tests/*.yml`));
  expect(results.flatMap(({ failures }) => failures)).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(6);
});

test("every alert has its runbook, and there is no other", () => {
  const headings = readFileSync(`${root}runbooks.md`, "utf8").matchAll(/^## (.+)$/gm);
  expect([...headings].map(([, name]) => name).sort()).toEqual(alerts.map(({ name }) => name).sort());
});
