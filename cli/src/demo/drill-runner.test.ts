import { beforeEach, expect, test } from "vitest";
import type { DecisionRecord, DrillRun, InboxItem } from "@tocsin/model";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { DrillRunner } from "./drill-runner.ts";

let clock: ManualClock;
let faults: string[];
let seen: boolean;
let firing: boolean;
let changes: DrillRun["state"][];
let runner: DrillRunner;

beforeEach(() => {
  clock = new ManualClock(1_000_000);
  faults = [];
  seen = false;
  firing = false;
  changes = [];
  runner = new DrillRunner({
    clock,
    logger: silentLogger,
    setFault: async (service, fault, active) => void faults.push(`${service} ${fault} ${active}`),
    hasResult: async () => seen,
    isFiring: () => firing,
    onChange: (run) => changes.push(run.state),
  });
});

const evaluation = (to: "pending" | "firing", service = "sms"): DecisionRecord => ({
  id: "d",
  at: "",
  sentence: "",
  kind: "evaluation",
  rule: "SmsDeliveryFailing",
  group: "sms",
  file: "sms.yml",
  fingerprint: "0000000000000001",
  labels: { alertname: "SmsDeliveryFailing", service },
  from: "inactive",
  to,
  value: 1,
});

const mail = (status: string): InboxItem => ({
  id: `mail-${status}`,
  kind: "email",
  receivedAt: "",
  to: "oncall@example.org",
  subject: `[${status}] SmsDeliveryFailing sms`,
  body: "",
});

const webhook = (status: "firing" | "resolved"): InboxItem => ({
  id: `webhook-${status}`,
  kind: "webhook",
  receivedAt: "",
  to: "/",
  subject: "",
  body: JSON.stringify({ alerts: [{ status, labels: { alertname: "SmsDeliveryFailing", service: "sms" } }] }),
});

const elapsed = (run: DrillRun) => Object.fromEntries(run.steps.map((step) => [step.name, step.elapsedMs]));

test("follows a break from the fault to both messages, and its undoing to both resolved ones", async () => {
  const run = await runner.break("sms-outage");
  await clock.advance(4000);
  seen = true;
  await clock.advance(1000);
  runner.observeDecision(evaluation("pending"));
  await clock.advance(10_000);
  runner.observeDecision(evaluation("firing"));
  await clock.advance(5000);
  runner.observeMessage(mail("FIRING:1"));
  expect(run.state).toBe("breaking");
  runner.observeMessage(webhook("firing"));
  expect(run.state).toBe("sent");
  await clock.advance(1000);
  await runner.unbreak("sms-outage");
  expect(run.state).toBe("resolving");
  await clock.advance(20_000);
  runner.observeMessage(webhook("resolved"));
  runner.observeMessage(mail("RESOLVED"));
  expect(run.state).toBe("done");
  expect(elapsed(run)).toEqual({
    injected: 0,
    seen: 4500,
    pending: 5000,
    firing: 15_000,
    sent: 20_000,
    unbroken: 0,
    resolved: 20_000,
  });
  expect(run.messages).toEqual(["mail-FIRING:1", "webhook-firing", "webhook-resolved", "mail-RESOLVED"]);
  expect(faults).toEqual(["sms provider_outage true", "sms provider_outage false"]);
});

test("a run that was seen by its messages alone waits for the resolved ones", async () => {
  const run = await runner.break("sms-outage");
  runner.observeMessage(mail("FIRING:1"));
  runner.observeMessage(webhook("firing"));
  await runner.unbreak("sms-outage");
  expect(run.state).toBe("resolving");
  runner.observeMessage(mail("RESOLVED"));
  runner.observeMessage(webhook("resolved"));
  expect(run.state).toBe("done");
});

test("messages and decisions about another service do not count", async () => {
  const run = await runner.break("sms-outage");
  runner.observeDecision(evaluation("firing", "api"));
  runner.observeMessage({ ...mail("FIRING:1"), subject: "[FIRING:1] ServiceDown api" });
  expect(elapsed(run)).toMatchObject({ injected: 0, firing: null, sent: null });
});

test("refuses a second break while the first is under way or its alert still fires", async () => {
  await runner.break("sms-outage");
  await expect(runner.break("sms-outage")).rejects.toThrow("under way");
  await runner.unbreak("sms-outage");
  firing = true;
  await expect(runner.break("sms-outage")).rejects.toThrow("wait until it is resolved");
});

test("a break taken back before its alert fired is done at once", async () => {
  const run = await runner.break("sms-outage");
  await runner.unbreak("sms-outage");
  expect(run.state).toBe("done");
});

test("gives up after three minutes without the messages, and says so", async () => {
  const run = await runner.break("sms-outage");
  await clock.advance(181_000);
  expect(run).toMatchObject({ state: "failed", error: "no alert message in the inbox after 180 s" });
  expect(changes.at(-1)).toBe("failed");
});

test("an unknown drill is answered with the known ones", async () => {
  await expect(runner.break("sms-latency")).rejects.toThrow("there are sms-outage, sms-crash");
});
