import type { Clock } from "@tocsin/platform";
import type { MetricMetadata, UnixMs } from "@tocsin/model";

const MAX_METRICS = 50_000;
/** Receivers may forget; Prometheus' own sender repeats as often. */
const REPEAT_MS = 60_000;
const PART_OF_FAMILY = /_(?:bucket|count|sum)$/;

/** What the samples' sources told of their metrics: for receivers, and for those who ask this store. */
export class KnownMetadata {
  readonly #clock: Clock;
  readonly #byMetric = new Map<string, { metadata: MetricMetadata; sentMs: UnixMs }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of it; returns what is news, or was told long ago. */
  due(all: readonly MetricMetadata[]): MetricMetadata[] {
    const nowMs = this.#clock.now();
    return all.filter((metadata) => {
      const known = this.#byMetric.get(metadata.metric);
      if (known && same(known.metadata, metadata) && nowMs - known.sentMs < REPEAT_MS) return false;
      if (!known && this.#byMetric.size >= MAX_METRICS) return false;
      this.#byMetric.set(metadata.metric, { metadata, sentMs: nowMs });
      return true;
    });
  }

  /** Of the metric, or of the histogram or summary that it is a part of. */
  get(metric: string): MetricMetadata | undefined {
    const found = this.#byMetric.get(metric) ?? this.#byMetric.get(metric.replace(PART_OF_FAMILY, ""));
    return found?.metadata;
  }

  all(): MetricMetadata[] {
    return [...this.#byMetric.values()].map(({ metadata }) => metadata);
  }
}

function same(a: MetricMetadata, b: MetricMetadata): boolean {
  return a.type === b.type && a.unit === b.unit && a.help === b.help;
}
