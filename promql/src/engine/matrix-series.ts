import { FLOAT, HISTOGRAM, type Series } from "./column.ts";
import type { Histogram } from "./histogram/shape.ts";
import type { MatrixSeries } from "./result.ts";

/** The points of a series at the given times. */
export function matrixSeries(series: Series, times: Float64Array): MatrixSeries {
  const labels = series.labels.toLabels();
  if (series.kinds === undefined) return { labels, timestamps: times, values: series.values, histograms: [] };
  const steps: number[] = [];
  const histograms: MatrixSeries["histograms"] = [];
  for (let step = 0; step < times.length; step++) {
    const kind = series.kinds[step];
    if (kind === FLOAT) steps.push(step);
    else if (kind === HISTOGRAM)
      histograms.push({ timestampMs: times[step] as number, histogram: series.histogramAt(step) as Histogram });
  }
  return {
    labels,
    timestamps: Float64Array.from(steps, (step) => times[step] as number),
    values: Float64Array.from(steps, (step) => series.values[step] as number),
    histograms,
  };
}
