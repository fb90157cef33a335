/** `2026112107-000`: the UTC hour a file was begun in and its number within it. Names sort in order of creation. */
export interface FileName {
  hourMs: number;
  part: number;
}

const HOUR_MS = 3_600_000;
const PATTERN = /^(\d{4})(\d\d)(\d\d)(\d\d)-(\d{3,})$/;

export const hourOf = (ms: number): number => Math.floor(ms / HOUR_MS) * HOUR_MS;

export function formatFileName({ hourMs, part }: FileName): string {
  const hour = new Date(hourMs).toISOString().replaceAll(/[-T]/g, "").slice(0, 10);
  return `${hour}-${String(part).padStart(3, "0")}`;
}

/** Undefined when the name is not one of ours. */
export function parseFileName(name: string): FileName | undefined {
  const match = PATTERN.exec(name);
  if (!match) return undefined;
  const [, year, month, day, hour, part] = match.map(Number);
  return { hourMs: Date.UTC(year as number, (month as number) - 1, day, hour), part: part as number };
}

/** The file to begin at this time: never before the last one, even when the clock went back. */
export function nextFileName(at: number, last: string | undefined): string {
  const before = last === undefined ? undefined : parseFileName(last);
  const hourMs = hourOf(at);
  if (!before || hourMs > before.hourMs) return formatFileName({ hourMs, part: 0 });
  return formatFileName({ hourMs: before.hourMs, part: before.part + 1 });
}
