import type { MetricMetadata, WriteRequest } from "@tocsin/model";
import { type Clock, type Logger, type Registry, TocsinError } from "@tocsin/platform";
import type { PrometheusStoreConfig } from "../config.ts";
import type { HttpClient } from "../http-client.ts";
import { SeriesCache } from "../wire/series-cache.ts";
import type { OutgoingSeries } from "../wire/write-v1.ts";
import { Delivery, type Dropped } from "./delivery.ts";
import { KnownMetadata } from "./known-metadata.ts";
import { createWriteMetrics, type WriteMetrics } from "./metrics.ts";
import { type Part, Shard } from "./shard.ts";

const MAX_CACHED_SERIES = 200_000;

export interface RemoteWriterDeps {
  config: PrometheusStoreConfig;
  client: HttpClient;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** In [0, 1); default Math.random. */
  random?: () => number;
}

/**
 * Writes samples to a remote write receiver. A series always goes through the same shard, and a shard has one request
 * under way at a time, so the samples of a series arrive in the order in which they came.
 */
export class RemoteWriter {
  readonly metadata: KnownMetadata;
  readonly #config: PrometheusStoreConfig;
  readonly #cache = new SeriesCache(MAX_CACHED_SERIES);
  readonly #shards: Shard[];
  readonly #metrics: WriteMetrics;
  readonly #stopping = new AbortController();
  #pending = 0;

  constructor(deps: RemoteWriterDeps) {
    this.#config = deps.config;
    this.#metrics = createWriteMetrics(deps.registry, () => this.#pending);
    this.metadata = new KnownMetadata(deps.clock);
    const delivery = new Delivery({
      ...deps,
      metrics: this.#metrics,
      metadata: this.metadata,
      signal: this.#stopping.signal,
    });
    const { shards, max_samples_per_send } = deps.config.queue;
    this.#shards = Array.from({ length: shards }, () => new Shard(delivery, max_samples_per_send));
  }

  /**
   * Resolves when the receiver has taken every sample that it ever will; tells what it will not take. Rejects with
   * TOCSIN_OVERLOADED when too much waits already, with TOCSIN_UNAVAILABLE when the receiver was away for too long, and with
   * TOCSIN_STOPPING. After a rejection all of it has to come again; what was taken of it by then is not doubled by that.
   */
  async append(request: WriteRequest): Promise<{ taken: number; dropped: Dropped }> {
    if (this.#stopping.signal.aborted) throw this.#stopping.signal.reason;
    const samples = request.series.reduce((sum, { samples }) => sum + samples.length, 0);
    // Whatever its size, a request is taken when nothing else waits.
    if (this.#pending > 0 && this.#pending + samples > this.#config.queue.max_pending_samples) {
      this.#metrics.refused.inc(samples);
      throw new TocsinError("TOCSIN_OVERLOADED", "too many samples wait for Prometheus; send these again later");
    }
    this.#pending += samples;
    try {
      const outcomes = await Promise.all(this.#enqueue(request));
      const dropped: Dropped = {};
      let lost = 0;
      for (const [reason, count] of outcomes.flatMap((outcome) => Object.entries(outcome))) {
        dropped[reason] = (dropped[reason] ?? 0) + count;
        lost += count;
      }
      return { taken: samples - lost, dropped };
    } finally {
      this.#pending -= samples;
    }
  }

  /** What is under way is given up and rejected with TOCSIN_STOPPING. */
  stop(): void {
    this.#stopping.abort(new TocsinError("TOCSIN_STOPPING", "the process is shutting down"));
  }

  #enqueue(request: WriteRequest): Promise<Dropped>[] {
    const perShard: OutgoingSeries[][] = this.#shards.map(() => []);
    for (const { labels, samples, exemplars = [] } of request.series) {
      if (samples.length === 0 && exemplars.length === 0) continue;
      const series = this.#cache.get(labels);
      perShard[series.hash % perShard.length]?.push({ series, samples, exemplars });
    }
    const metadata = this.metadata.due(request.metadata ?? []);
    return this.#shards.flatMap((shard, i) => {
      const parts = partition(perShard[i] ?? [], i === 0 ? metadata : [], this.#config.queue.max_samples_per_send);
      return parts.map((part) => shard.add(part));
    });
  }
}

/** Parts that fit into a request each; one series stays in one piece. */
function partition(all: OutgoingSeries[], metadata: MetricMetadata[], maxSamples: number): Part[] {
  if (all.length === 0 && metadata.length === 0) return [];
  let open: Part = { series: [], metadata, samples: 0 };
  const parts = [open];
  for (const one of all) {
    if (open.samples > 0 && open.samples + one.samples.length > maxSamples) {
      open = { series: [], metadata: [], samples: 0 };
      parts.push(open);
    }
    open.series.push(one);
    open.samples += one.samples.length;
  }
  return parts;
}
