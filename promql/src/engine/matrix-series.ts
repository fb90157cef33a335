import { FLOAT, type Series } from "./column.ts";
import type { MatrixSeries } from "./result.ts";

/** The points of a series at the given times. */
export function matrixSeries(series: Series, times: Float64Array): MatrixSeries {
  const labels = series.labels.toLabels();
  if (series.kinds === undefined) return { labels, timestamps: times, values: series.values, histograms: [] };
  const steps: number[] = [];
  const histograms: MatrixSeries["histograms"] = [];
  for (let step = 0; step < times.length; step++) {
    if (series.kinds[step] === FLOAT) steps.push(step);
    const histogram = series.histogramAt(step) ?? series.shadowAt(step);
    if (histogram) histograms.push({ timestampMs: times[step] as number, histogram });
  }
  return {
    labels,
    timestamps: Float64Array.from(steps, (step) => times[step] as number),
    values: Float64Array.from(steps, (step) => series.values[step] as number),
    histograms,
  };
}
