import type { Labels, Sample, UnixMs } from "@tocsin/model";
import { ColumnPool } from "./column-pool.ts";
import { metricOf, SeriesIndex } from "./series-index.ts";
import type { Series } from "./series.ts";

/**
 * Why a sample was not taken: older than what is still open to writing; older than the out-of-order window allows;
 * another value at a timestamp that is there already; in the future; over the number of series a metric (or the store)
 * may have; or malformed.
 */
export const REFUSALS = [
  "too_old",
  "out_of_order",
  "duplicate",
  "future",
  "metric_limit",
  "series_limit",
  "invalid",
] as const;
export type Refusal = (typeof REFUSALS)[number];

export interface HeadLimits {
  outOfOrderMs: number;
  futureMs: number;
  maxSeriesPerMetric: number;
  maxSeries: number;
}

const LABEL_LIMITS = { labels: 128, nameLength: 1024, valueLength: 16_384 } as const;

/** What became of a sample; a repeated one is there already. */
export type Verdict = "taken" | "repeated" | Refusal;

/** The newest samples of every series, which are in no block yet, and the rules by which samples get in. */
export class Head {
  readonly pool = new ColumnPool();
  readonly index = new SeriesIndex(this.pool);
  readonly #limits: HeadLimits;
  /** How many series of each metric have samples here. */
  readonly #activeByMetric = new Map<string, number>();
  active = 0;
  samples = 0;
  /** Of all samples ever seen. */
  maxMs: UnixMs = -Infinity;
  /** What is older lies in blocks and cannot be written any more. */
  minValidMs: UnixMs = -Infinity;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Timestamp of the oldest sample; Infinity when empty. Walks all series. */
  oldestMs(): UnixMs {
    let oldest = Infinity;
    for (const series of this.index.all()) if (series.firstMs < oldest) oldest = series.firstMs;
    return oldest;
  }

  activeOf(metric: string): number {
    return this.#activeByMetric.get(metric) ?? 0;
  }

  /** The metrics that have as many series as they may. */
  fullMetrics(): string[] {
    return [...this.#activeByMetric]
      .filter(([, count]) => count >= this.#limits.maxSeriesPerMetric)
      .map(([metric]) => metric);
  }

  /** The series these labels stand for; makes it when it is new, or says why it may not be. */
  admit(labels: Labels): Series | Refusal {
    const known = this.index.find(labels);
    if (known && known.count > 0) return known;
    const refusal = known ? this.#overLimit(labels) : (this.#malformed(labels) ?? this.#overLimit(labels));
    return refusal ?? known ?? this.index.add(labels);
  }

  /** Whether a sample of this age could be taken at all, so that no series is made for one that cannot. */
  refuseTime(timestampMs: UnixMs, nowMs: UnixMs): Refusal | undefined {
    if (!Number.isSafeInteger(timestampMs)) return "invalid";
    if (timestampMs < this.minValidMs) return "too_old";
    if (timestampMs > nowMs + this.#limits.futureMs) return "future";
    return undefined;
  }

  append(series: Series, sample: Sample): Verdict {
    const { timestampMs } = sample;
    if (timestampMs > series.lastMs) {
      this.#push(series, sample);
      return "taken";
    }
    if (series.has(sample)) return "repeated";
    if (timestampMs === series.lastMs) return "duplicate";
    if (timestampMs < this.maxMs - this.#limits.outOfOrderMs) return "out_of_order";
    return this.#insert(series, sample) ? "taken" : "duplicate";
  }

  /** Puts back what was taken before a restart, without asking again. */
  restore(series: Series, sample: Sample): void {
    if (sample.timestampMs < this.minValidMs) return;
    if (sample.timestampMs > series.lastMs) this.#push(series, sample);
    else this.#insert(series, sample);
  }

  /** Forgets what is older than `ms` (it is in a block now). */
  dropBefore(ms: UnixMs): void {
    for (const series of this.index.all()) {
      if (series.firstMs >= ms) continue;
      const before = series.count;
      series.dropBefore(ms);
      this.samples -= before - series.count;
      if (series.count === 0) this.#deactivate(series);
    }
  }

  #push(series: Series, sample: Sample): void {
    if (series.count === 0) this.#activate(series);
    series.push(sample);
    this.samples++;
    if (sample.timestampMs > this.maxMs) this.maxMs = sample.timestampMs;
  }

  #insert(series: Series, sample: Sample): boolean {
    if (series.count === 0) {
      this.#push(series, sample);
      return true;
    }
    if (!series.insert(sample)) return false;
    this.samples++;
    return true;
  }

  #activate(series: Series): void {
    const metric = series.metric;
    this.#activeByMetric.set(metric, this.activeOf(metric) + 1);
    this.active++;
  }

  #deactivate(series: Series): void {
    const left = this.activeOf(series.metric) - 1;
    if (left === 0) this.#activeByMetric.delete(series.metric);
    else this.#activeByMetric.set(series.metric, left);
    this.active--;
  }

  #overLimit(labels: Labels): Refusal | undefined {
    if (this.activeOf(metricOf(labels)) >= this.#limits.maxSeriesPerMetric) return "metric_limit";
    return this.active >= this.#limits.maxSeries ? "series_limit" : undefined;
  }

  #malformed(labels: Labels): Refusal | undefined {
    const entries = Object.entries(labels);
    const { nameLength, valueLength } = LABEL_LIMITS;
    const ok = ([name, value]: [string, string]) =>
      name !== "" && name.length <= nameLength && value.length <= valueLength;
    const named = entries.some(([, value]) => value !== "");
    return named && entries.length <= LABEL_LIMITS.labels && entries.every(ok) ? undefined : "invalid";
  }
}
