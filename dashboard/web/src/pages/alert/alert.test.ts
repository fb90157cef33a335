import type { DecisionRecord } from "@tocsin/model";
import { expect, test } from "vitest";
import { thresholdOf } from "./threshold.ts";
import { verdictOf } from "./verdict.ts";

test.each([
  ["up == 0", { expression: "up", limit: 0 }],
  ["rate(x[1m]) / rate(y[1m]) > 0.2", { expression: "rate(x[1m]) / rate(y[1m])", limit: 0.2 }],
  ['sum(rate(a{b=">"}[5m])) >= 1e3', { expression: 'sum(rate(a{b=">"}[5m]))', limit: 1000 }],
  ["(a > 1) and (b > 2)", undefined],
  ["a > 1 and b > 2", undefined],
  ["absent(up)", undefined],
  ["max(a > 1)", undefined],
])("takes %j apart as %j", (query, parts) => expect(thresholdOf(query)).toEqual(parts));

const base = { at: "2026-11-21T12:00:00.000Z", sentence: "", groupKey: "g", receiver: "r", fingerprints: ["f"] };
const attempt = (id: string, outcome: "sent" | "retry" | "failed"): DecisionRecord => ({
  ...base,
  id,
  kind: "attempt",
  integration: "email[0]",
  attempt: 1,
  outcome,
  durationMs: 1,
});
const muted = (id: string): DecisionRecord => ({ ...base, id, kind: "muted", reason: "silence", by: ["s"] });
const evaluation = (id: string, from: "inactive" | "pending", to: "pending" | "firing"): DecisionRecord => ({
  id,
  at: base.at,
  sentence: "",
  kind: "evaluation",
  rule: "R",
  group: "g",
  file: "f",
  fingerprint: "f",
  labels: {},
  from,
  to,
  value: 1,
});

test.each([
  ["unknown", []],
  ["waiting", [evaluation("2", "pending", "firing"), evaluation("1", "inactive", "pending")]],
  ["sent", [attempt("3", "sent"), attempt("2", "retry"), evaluation("1", "pending", "firing")]],
  ["failing", [attempt("2", "retry"), evaluation("1", "pending", "firing")]],
  ["muted", [muted("3"), attempt("2", "sent"), evaluation("1", "pending", "firing")]],
  ["waiting", [evaluation("3", "pending", "firing"), attempt("2", "sent"), evaluation("1", "pending", "firing")]],
] as const)("says %s from the newest decisions since the alert began to fire", (status, records) => {
  expect(verdictOf(records).status).toBe(status);
});
