import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useZone } from "../url/use-range.ts";

export type TimeStyle = "time" | "millis" | "minute" | "dateTime" | "dateMinute" | "day";

const STYLES: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  millis: { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" },
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  dateTime: {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  },
  dateMinute: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { month: "short", day: "numeric" },
};

export type FormatTime = (at: number | string, style?: TimeStyle) => string;

/** A formatter for one language and zone; takes Unix milliseconds or RFC 3339. */
export function timeFormatter(locale: string, zone: string): FormatTime {
  const made = new Map<TimeStyle, Intl.DateTimeFormat>();
  return (at, style = "time") => {
    const format = made.get(style) ?? new Intl.DateTimeFormat(locale, { ...STYLES[style], timeZone: zone });
    made.set(style, format);
    const date = new Date(at);
    return Number.isNaN(date.getTime()) ? String(at) : format.format(date);
  };
}

/** The formatter for the page's language and zone. */
export function useFormatTime(): FormatTime {
  const { zone } = useZone();
  const { i18n } = useTranslation();
  return useMemo(() => timeFormatter(i18n.language, zone), [i18n.language, zone]);
}

/** `UTC`, `GMT+8`, `CET`: the zone's short name at this moment, for beside a range. */
export function zoneName(zone: string, locale: string, at: number): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: "short" }).formatToParts(at);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? zone;
}

/** The style in which neighbouring ticks of an axis over this many milliseconds can be told apart. */
export function axisStyle(widthMs: number): TimeStyle {
  if (widthMs <= 10 * 60_000) return "time";
  return widthMs <= 26 * 3_600_000 ? "minute" : "dateMinute";
}
