import { expect, test } from "vitest";
import { parseExpr } from "@tocsin/promql";
import { alertSeries, dueAlerts, evaluateAlerts, highestState, recordedSeries, type RuleState } from "./evaluate.ts";
import type { AlertingRule, RecordingRule } from "./rule-file.ts";

const alerting = (changes: Partial<AlertingRule> = {}): AlertingRule => ({
  kind: "alerting",
  name: "High",
  expr: parseExpr("up"),
  query: "up",
  forMs: 0,
  keepFiringForMs: 0,
  labels: {},
  annotations: {},
  ...changes,
});
const sample = (instance: string, value = 1) => ({ labels: { alertname: "High", instance }, annotations: {}, value });

/** Evaluates at 0 s, 10 s, …: each step lists the instances in the result; returns the state of instance a. */
function play(rule: AlertingRule, steps: string[][]): (string | undefined)[] {
  let state: RuleState = new Map();
  return steps.map((instances, i) => {
    const outcome = evaluateAlerts(
      rule,
      instances.map((name) => sample(name)),
      state,
      i * 10_000,
      0,
    );
    state = outcome.state;
    return [...state.values()].find(({ labels }) => labels["instance"] === "a")?.state;
  });
}

test("without `for` an alert fires at the first evaluation", () => {
  expect(play(alerting(), [["a"], ["a"], []])).toEqual(["firing", "firing", "inactive"]);
});

test("with `for` it is pending until the time has passed", () => {
  expect(play(alerting({ forMs: 20_000 }), [["a"], ["a"], ["a"], ["a"]])).toEqual([
    "pending",
    "pending",
    "firing",
    "firing",
  ]);
});

test("a pending alert that goes missing is forgotten, and its waiting starts anew", () => {
  expect(play(alerting({ forMs: 20_000 }), [["a"], ["a"], [], ["a"], ["a"]])).toEqual([
    "pending",
    "pending",
    undefined,
    "pending",
    "pending",
  ]);
});

test("keep_firing_for counts from the first evaluation without the sample", () => {
  expect(play(alerting({ keepFiringForMs: 20_000 }), [["a"], [], [], [], []])).toEqual([
    "firing",
    "firing",
    "firing",
    "inactive",
    "inactive",
  ]);
});

test("keep_firing_for counts anew after the sample came back", () => {
  expect(play(alerting({ keepFiringForMs: 20_000 }), [["a"], [], ["a"], [], [], []])).toEqual([
    "firing",
    "firing",
    "firing",
    "firing",
    "firing",
    "inactive",
  ]);
});

test("a resolved alert stays for 15 minutes and is then forgotten", () => {
  let state = evaluateAlerts(alerting(), [sample("a")], new Map(), 0, 0).state;
  state = evaluateAlerts(alerting(), [], state, 10_000, 0).state;
  expect(evaluateAlerts(alerting(), [], state, 910_000, 0).state.size).toBe(1);
  expect(evaluateAlerts(alerting(), [], state, 910_001, 0).state.size).toBe(0);
});

test("a firing alert goes back to pending when a reload made `for` longer", () => {
  const { state } = evaluateAlerts(alerting(), [sample("a")], new Map(), 0, 0);
  const sent = dueAlerts(state, 0, sending).state;
  const next = evaluateAlerts(alerting({ forMs: 60_000 }), [sample("a")], sent, 10_000, 0);
  expect([...next.state.values()][0]).toMatchObject({ state: "pending", activeAtMs: 0 });
  expect([...next.state.values()][0]?.lastSentAtMs).toBeUndefined();
});

test("each change of state is told once", () => {
  const rule = alerting({ forMs: 10_000 });
  let state: RuleState = new Map();
  const told = [["a"], ["a"], ["a"], []].map((names, i) => {
    const outcome = evaluateAlerts(
      rule,
      names.map((name) => sample(name)),
      state,
      i * 10_000,
      0,
    );
    state = outcome.state;
    return outcome.status === "ok" ? outcome.changes.map(({ from, to }) => `${from}→${to}`) : outcome.error;
  });
  expect(told).toEqual([["inactive→pending"], ["pending→firing"], [], ["firing→inactive"]]);
});

test("two samples that end in one label set fail the evaluation and keep the state", () => {
  const { state } = evaluateAlerts(alerting(), [sample("a")], new Map(), 0, 0);
  const outcome = evaluateAlerts(alerting(), [sample("b"), sample("b")], state, 1, 0);
  expect(outcome).toEqual({
    status: "error",
    state,
    error: "vector contains metrics with the same labelset after applying alert labels",
  });
});

test("beyond its limit a rule forgets all its alerts", () => {
  const outcome = evaluateAlerts(alerting(), [sample("a"), sample("b")], new Map(), 0, 1);
  expect(outcome).toEqual({ status: "error", state: new Map(), error: "exceeded limit of 1 with 2 alerts" });
});

test("the rule's state is the highest of its alerts", () => {
  const rule = alerting({ forMs: 10_000 });
  const { state } = evaluateAlerts(rule, [sample("a")], new Map(), 0, 0);
  expect(highestState(state)).toBe("pending");
  expect(highestState(evaluateAlerts(rule, [sample("a"), sample("b")], state, 10_000, 0).state)).toBe("firing");
  expect(highestState(new Map())).toBe("inactive");
});

test("ALERTS says the state, ALERTS_FOR_STATE since when, in whole seconds", () => {
  const { state } = evaluateAlerts(alerting({ forMs: 60_000 }), [sample("a")], new Map(), 12_345, 0);
  expect(alertSeries(state)).toEqual([
    { labels: { __name__: "ALERTS", alertname: "High", alertstate: "pending", instance: "a" }, value: 1 },
    { labels: { __name__: "ALERTS_FOR_STATE", alertname: "High", instance: "a" }, value: 12 },
  ]);
});

const sending = {
  intervalMs: 10_000,
  resendDelayMs: 60_000,
  externalLabels: { region: "eu" },
  generatorUrl: "http://t/",
};

test("a firing alert is sent at once, again after more than the resend delay, and once when resolved", () => {
  const rule = alerting();
  let state: RuleState = new Map();
  const sentAt: string[] = [];
  for (let at = 0; at <= 150_000; at += 10_000) {
    state = evaluateAlerts(rule, at < 100_000 ? [sample("a")] : [], state, at, 0).state;
    const due = dueAlerts(state, at, sending);
    state = due.state;
    for (const alert of due.alerts) sentAt.push(`${at / 1000}: ${alert.startsAt} – ${alert.endsAt}`);
  }
  expect(sentAt).toEqual([
    "0: 1970-01-01T00:00:00.000Z – 1970-01-01T00:04:00.000Z",
    "70: 1970-01-01T00:00:00.000Z – 1970-01-01T00:05:10.000Z",
    "100: 1970-01-01T00:00:00.000Z – 1970-01-01T00:01:40.000Z",
  ]);
});

test("startsAt is when the alert fired, and a label of its own outranks an external one", () => {
  const rule = alerting({ forMs: 20_000 });
  const found = { labels: { alertname: "High", region: "us" }, annotations: { summary: "s" }, value: 1 };
  let { state } = evaluateAlerts(rule, [found], new Map(), 0, 0);
  expect(dueAlerts(state, 0, sending).alerts).toEqual([]);
  state = evaluateAlerts(rule, [found], state, 20_000, 0).state;
  expect(dueAlerts(state, 20_000, sending).alerts).toEqual([
    {
      labels: { alertname: "High", region: "us" },
      annotations: { summary: "s" },
      startsAt: "1970-01-01T00:00:20.000Z",
      endsAt: "1970-01-01T00:04:20.000Z",
      generatorURL: "http://t/",
    },
  ]);
});

const recording: RecordingRule = {
  kind: "recording",
  name: "job:up:sum",
  expr: parseExpr("up"),
  query: "up",
  labels: { team: "core", instance: "" },
};

test("a recording rule names its series, adds its labels and drops the empty ones", () => {
  const samples = [{ labels: { __name__: "up", job: "x", instance: "a" }, value: 2, timestampMs: 0 }];
  expect(recordedSeries(recording, samples, 0)).toEqual([
    { labels: { __name__: "job:up:sum", job: "x", team: "core" }, value: 2 },
  ]);
});

test("a recording rule fails on two results with one label set, and beyond its limit", () => {
  const samples = ["a", "b"].map((instance) => ({ labels: { instance }, value: 1, timestampMs: 0 }));
  expect(() => recordedSeries(recording, samples, 0)).toThrow(
    "vector contains metrics with the same labelset after applying rule labels",
  );
  expect(() => recordedSeries({ ...recording, labels: {} }, samples, 1)).toThrow("exceeded limit of 1 with 2 series");
});
