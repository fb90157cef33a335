import { describe, expect, test } from "vitest";
import { fingerprint, type Labels } from "@tocsin/model";
import type { Alert } from "../alert-store.ts";
import { compileInhibitRule, Inhibitor } from "./inhibit.ts";

const alert = (labels: Labels, endsAt = 1000): Alert => ({
  fingerprint: fingerprint(labels),
  labels,
  annotations: {},
  startsAt: 0,
  endsAt,
  updatedAt: 0,
  timeout: false,
  generatorURL: "",
});
const is = (name: string, value: string) => ({ name, type: "=" as const, value });

describe("equal labels", () => {
  const inhibitor = new Inhibitor([
    compileInhibitRule({ source_matchers: [is("s", "1")], target_matchers: [is("t", "1")], equal: ["zone", "rack"] }),
  ]);
  inhibitor.put(alert({ s: "1", zone: "a" }));
  test.each<[Labels, boolean]>([
    [{ t: "1", zone: "a" }, true],
    [{ t: "1", zone: "a", rack: "" }, true],
    [{ t: "1", zone: "a", rack: "7" }, false],
    [{ t: "1", zone: "b" }, false],
    [{ t: "2", zone: "a" }, false],
  ])("%j is muted: %s", (labels, muted) => {
    expect(inhibitor.mutes(labels, 10) !== undefined).toBe(muted);
  });
  test("only while the source fires", () => {
    expect(inhibitor.mutes({ t: "1", zone: "a" }, 1000)).toBeUndefined();
  });
});

test("no equal: all alike", () => {
  const inhibitor = new Inhibitor([compileInhibitRule({ source_match: { s: "1" }, target_match_re: { t: "1|2" } })]);
  inhibitor.put(alert({ s: "1", zone: "a" }));
  expect(inhibitor.mutes({ t: "2", zone: "b" }, 10)).toBeDefined();
});

describe("two-sided rule", () => {
  const rule = compileInhibitRule({
    source_matchers: [{ name: "severity", type: "=~", value: "page|critical" }],
    target_matchers: [{ name: "severity", type: "=~", value: "page|warning" }],
  });
  const page = (id: string) => alert({ severity: "page", id });

  test("no alert inhibits itself, nor two alike each other", () => {
    const inhibitor = new Inhibitor([rule]);
    inhibitor.put(page("1"));
    inhibitor.put(page("2"));
    expect(inhibitor.mutes({ severity: "page", id: "1" }, 10)).toBeUndefined();
    expect(inhibitor.mutes({ severity: "warning" }, 10)).toBeDefined();
  });

  test("a source that is not a target is found behind one that is", () => {
    const inhibitor = new Inhibitor([rule]);
    inhibitor.put(page("1"));
    inhibitor.put(alert({ severity: "critical" }));
    expect(inhibitor.mutes({ severity: "page", id: "2" }, 10)?.source.labels).toEqual({ severity: "critical" });
  });
});

test("when the longest source resolves first, another firing one still mutes", () => {
  const inhibitor = new Inhibitor([compileInhibitRule({ source_match: { s: "1" }, target_match: { t: "1" } })]);
  inhibitor.put(alert({ s: "1", id: "a" }, 500));
  inhibitor.put(alert({ s: "1", id: "b" }, 900));
  inhibitor.put(alert({ s: "1", id: "b" }, 50));
  expect(inhibitor.mutes({ t: "1" }, 100)?.fingerprint).toBe(fingerprint({ s: "1", id: "a" }));
  inhibitor.remove(alert({ s: "1", id: "a" }));
  expect(inhibitor.mutes({ t: "1" }, 100)).toBeUndefined();
});

test("order: the first rule that hits decides", () => {
  const rules = ["one", "two"].map((name) =>
    compileInhibitRule({ name, source_match: { s: name }, target_match: { t: "1" } }),
  );
  const inhibitor = new Inhibitor(rules);
  inhibitor.put(alert({ s: "two" }));
  inhibitor.put(alert({ s: "one" }));
  expect(inhibitor.mutes({ t: "1" }, 10)?.rule.name).toBe("one");
});

test("an empty rule mutes nothing", () => {
  const inhibitor = new Inhibitor([compileInhibitRule({})]);
  inhibitor.put(alert({ a: "1" }));
  expect(inhibitor.mutes({ b: "1" }, 10)).toBeUndefined();
});
