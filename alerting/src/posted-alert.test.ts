import { describe, expect, test } from "vitest";
import { receiveAlert, timestamp } from "./posted-alert.ts";

const NOON = Date.parse("2026-11-21T12:00:00Z");
const receive = (posted: Parameters<typeof receiveAlert>[0]) =>
  receiveAlert(posted, { at: NOON, resolveTimeoutMs: 300_000, mode: "default" });
const labels = { alertname: "A" };

describe("times", () => {
  test("none given: now, and now + resolve_timeout marked as timeout", () => {
    expect(receive({ labels })).toMatchObject({ startsAt: NOON, endsAt: NOON + 300_000, timeout: true });
  });
  test("only an end: it began then, as Alertmanager has it", () => {
    expect(receive({ labels, endsAt: "2026-11-21T11:00:00Z" })).toMatchObject({
      startsAt: NOON - 3_600_000,
      timeout: false,
    });
    expect(receive({ labels, endsAt: "2026-11-21T13:00:00Z" })).toMatchObject({ startsAt: NOON + 3_600_000 });
  });
  test("Go's zero time is none", () => {
    expect(receive({ labels, startsAt: "0001-01-01T00:00:00.000Z", endsAt: "0001-01-01T00:00:00Z" })).toMatchObject({
      startsAt: NOON,
      timeout: true,
    });
  });
  test("a start in the future is accepted", () => {
    expect(receive({ labels, startsAt: "2026-11-21T12:01:00Z", endsAt: "2026-11-21T12:02:00Z" }).startsAt).toBe(
      NOON + 60_000,
    );
  });
  test("a start after the end is invalid", () => {
    expect(() => receive({ labels, startsAt: "2026-11-21T13:00:00Z", endsAt: "2026-11-21T12:30:00Z" })).toThrow(
      "start time must be before end time",
    );
  });
});

describe("labels", () => {
  test("empty ones are dropped before the identity, empty annotations stay", () => {
    const alert = receive({ labels: { ...labels, x: "" }, annotations: { a: "" } });
    expect(alert.labels).toEqual(labels);
    expect(alert.annotations).toEqual({ a: "" });
    expect(alert.fingerprint).toBe(receive({ labels }).fingerprint);
  });
  test("at least one is needed", () =>
    expect(() => receive({ labels: { x: "" } })).toThrow("at least one label pair required"));
  test("values must be UTF-8", () => expect(() => receive({ labels: { a: "\ud800" } })).toThrow("invalid value"));
});

test.each([
  ["2026-11-21T12:00:00Z", NOON],
  ["2026-11-21T12:00:00.123456789Z", NOON + 123],
  ["2026-11-21T13:00:00+01:00", NOON],
  ["2026-11-21T12:00:00", NOON],
  ["2026-11-21", NOON - 43_200_000],
  ["0001-01-01T00:00:00Z", undefined],
  ["", undefined],
])("reads the time %s", (text, at) => expect(timestamp(text)).toBe(at));

test.each(["soon", "2026-13-01T00:00:00Z", "1700000000"])("refuses the time %s", (text) => {
  expect(() => timestamp(text)).toThrow("cannot parse");
});
