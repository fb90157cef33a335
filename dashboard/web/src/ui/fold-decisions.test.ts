import type { DecisionRecord } from "@tocsin/model";
import { expect, test } from "vitest";
import { foldDecisions, mergeDecisions } from "./fold-decisions.ts";

const at = (second: number) => `2026-11-21T12:00:${String(second).padStart(2, "0")}.000Z`;
const head = (second: number) => ({ id: String(second), at: at(second), sentence: "", groupKey: "g", receiver: "r" });
const looked = (second: number): DecisionRecord => ({
  ...head(second),
  kind: "flush",
  groupLabels: {},
  firing: ["f"],
  resolved: [],
});
const skipped = (second: number, integration: string): DecisionRecord => ({
  ...head(second),
  kind: "dedup",
  integration,
  notify: false,
  reason: "none",
  fingerprints: ["f"],
});
const sent = (second: number): DecisionRecord => ({
  ...head(second),
  kind: "attempt",
  integration: "email",
  attempt: 1,
  outcome: "sent",
  durationMs: 1,
  fingerprints: ["f"],
});

test("folds the looks that came to nothing, and starts anew at what changed something", () => {
  const records = [
    skipped(50, "email"),
    skipped(49, "webhook"),
    looked(48),
    skipped(40, "email"),
    skipped(39, "webhook"),
    looked(38),
    sent(30),
    looked(28),
    looked(18),
  ];
  expect(foldDecisions(records).map(({ record, count, since }) => [record.id, count, since])).toEqual([
    ["50", 2, at(40)],
    ["49", 2, at(39)],
    ["48", 2, at(38)],
    ["30", 1, at(30)],
    ["28", 2, at(18)],
  ]);
});

test("makes one list, newest first, of two, with no record twice", () => {
  expect(mergeDecisions([sent(30), sent(10)], [looked(40), sent(30), looked(20)]).map(({ id }) => id)).toEqual([
    "40",
    "30",
    "20",
    "10",
  ]);
});
