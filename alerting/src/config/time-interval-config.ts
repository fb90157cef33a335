import { z } from "zod";
import { checkLocation, type Range, type TimeInterval } from "../mute/time-interval.ts";
import { field, list, object, requiredText } from "./fields.ts";
import { Plain } from "./yaml-tree.ts";

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

const written = field(
  (tree) => {
    if (tree instanceof Plain) return tree.text;
    if (typeof tree === "string") return tree;
    throw new Error("expected a text");
  },
  (value) => value,
);

function range(read: (text: string) => number, check: (range: Range) => void, show: (n: number) => string) {
  return z.codec(written, z.custom<Range>(), {
    decode(text, payload) {
      try {
        const parts = text.split(":").map((part) => read(part.trim()));
        if (parts.length > 2) throw new Error(`not a range: ${text} (write it like a:b)`);
        const begin = parts[0] as number;
        const decoded = { begin, end: parts[1] ?? begin };
        check(decoded);
        return decoded;
      } catch (error) {
        payload.issues.push({ code: "custom", message: (error as Error).message, input: text });
        return z.NEVER;
      }
    },
    encode: ({ begin, end }) => (begin === end ? show(begin) : `${show(begin)}:${show(end)}`),
  });
}

function whole(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new Error(`not a number: ${JSON.stringify(text)}`);
  return Number(text);
}

function rising({ begin, end }: Range): void {
  if (begin > end) throw new Error("the end of the range is before its start (ranges do not wrap)");
}

const WeekdayRange = range(
  (text) => {
    const day = WEEKDAYS.indexOf(text.toLowerCase());
    if (day < 0) throw new Error(`not a weekday: ${JSON.stringify(text)} (write the full English name)`);
    return day;
  },
  rising,
  (day) => WEEKDAYS[day] as string,
);

const MonthRange = range(
  (text) => {
    const named = MONTHS.indexOf(text.toLowerCase()) + 1;
    const month = named > 0 ? named : whole(text);
    if (month < 1 || month > 12) throw new Error(`not a month: ${JSON.stringify(text)} (write a name or 1 to 12)`);
    return month;
  },
  rising,
  (month) => MONTHS[month - 1] as string,
);

const YearRange = range(whole, rising, String);

const DayRange = range(
  (text) => {
    const day = whole(text);
    if (day === 0 || Math.abs(day) > 31)
      throw new Error(`not a day of the month: ${day} (write 1 to 31, or -1 to -31 from its end)`);
    return day;
  },
  ({ begin, end }) => {
    if (begin < 0 && end > 0) throw new Error("the end day must be negative if the start day is negative");
    const fromStart = (day: number) => (day < 0 ? 31 + day + 1 : day);
    if (fromStart(begin) > fromStart(end)) throw new Error(`end day ${end} is always before start day ${begin}`);
  },
  String,
);

const minuteOfDay = field(
  (tree) => {
    const text = tree instanceof Plain ? tree.text : tree;
    const match = typeof text === "string" ? /^([01]\d|2[0-3]):([0-5]\d)$|^24:00$/.exec(text) : null;
    if (!match) throw new Error("not a time of day (write it like 09:30; 24:00 is the end of the day)");
    return match[0] === "24:00" ? 1440 : Number(match[1]) * 60 + Number(match[2]);
  },
  (minute) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`,
);

const TimeRange = object({ start_time: minuteOfDay, end_time: minuteOfDay }).refine(
  ({ start_time, end_time }) => start_time < end_time,
  { message: "start_time must be before end_time (an interval does not wrap over midnight)" },
);

const location = field(
  (tree) => checkLocation(typeof tree === "string" ? tree : ""),
  (value) => value,
);

export const TimeIntervalConfig = object({
  times: list(TimeRange).optional(),
  weekdays: list(WeekdayRange).optional(),
  days_of_month: list(DayRange).optional(),
  months: list(MonthRange).optional(),
  years: list(YearRange).optional(),
  location: location.optional(),
});
export type TimeIntervalConfig = z.output<typeof TimeIntervalConfig>;

export const NamedTimeIntervalConfig = object({
  name: requiredText,
  time_intervals: list(TimeIntervalConfig).optional(),
});
export type NamedTimeIntervalConfig = z.output<typeof NamedTimeIntervalConfig>;

export function timeInterval(config: TimeIntervalConfig): TimeInterval {
  return {
    times: (config.times ?? []).map((time) => ({ startMinute: time.start_time, endMinute: time.end_time })),
    weekdays: config.weekdays ?? [],
    daysOfMonth: config.days_of_month ?? [],
    months: config.months ?? [],
    years: config.years ?? [],
    location: config.location ?? "",
  };
}
