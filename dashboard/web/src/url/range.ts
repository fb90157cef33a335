import { parseTime, type UnixMs } from "@tocsin/model";

/** A range as it stands in the URL: `now-15m` … `now`, or two RFC 3339 times. Relative ranges stay relative. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

export interface Span {
  readonly fromMs: UnixMs;
  readonly toMs: UnixMs;
}

export const DEFAULT_RANGE: Range = { from: "now-15m", to: "now" };
export const QUICK_RANGES = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h", "2d", "7d"] as const;

/** Reads `from` and `to`; anything unreadable or empty falls back to the default range, as a whole. */
export function readRange(from: string | null, to: string | null, now: UnixMs): Range {
  const range = { from: from ?? DEFAULT_RANGE.from, to: to ?? DEFAULT_RANGE.to };
  return checkRange(range, now).status === "ok" ? range : DEFAULT_RANGE;
}

/** Whether a range can be read and does not end before it starts; `field` says which end is at fault. */
export function checkRange(
  range: Range,
  now: UnixMs,
): { status: "ok" } | { status: "unreadable"; field: "from" | "to" } | { status: "reversed" } {
  const ends: { from?: UnixMs; to?: UnixMs } = {};
  for (const field of ["from", "to"] as const) {
    try {
      ends[field] = parseTime(range[field].trim(), now);
    } catch {
      return { status: "unreadable", field };
    }
  }
  return (ends.from ?? 0) < (ends.to ?? 0) ? { status: "ok" } : { status: "reversed" };
}

export function resolveRange(range: Range, now: UnixMs): Span {
  return { fromMs: parseTime(range.from, now), toMs: parseTime(range.to, now) };
}

export function absoluteRange(fromMs: UnixMs, toMs: UnixMs): Range {
  return { from: new Date(Math.floor(fromMs)).toISOString(), to: new Date(Math.ceil(toMs)).toISOString() };
}

/** `15m` for `now-15m` … `now`; undefined for every other range. */
export function quickRangeOf({ from, to }: Range): string | undefined {
  return to === "now" ? /^now-(\w+)$/.exec(from)?.[1] : undefined;
}

/** The range moved by half its width; it never ends in the future. */
export function shiftRange(range: Range, direction: -1 | 1, now: UnixMs): Range {
  const { fromMs, toMs } = resolveRange(range, now);
  const by = Math.min((direction * (toMs - fromMs)) / 2, now - toMs);
  return absoluteRange(fromMs + by, toMs + by);
}

/** Twice the width around the same middle, cut at now. A quick range becomes a relative one of twice the length. */
export function zoomOut(range: Range, now: UnixMs): Range {
  const { fromMs, toMs } = resolveRange(range, now);
  const width = toMs - fromMs;
  if (quickRangeOf(range) !== undefined) return { from: `now-${Math.round((width * 2) / 1000)}s`, to: "now" };
  const end = Math.min(now, toMs + width / 2);
  return absoluteRange(end - width * 2, end);
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

/** The shortest round step, in seconds, that gives at most `points` points over the span. */
export function stepSeconds({ fromMs, toMs }: Span, points: number): number {
  const least = (toMs - fromMs) / 1000 / points;
  return STEPS_S.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400;
}
