import { expect, test } from "vitest";
import { axisStyle, timeFormatter, zoneName } from "./time.ts";

const AT = Date.parse("2026-07-01T23:05:09.007Z");

test("writes a point in time in the zone asked for, with 24 hours", () => {
  expect(timeFormatter("en", "UTC")(AT, "millis")).toBe("23:05:09.007");
  expect(timeFormatter("en", "Asia/Shanghai")(AT)).toBe("07:05:09");
  expect(timeFormatter("en", "UTC")(AT, "dateTime")).toBe("Jul 1, 23:05:09");
  expect(timeFormatter("zh-CN", "UTC")(AT, "dateTime")).toBe("7月1日 23:05:09");
});

test("shows what is not a time as it came", () => {
  expect(timeFormatter("en", "UTC")("soon")).toBe("soon");
});

test("names the zone as of that moment", () => {
  expect(zoneName("UTC", "en", AT)).toBe("UTC");
  expect(zoneName("America/New_York", "en", AT)).toBe("EDT");
});

test("labels an axis as finely as its width needs", () => {
  expect(axisStyle(60_000)).toBe("time");
  expect(axisStyle(3_600_000)).toBe("minute");
  expect(axisStyle(7 * 86_400_000)).toBe("dateMinute");
});
