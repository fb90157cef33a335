import { expect, test } from "vitest";
import type { GettableAlert } from "../../api/alertmanager.ts";
import { filterMatches, parseAlertFilter, withCondition } from "./alert-filter.ts";

const alert: GettableAlert = {
  labels: { alertname: "SmsProviderOutage", severity: "critical", service: "sms" },
  annotations: { summary: "Provider alpha refuses 82 % of the messages" },
  startsAt: "2026-11-21T12:00:00.000Z",
  endsAt: "2026-11-21T12:05:00.000Z",
  updatedAt: "2026-11-21T12:00:00.000Z",
  fingerprint: "0011223344556677",
  receivers: [{ name: "sms-oncall" }],
  status: { state: "suppressed", silencedBy: ["s-1"], inhibitedBy: [], mutedBy: [] },
};

test.each([
  ["", true],
  ["severity=critical", true],
  ["severity!=critical", false],
  ['service=~"sms|api" severity=critical', true],
  ["{severity=critical,service=sms}", true],
  ["team=", true],
  ["PROVIDER refuses", true],
  ["provider beta", false],
  ['"alpha refuses"', true],
  ["@state=silenced", true],
  ["@state=active", false],
  ["@receiver=~sms.*", true],
  ["@silenced_by=s-1", true],
  ['@inhibited_by!=""', false],
])("%j on a silenced, critical SMS alert: %s", (text, matches) => {
  const filter = parseAlertFilter(text);
  expect(filter.bad).toEqual([]);
  expect(filterMatches(filter, alert)).toBe(matches);
});

test.each(["severity=~(", "=critical", "@colour=red"])("names %s as not understood", (token) => {
  expect(parseAlertFilter(`words ${token}`).bad).toEqual([token]);
});

test("a press on a label adds its condition once, quoted where it must be", () => {
  expect(withCondition("", { name: "service", type: "=", value: "sms" })).toBe("service=sms");
  expect(withCondition("service=sms", { name: "service", type: "=", value: "sms" })).toBe("service=sms");
  expect(withCondition("x", { name: "route", type: "!=", value: "POST /m" })).toBe('x route!="POST /m"');
});
