import type { StoredSignal } from "../writers/record-kind.ts";

const DAY_MS = 86_400_000;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll("-", ".");

/** All indices of a signal. */
export const indexPattern = (prefix: string, signal: StoredSignal): string => `${prefix}-${signal}-*`;

/**
 * Names a record's index by the day of the record itself, so that the same record goes to the same index whenever it comes.
 * What is dated before retention or more than a day ahead is filed by the day of arrival under `misdated`, so that a broken
 * clock cannot make any number of indices.
 */
export function indexNamer(
  prefix: string,
  signal: StoredSignal,
  { now, retentionMs }: { now: number; retentionMs: number },
): (ms: number) => string {
  const names = new Map<number, string>();
  const oldest = now - retentionMs;
  const misdated = `${prefix}-${signal}-misdated-${dayOf(now)}`;
  return (ms) => {
    if (ms < oldest || ms > now + DAY_MS) return misdated;
    const day = Math.floor(ms / DAY_MS);
    let name = names.get(day);
    if (name === undefined) names.set(day, (name = `${prefix}-${signal}-${dayOf(ms)}`));
    return name;
  };
}

/** The end of the day an index is for; undefined when it is not named by a day. */
export function indexEndMs(name: string): number | undefined {
  const match = /-(\d{4})\.(\d{2})\.(\d{2})$/.exec(name);
  return match ? Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) + DAY_MS : undefined;
}
