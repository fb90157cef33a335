import { describe, expect, test } from "vitest";
import type { Labels } from "@tocsin/model";
import { parseRouterConfig } from "./config/load.ts";
import { compareAlertLabels, compareLabelSets, groupKey, groupLabels, matchRoutes, type Route } from "./route.ts";

function tree(yaml: string): Route {
  const receivers = "receivers: [{name: root}, {name: a}, {name: b}, {name: c}]";
  return parseRouterConfig("am.yml", `route: ${yaml}\n${receivers}\n`, { integrations: [] }).route;
}

function child(route: Route, index: number): Route {
  const found = route.children[index];
  if (!found) throw new Error(`no child ${index}`);
  return found;
}

const receivers = (route: Route, labels: Labels) => matchRoutes(route, labels).map(({ options }) => options.receiver);

describe("match walk", () => {
  const root = tree(`
  receiver: root
  routes:
    - {matchers: [team="a"], receiver: a, continue: true}
    - matchers: [team=~"a|b"]
      receiver: b
      routes: [{matchers: [severity="page"], receiver: c}]
    - {matchers: [team!=""], receiver: c}
`);
  test.each<[Labels, string[]]>([
    [{}, ["root"]],
    [{ team: "a" }, ["a", "b"]],
    [{ team: "b" }, ["b"]],
    [{ team: "b", severity: "page" }, ["c"]],
    [{ team: "ab" }, ["c"]],
  ])("%j goes to %j", (labels, expected) => {
    expect(receivers(root, labels)).toEqual(expected);
  });

  test("continue counts only when a child matched", () => {
    const route = tree(`{receiver: root, routes: [{matchers: [x="1"], receiver: a, continue: true}]}`);
    expect(receivers(route, { x: "1" })).toEqual(["a"]);
    expect(receivers(route, { x: "2" })).toEqual(["root"]);
  });

  test("a missing label is the empty string", () => {
    expect(receivers(tree(`{receiver: root, routes: [{matchers: [x=""], receiver: a}]}`), {})).toEqual(["a"]);
  });
});

describe("group labels and keys", () => {
  const labels = { alertname: "X", team: "a", zone: 'e"u' };
  test("a missing group_by label is absent", () => {
    expect(groupLabels(tree("{receiver: root, group_by: [alertname, nope]}"), labels)).toEqual({ alertname: "X" });
  });
  test("'...' groups by all labels, a child's list switches it off, [] resets", () => {
    const root = tree(
      `{receiver: root, group_by: ['...'], routes: [{matchers: [team="a"], group_by: [zone]}, {matchers: [team="b"], group_by: []}]}`,
    );
    expect(groupLabels(root, labels)).toEqual(labels);
    expect(groupLabels(child(root, 0), labels)).toEqual({ zone: 'e"u' });
    expect(groupLabels(child(root, 1), labels)).toEqual({});
  });
  test("the key is the route's key and the sorted labels", () => {
    const page = child(tree(`{receiver: root, routes: [{matchers: [team="a"]}]}`), 0);
    expect(groupKey(page, { alertname: "X" })).toBe('{}/{team="a"}:{alertname="X"}');
    expect(groupKey(page, { zone: 'e"u', alertname: "X" })).toBe('{}/{team="a"}:{alertname="X", zone="e\\"u"}');
    expect(groupKey(page, {})).toBe('{}/{team="a"}:{}');
  });
});

test("alerts sort by job, instance, those without last, then fewer labels, then names and values", () => {
  const sets: Labels[] = [
    { job: "b" },
    { job: "a", instance: "2" },
    { job: "a", instance: "1", z: "1" },
    { b: "1" },
    { a: "2" },
    { a: "1", b: "1" },
  ];
  expect(sets.toSorted(compareAlertLabels)).toEqual([
    { job: "a", instance: "1", z: "1" },
    { job: "a", instance: "2" },
    { job: "b" },
    { b: "1" },
    { a: "2" },
    { a: "1", b: "1" },
  ]);
  expect(compareLabelSets({ z: "9" }, { a: "1", b: "1" })).toBeLessThan(0);
});
