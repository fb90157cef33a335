import { expect, test } from "vitest";
import type { BacktestRule, BacktestRun } from "@tocsin/model";
import { backtestReport } from "./report.ts";

const rule = (overrides: Partial<BacktestRule>): BacktestRule => ({
  alert: "Slow",
  group: "api",
  file: "rules.yml",
  history: { firstSampleAt: "2026-11-14T12:00:00.000Z", share: 0.5, missing: [] },
  firings: 0,
  pendingOnly: 0,
  firingSeconds: 0,
  longestSeconds: 0,
  first: [],
  errors: [],
  ...overrides,
});

test("candidate and present stand beside each other, with the nights and the notes", () => {
  const firing = {
    labels: { alertname: "Slow", service: "api" },
    activeAt: "2026-11-15T02:58:00.000Z",
    startsAt: "2026-11-15T03:00:00.000Z",
    endsAt: "2026-11-15T03:08:00.000Z",
    seconds: 480,
    value: 1.23456,
    atStart: false,
  };
  const candidate: BacktestRun = {
    rules: [rule({ firings: 1, firingSeconds: 480, longestSeconds: 480, first: [firing] })],
    receivers: [
      {
        receiver: "team",
        integration: "email",
        notifications: 2,
        atNight: 2,
        reasons: { "first notification": 1, "all alerts resolved": 1 },
        times: [],
      },
    ],
    muted: [{ receiver: "team", reason: "mute_time_interval", by: ["lunch"], flushes: 1 }],
  };
  const present = { rules: [rule({ firings: 3, pendingOnly: 1 })], receivers: [], muted: [] };
  const lines = backtestReport({
    from: "2026-11-14T12:00:00.000Z",
    to: "2026-11-21T12:00:00.000Z",
    timeZone: "UTC",
    candidate,
    present,
    notes: ["Slow: there is history for 50 % of the time"],
  });
  expect(lines).toEqual([
    "replayed 2026-11-14 12:00 to 2026-11-21 12:00",
    "",
    "alert           firings  firing for  longest  pending only  history",
    "Slow            1        8m          8m       0             50 %",
    "  in force now  3        -           -        1             50 %",
    "",
    "receiver      messages  at night  why",
    "team (email)  2         100 %     1 first notification, 1 all alerts resolved",
    "(at night: 22:00 to 07:00 UTC)",
    "kept from team: 1 time by mute time interval lunch",
    "",
    "fired at (UTC)    for  value  alert",
    '2026-11-15 03:00  8m   1.235  Slow{service="api"}',
    "",
    "note: Slow: there is history for 50 % of the time",
  ]);
});

test("nobody told is said", () => {
  const empty = { rules: [rule({})], receivers: [], muted: [] };
  const lines = backtestReport({
    from: "2026-11-14T12:00:00.000Z",
    to: "2026-11-21T12:00:00.000Z",
    timeZone: "UTC",
    candidate: empty,
    present: null,
    notes: [],
  });
  expect(lines).toContain("nobody    0");
});
