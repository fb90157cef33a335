import { expect, test } from "vitest";
import { labelsKey } from "@tocsin/model";
import { createEngine, createMemorySource, parseExpr } from "@tocsin/promql";
import { createEngineQuerySource } from "../query-source.ts";
import type { RuleState } from "./evaluate.ts";
import { restoredActiveAt, restoreState } from "./restore.ts";
import type { AlertingRule } from "./rule-file.ts";

const MINUTE = 60_000;
const rule: AlertingRule = {
  kind: "alerting",
  name: "High",
  expr: parseExpr("up"),
  query: "up",
  forMs: 30 * MINUTE,
  keepFiringForMs: 0,
  labels: { team: "core", "k8s.pod": "p", job2: "{{ $labels.job }}" },
  annotations: {},
};
const options = { outageToleranceMs: 60 * MINUTE, gracePeriodMs: 10 * MINUTE, intervalMs: MINUTE };
const alertLabels = (job: string) => ({ alertname: "High", team: "core", "k8s.pod": "p", job2: job, job });

/** What the store holds of an alert active since 0 that was seen each minute until it went down. */
function storeUntil(downAtMs: number, stale: boolean) {
  const source = createMemorySource();
  const labels = { ...alertLabels("x"), __name__: "ALERTS_FOR_STATE" };
  for (let timestampMs = 0; timestampMs <= downAtMs; timestampMs += MINUTE)
    source.append(labels, { timestampMs, value: 0 });
  if (stale) source.append(labels, { timestampMs: downAtMs + MINUTE, value: Number.NaN, stale: true });
  return createEngineQuerySource(createEngine({ now: () => 0 }), source);
}

async function activeAfter(nowMs: number, downAtMs: number, stale = false, job = "x"): Promise<number> {
  const labels = alertLabels(job);
  const state: RuleState = new Map([
    [labelsKey(labels), { labels, annotations: {}, value: 1, state: "pending", activeAtMs: nowMs - MINUTE }],
  ]);
  const restored = await restoreState(
    rule,
    state,
    nowMs,
    storeUntil(downAtMs, stale),
    options,
    new AbortController().signal,
  );
  return [...restored.values()][0]?.activeAtMs ?? Number.NaN;
}

test("the time waited before the restart counts, the downtime does not", async () => {
  expect(await activeAfter(15 * MINUTE, 10 * MINUTE)).toBe(5 * MINUTE);
});

test("an alert that had waited long enough keeps its time and fires next", async () => {
  expect(await activeAfter(45 * MINUTE, 40 * MINUTE)).toBe(0);
});

test("one that had nearly waited long enough still waits for the grace period", async () => {
  expect(await activeAfter(30 * MINUTE, 25 * MINUTE)).toBe(10 * MINUTE);
});

test("one whose series had ended before starts anew, and so does one that is not known", async () => {
  expect(await activeAfter(15 * MINUTE, 10 * MINUTE, true)).toBe(14 * MINUTE);
  expect(await activeAfter(15 * MINUTE, 10 * MINUTE, false, "other")).toBe(14 * MINUTE);
});

test("beyond the outage tolerance nothing is restored", async () => {
  expect(await activeAfter(75 * MINUTE, 10 * MINUTE)).toBe(74 * MINUTE);
});

test("rules shorter than the grace period do not look", async () => {
  const labels = alertLabels("x");
  const state: RuleState = new Map([["k", { labels, annotations: {}, value: 1, state: "pending", activeAtMs: 7 }]]);
  const never = { instant: () => Promise.reject(new Error("asked")) };
  const short = { ...rule, forMs: MINUTE };
  expect(await restoreState(short, state, 0, never, options, new AbortController().signal)).toBe(state);
});

test.each([
  [30, 40, 0, 45, 0],
  [30, 25, 0, 28, 8],
  [30, 5, 0, 20, 15],
])("for %d m, down at %d m, active since %d m, now %d m: counts from %d m", (forM, down, active, now, from) => {
  const known = { downAtMs: down * MINUTE, activeAtMs: active * MINUTE };
  expect(restoredActiveAt({ forMs: forM * MINUTE }, known, now * MINUTE, 10 * MINUTE)).toBe(from * MINUTE);
});
