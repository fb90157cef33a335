/** Grafana's own window for `rate`: never shorter than four scrapes, and wider as the picture covers more time. */
const WINDOW = "$__rate_interval";

/** Events per second of a counter, summed over everything but the labels of `by`. */
export function rate(counter: string, by: readonly string[] = []): string {
  return `sum${grouping(by)}(rate(${counter}[${WINDOW}]))`;
}

/** Events of a counter over the range of the board. */
export function total(counter: string, by: readonly string[] = []): string {
  return `sum${grouping(by)}(increase(${counter}[$__range]))`;
}

/** A quantile of a classic histogram; `histogram` is the name without `_bucket`, with its matchers. */
export function quantile(q: number, histogram: string, by: readonly string[] = []): string {
  return `histogram_quantile(${q}, sum by (${[...by, "le"].join(", ")}) (rate(${bucket(histogram)}[${WINDOW}])))`;
}

/** Rates of a classic histogram's buckets, for a heat map. */
export function buckets(histogram: string): string {
  return `sum by (le) (rate(${bucket(histogram)}[${WINDOW}]))`;
}

/** The part of the requests that match both; 0, not nothing, while requests come and none of them matches. */
export function ratio(part: string, whole: string): string {
  return `(${part} or ${whole} * 0) / ${whole}`;
}

/**
 * 0 where the counter has no series yet. Counters with a label for the reason have none until the first event, and a panel
 * that says "No data" then looks broken instead of fine.
 */
export function orZero(expr: string): string {
  return `${expr} or on () vector(0)`;
}

function bucket(histogram: string): string {
  return histogram.includes("{") ? histogram.replace("{", "_bucket{") : `${histogram}_bucket`;
}

function grouping(by: readonly string[]): string {
  return by.length === 0 ? "" : ` by (${by.join(", ")}) `;
}
