import type { MetricMetadata } from "@tocsin/model";

const MAX_METRICS = 50_000;
/** Sources may differ about a metric; more than a few variants are noise. */
const MAX_VARIANTS = 4;

/** Type, unit and help of metrics, as their sources tell them. */
export class MetadataTable {
  readonly #byMetric = new Map<string, MetricMetadata[]>();

  /** Whether it was news. The newest variant stands first. */
  set(metadata: MetricMetadata): boolean {
    const known = this.#byMetric.get(metadata.metric);
    if (!known) {
      if (this.#byMetric.size >= MAX_METRICS) return false;
      this.#byMetric.set(metadata.metric, [metadata]);
      return true;
    }
    if (known.some((variant) => same(variant, metadata))) return false;
    known.unshift(metadata);
    known.length = Math.min(known.length, MAX_VARIANTS);
    return true;
  }

  get(metric: string): readonly MetricMetadata[] {
    return this.#byMetric.get(metric) ?? [];
  }

  metrics(): string[] {
    return [...this.#byMetric.keys()];
  }

  /** Oldest variants first, so that setting them in this order gives the same table. */
  all(): MetricMetadata[] {
    return [...this.#byMetric.values()].flatMap((variants) => variants.toReversed());
  }
}

function same(a: MetricMetadata, b: MetricMetadata): boolean {
  return a.type === b.type && a.unit === b.unit && a.help === b.help;
}
