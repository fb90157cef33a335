import { describe, expect, test } from "vitest";
import { TimeIntervalConfig, timeInterval } from "../config/time-interval-config.ts";
import { readYamlTree } from "../config/yaml-tree.ts";
import { holds } from "./time-interval.ts";

const interval = (yaml: string) => timeInterval(TimeIntervalConfig.parse(readYamlTree("t.yml", yaml).tree));
const at = (iso: string) => Date.parse(iso);

describe("fields AND, list items OR", () => {
  test.each([
    ["{}", "2026-11-21T12:00:00Z", true],
    ["times: [{start_time: 09:00, end_time: 17:00}]", "2026-11-21T09:00:00Z", true],
    ["times: [{start_time: 09:00, end_time: 17:00}]", "2026-11-21T17:00:00Z", false],
    ["times: [{start_time: 09:00, end_time: 24:00}]", "2026-11-21T23:59:59Z", true],
    [
      "times: [{start_time: 09:00, end_time: 10:00}, {start_time: 12:00, end_time: 13:00}]",
      "2026-11-21T12:30:00Z",
      true,
    ],
    ["weekdays: [monday:friday]", "2026-11-21T12:00:00Z", false],
    ["weekdays: [sunday, Saturday]", "2026-11-21T12:00:00Z", true],
    ["months: [november]", "2026-11-21T12:00:00Z", true],
    ["months: ['1:10']", "2026-11-21T12:00:00Z", false],
    ["years: ['2027:2030', 2026]", "2026-11-21T12:00:00Z", true],
    ["{weekdays: [saturday], years: [2025]}", "2026-11-21T12:00:00Z", false],
  ])("%s at %s: %s", (yaml, when, expected) => {
    expect(holds(interval(yaml), at(when))).toBe(expected);
  });
});

describe("days of the month", () => {
  test.each([
    ["days_of_month: [1:5]", "2026-11-05T00:00:00Z", true],
    ["days_of_month: [-1]", "2026-11-30T00:00:00Z", true],
    ["days_of_month: [-1]", "2028-02-29T00:00:00Z", true],
    ["days_of_month: [-1]", "2026-02-27T00:00:00Z", false],
    ["days_of_month: ['-3:-1']", "2026-02-26T12:00:00Z", true],
    ["days_of_month: ['5:-5']", "2026-11-26T12:00:00Z", true],
    ["days_of_month: ['5:-5']", "2026-11-27T12:00:00Z", false],
    ["days_of_month: [31]", "2026-11-30T12:00:00Z", false],
    ["days_of_month: ['28:31']", "2026-02-28T12:00:00Z", true],
    ["days_of_month: ['-31:-29']", "2026-02-01T12:00:00Z", false],
  ])("%s at %s: %s", (yaml, when, expected) => {
    expect(holds(interval(yaml), at(when))).toBe(expected);
  });
});

describe("location", () => {
  const office = "{location: Europe/Berlin, times: [{start_time: 09:00, end_time: 17:00}]}";
  test("goes by the wall clock there, in winter and in summer", () => {
    expect(holds(interval(office), at("2026-01-15T08:00:00Z"))).toBe(true);
    expect(holds(interval(office), at("2026-01-15T07:59:59Z"))).toBe(false);
    expect(holds(interval(office), at("2026-07-15T07:00:00Z"))).toBe(true);
    expect(holds(interval(office), at("2026-07-15T06:59:59Z"))).toBe(false);
  });
  test("an hour that the clock skips never holds, one that it repeats holds twice", () => {
    const night = interval("{location: Europe/Berlin, times: [{start_time: 02:00, end_time: 03:00}]}");
    const minutes = (day: string) =>
      Array.from({ length: 1440 }, (_, i) => holds(night, at(day) + i * 60_000)).filter(Boolean).length;
    expect(minutes("2026-03-28T23:00:00Z")).toBe(0);
    expect(minutes("2026-10-24T22:00:00Z")).toBe(120);
  });
  test("the last day of a month is that of the place, also where the clock changes on it", () => {
    const last = interval("{location: Europe/Berlin, days_of_month: [-1]}");
    expect(holds(last, at("2024-03-31T21:59:59Z"))).toBe(true);
    expect(holds(last, at("2024-03-31T22:00:00Z"))).toBe(false);
    expect(holds(last, at("2024-03-30T22:59:59Z"))).toBe(false);
    expect(holds(last, at("2024-03-30T23:00:00Z"))).toBe(true);
  });
});
