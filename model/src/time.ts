import { parseDuration } from "./duration.ts";

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type UnixMs = number;
/** Nanoseconds since 1970-01-01T00:00:00Z. */
export type UnixNano = bigint;

export const nanoToMs = (nano: UnixNano): UnixMs => Number(nano / 1_000_000n);
export const msToNano = (ms: UnixMs): UnixNano => BigInt(Math.round(ms * 1000)) * 1000n;

/**
 * Reads a point in time as our own HTTP API takes it: RFC 3339, Unix seconds (with decimals), `now`, or `now-15m`.
 * Throws an Error that names the accepted forms.
 */
export function parseTime(text: string, now: UnixMs): UnixMs {
  const relative = /^now(?:([+-])(.+))?$/.exec(text);
  if (relative) {
    const [, sign, duration] = relative;
    return duration === undefined ? now : now + (sign === "-" ? -1 : 1) * parseDuration(duration);
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  if (/^\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?)?$/.test(text)) {
    const ms = Date.parse(/[Zz]$|[+-]\d\d:\d\d$|^.{10}$/.test(text) ? text : `${text}Z`);
    if (!Number.isNaN(ms)) return ms;
  }
  throw new Error(
    `cannot parse ${JSON.stringify(text)} as a time (write 2026-01-31T12:00:00Z, Unix seconds, now or now-15m)`,
  );
}
