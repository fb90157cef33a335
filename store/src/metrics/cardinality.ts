import { METRIC_NAME } from "@tocsin/model";
import type { SeriesIndex } from "./head/series-index.ts";

interface Count {
  name: string;
  value: number;
}

/** What makes for many series, as `status/tsdb` lists it. */
export interface Cardinality {
  seriesCountByMetricName: Count[];
  labelValueCountByLabelName: Count[];
  memoryInBytesByLabelName: Count[];
  seriesCountByLabelValuePair: Count[];
  labelPairs: number;
}

/** The `limit` largest of each list. */
export function cardinalityOf(index: SeriesIndex, limit: number): Cardinality {
  const labels = index.labelNames().map((name) => ({ name, counts: index.valueCounts(name) }));
  const largest = (list: Count[]) => list.sort((a, b) => b.value - a.value).slice(0, limit);
  const pairs = labels.flatMap(({ name, counts }) =>
    counts.map(({ value, count }) => ({ name: `${name}=${value}`, value: count })),
  );
  return {
    seriesCountByMetricName: largest(
      index.valueCounts(METRIC_NAME).map(({ value, count }) => ({ name: value, value: count })),
    ),
    labelValueCountByLabelName: largest(labels.map(({ name, counts }) => ({ name, value: counts.length }))),
    memoryInBytesByLabelName: largest(
      labels.map(({ name, counts }) => ({ name, value: counts.reduce((sum, { value }) => sum + value.length, 0) })),
    ),
    seriesCountByLabelValuePair: largest(pairs),
    labelPairs: pairs.length,
  };
}
