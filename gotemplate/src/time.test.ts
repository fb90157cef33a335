import { expect, test } from "vitest";
import { GoDuration, GoTime, GoZone, parseGoTime } from "./time.ts";

const at = (text: string, nanos = 0n) => new GoTime(BigInt(Date.parse(text)) * 1_000_000n + nanos);

test.each([
  ["2006-01-02T15:04:05Z07:00", "2026-07-04T03:09:05Z"],
  ["2006-01-02T15:04:05.999999999Z07:00", "2026-07-04T03:09:05.0067Z"],
  ["Mon Jan _2 15:04:05 2006", "Sat Jul  4 03:09:05 2026"],
  ["Monday, 02-Jan-06 15:04:05 MST", "Saturday, 04-Jul-26 03:09:05 UTC"],
  ["3:04PM", "3:09AM"],
  ["Jan 2, 2006 at 3:04pm (MST)", "Jul 4, 2026 at 3:09am (UTC)"],
  ["02/01/06 1 -07:00 -0700 -07 002 .000 ,00", "04/07/26 7 +00:00 +0000 +00 185 .006 ,00"],
  ["January Janet 15h", "July Janet 03h"],
])("formats by %s", (layout, text) => {
  expect(at("2026-07-04T03:09:05Z", 6_700_000n).format(layout)).toBe(text);
});

test("shows a time in a zone, with its name and daylight saving", () => {
  const layout = "2006-01-02 15:04 -0700 MST";
  const show = (zone: string, text: string) => at(text).in(new GoZone(zone)).format(layout);
  expect(show("Europe/Paris", "2026-07-04T12:00:00Z")).toBe("2026-07-04 14:00 +0200 CEST");
  expect(show("Europe/Paris", "2026-01-04T12:00:00Z")).toBe("2026-01-04 13:00 +0100 CET");
  expect(show("America/New_York", "2026-07-04T12:00:00Z")).toBe("2026-07-04 08:00 -0400 EDT");
  expect(show("Asia/Shanghai", "2026-07-04T20:00:00Z")).toBe("2026-07-05 04:00 +0800 CST");
  expect(show("America/Sao_Paulo", "2026-07-04T12:00:00Z")).toBe("2026-07-04 09:00 -0300 -03");
  expect(() => new GoZone("Mars/Base")).toThrow("unknown time zone Mars/Base");
});

test("prints as Go does, down to the zero time", () => {
  expect(at("2015-12-12T16:21:20.7Z").toString()).toBe("2015-12-12 16:21:20.7 +0000 UTC");
  expect(GoTime.zero.toString()).toBe("0001-01-01 00:00:00 +0000 UTC");
});

test.each([
  ["2006-01-02", "2026-11-21", "2026-11-21 00:00:00 +0000 UTC"],
  ["2006-01-02T15:04:05Z07:00", "2026-11-21T07:05:09.25+02:00", "2026-11-21 05:05:09.25 +0000 UTC"],
  ["Jan 2 2006 3:04PM", "Feb 3 2026 11:05PM", "2026-02-03 23:05:00 +0000 UTC"],
])("reads by %s", (layout, text, printed) => {
  expect(parseGoTime(layout, text).toString()).toBe(printed);
});

test("says what does not fit the layout", () => {
  expect(() => parseGoTime("2006-01-02", "x")).toThrow('parsing time "x" as "2006-01-02": cannot parse "x" as "2006"');
  expect(() => parseGoTime("2006-01-02", "2026-02-30")).toThrow('parsing time "2026-02-30": day out of range');
  expect(() => parseGoTime("2006", "2026x")).toThrow('parsing time "2026x": extra text: "x"');
});

test.each([
  [0n, "0s"],
  [1n, "1ns"],
  [1_500n, "1.5µs"],
  [2_000_000n, "2ms"],
  [-61_500_000_000n, "-1m1.5s"],
  [90_061_000_000_000n, "25h1m1s"],
])("prints %d ns as %s", (nanos, text) => {
  expect(new GoDuration(nanos).toString()).toBe(text);
});
