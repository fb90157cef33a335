import type { UnixMs } from "@tocsin/model";

/** One line of a chart. Gaps are points without a value. */
export interface Series {
  /** Unique within the chart; the colour hangs on it. */
  readonly id: string;
  readonly label: string;
  readonly points: readonly (readonly [UnixMs, number | null])[];
}

/** Above either of these SVG becomes slow and the canvas takes over (measured, see docs). */
const SVG_POINTS = 5000;
const SVG_SERIES = 20;

export function needsCanvas(series: readonly Series[]): boolean {
  const points = series.reduce((sum, each) => sum + each.points.length, 0);
  return points > SVG_POINTS || series.length > SVG_SERIES;
}

/** One row per point in time, with the value of each series in `values` (null where it has none), oldest first. */
export function alignSeries(series: readonly Series[]): { times: UnixMs[]; values: (number | null)[][] } {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const rowOf = new Map(times.map((at, row) => [at, row]));
  const values = series.map(({ points }) => {
    const column = Array.from(times, (): number | null => null);
    for (const [at, value] of points) column[rowOf.get(at) ?? 0] = value;
    return column;
  });
  return { times, values };
}

/** The series with the greatest values first, cut to `most`; the rest is only counted. */
export function topSeries(series: readonly Series[], most: number): { shown: Series[]; hidden: number } {
  if (series.length <= most) return { shown: [...series], hidden: 0 };
  const peak = ({ points }: Series) =>
    points.reduce((best, [, value]) => Math.max(best, value ?? -Infinity), -Infinity);
  const ranked = series.map((each) => ({ each, peak: peak(each) })).sort((a, b) => b.peak - a.peak);
  return { shown: ranked.slice(0, most).map(({ each }) => each), hidden: series.length - most };
}

/** Least, greatest and last value, over all points that have one; undefined when none has. */
export function summarise({ points }: Series): { min: number; max: number; last: number; maxAt: UnixMs } | undefined {
  let found: { min: number; max: number; last: number; maxAt: UnixMs } | undefined;
  for (const [at, value] of points) {
    if (value === null || Number.isNaN(value)) continue;
    found ??= { min: value, max: value, last: value, maxAt: at };
    if (value > found.max) found.maxAt = at;
    found = { ...found, min: Math.min(found.min, value), max: Math.max(found.max, value), last: value };
  }
  return found;
}
