import type { LogHistogram, LogItem } from "@tocsin/model";
import type { Mark } from "../../ui/severity-mark.tsx";

export type Level = LogItem["severity"];

/** From worst to least, as they are stacked from the bottom up and listed. */
export const LEVELS: readonly Level[] = ["fatal", "error", "warn", "info", "debug", "trace", "unset"];

export const LEVEL_MARKS: Record<Level, Mark> = {
  fatal: "critical",
  error: "critical",
  warn: "warning",
  info: "info",
  debug: "muted",
  trace: "muted",
  unset: "muted",
};

export interface StackedBar {
  startMs: number;
  total: number;
  parts: { level: Level; count: number; from: number; to: number }[];
}

/** The bars of a histogram; each part says from where to where it reaches in records, the worst levels at the bottom. */
export function stackBars({ buckets }: LogHistogram): StackedBar[] {
  return buckets.map(({ startMs, total, levels }) => {
    let from = 0;
    const parts = LEVELS.flatMap((level) => {
      const count = levels[level] ?? 0;
      if (count === 0) return [];
      const part = { level, count, from, to: from + count };
      from += count;
      return [part];
    });
    return { startMs, total, parts };
  });
}

/** How many records of each level the histogram holds; levels without any are left out. */
export function levelTotals({ buckets }: LogHistogram): { level: Level; count: number }[] {
  return LEVELS.map((level) => ({
    level,
    count: buckets.reduce((sum, { levels }) => sum + (levels[level] ?? 0), 0),
  })).filter(({ count }) => count > 0);
}
