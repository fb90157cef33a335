import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "@tocsin/testing";
import { checkConfig } from "./check-config.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tocsin-check-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function check(config: string) {
  const file = join(directory, "alertmanager.yml");
  writeFileSync(file, config);
  return checkConfig(file, { clock: new ManualClock() });
}

test("says what a configuration holds", () => {
  writeFileSync(join(directory, "own.tmpl"), '{{ define "own" }}x{{ end }}');
  expect(
    check(`
route: {receiver: a, routes: [{receiver: b}]}
receivers: [{name: a}, {name: b, webhook_configs: [{url: 'http://x/{{ template "own" . }}'}]}]
inhibit_rules: [{}]
time_intervals: [{name: n}]
templates: ['*.tmpl']
`),
  ).toEqual({
    routes: 2,
    receivers: ["a", "b"],
    inhibitRules: 1,
    timeIntervals: 1,
    templateFiles: [join(directory, "own.tmpl")],
    warnings: [],
  });
});

test("warns of mistakes in the receivers' templates, with the block", () => {
  const { warnings } = check(`
route: {receiver: a}
receivers:
- name: a
  webhook_configs: [{url: 'http://x/{{ secret'}, {url: 'http://x', payload: {k: ['{{ nope }}']}}]
  email_configs: [{to: a@b.c, from: a@b.c, smarthost: 'a:25', html: '{{ if }}'}]
`);
  expect(warnings).toHaveLength(3);
  expect(warnings[0]).toMatch(/^receiver a, webhook_configs\[0\]: template: /);
  expect(warnings[1]).toMatch(/^receiver a, webhook_configs\[1\]: template: .*nope/);
  expect(warnings[2]).toMatch(/^receiver a, email_configs\[0\]: template: /);
});

test("refuses a template file with a mistake, by its place", () => {
  writeFileSync(join(directory, "own.tmpl"), "fine\n{{ if }}");
  expect(() => check("route: {receiver: a}\nreceivers: [{name: a}]\ntemplates: [own.tmpl]\n")).toThrow(
    `${join(directory, "own.tmpl")}:2:1: `,
  );
});
