import type { UnixMs } from "@tocsin/model";

/** Inclusive at both ends. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/**
 * When a time interval holds: every field that is given must contain the moment; within a field one entry suffices.
 * Days of the month may count from its end (−1 is the last); minutes are of the day, the end exclusive.
 */
export interface TimeInterval {
  readonly times: readonly { readonly startMinute: number; readonly endMinute: number }[];
  /** Sunday is 0. */
  readonly weekdays: readonly Range[];
  readonly daysOfMonth: readonly Range[];
  readonly months: readonly Range[];
  readonly years: readonly Range[];
  /** IANA name, `Local` or `UTC`; empty is UTC. */
  readonly location: string;
}

/** A name that routes refer to; it holds when any of its intervals does. */
export interface NamedTimeInterval {
  readonly name: string;
  readonly intervals: readonly TimeInterval[];
}

export function holds(interval: TimeInterval, at: UnixMs): boolean {
  const local = wallClock(interval.location, at);
  const { times, weekdays, daysOfMonth, months, years } = interval;
  return (
    (times.length === 0 || times.some((time) => time.startMinute <= local.minute && local.minute < time.endMinute)) &&
    (daysOfMonth.length === 0 || daysOfMonth.some((range) => containsDay(range, local.day, daysIn(local)))) &&
    contains(months, local.month) &&
    contains(weekdays, local.weekday) &&
    contains(years, local.year)
  );
}

function contains(ranges: readonly Range[], value: number): boolean {
  return ranges.length === 0 || ranges.some(({ begin, end }) => begin <= value && value <= end);
}

function containsDay(range: Range, day: number, days: number): boolean {
  const fromStart = (n: number) => (n < 0 ? days + n + 1 : n);
  return fromStart(range.begin) <= day && day <= fromStart(range.end);
}

interface WallClock {
  year: number;
  /** January is 1. */
  month: number;
  day: number;
  weekday: number;
  minute: number;
}

function daysIn({ year, month }: WallClock): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(location: string): Intl.DateTimeFormat {
  let format = formats.get(location);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      ...(location !== "Local" && { timeZone: location }),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
    });
    formats.set(location, format);
  }
  return format;
}

/** Throws an Error when there is no such time zone. */
export function checkLocation(location: string): string {
  if (location === "" || location === "Local") return location;
  try {
    if (/^[+-]/.test(location)) throw new RangeError("an offset is not a name");
    formatOf(location);
    return location;
  } catch (cause) {
    throw new Error(`unknown time zone ${location} (write an IANA name such as Europe/Berlin)`, { cause });
  }
}

function wallClock(location: string, at: UnixMs): WallClock {
  if (location === "" || location === "UTC") return utcClock(new Date(at));
  const parts = new Map(
    formatOf(location)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const year = part("year");
  const month = part("month");
  const day = part("day");
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return { year, month, day, weekday, minute: part("hour") * 60 + part("minute") };
}

function utcClock(date: Date): WallClock {
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    minute: date.getUTCHours() * 60 + date.getUTCMinutes(),
  };
}
