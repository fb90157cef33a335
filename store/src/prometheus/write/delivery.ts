import type { MetricMetadata } from "@tocsin/model";
import { backoffMs, type Clock, errorMessage, type Logger, sleep, TocsinError } from "@tocsin/platform";
import type { PrometheusStoreConfig } from "../config.ts";
import type { HttpClient } from "../http-client.ts";
import { snappyCompress } from "../wire/snappy.ts";
import { CONTENT_TYPE_V1, encodeV1, type OutgoingSeries } from "../wire/write-v1.ts";
import { CONTENT_TYPE_V2, encodeV2 } from "../wire/write-v2.ts";
import type { KnownMetadata } from "./known-metadata.ts";
import type { WriteMetrics } from "./metrics.ts";
import { judge, type Verdict } from "./verdict.ts";

/** Samples that will never be taken, by reason. */
export type Dropped = Record<string, number>;

export interface DeliveryOptions {
  config: PrometheusStoreConfig;
  client: HttpClient;
  clock: Clock;
  logger: Logger;
  metrics: WriteMetrics;
  metadata: KnownMetadata;
  random?: () => number;
  signal: AbortSignal;
}

/**
 * A 1.0 receiver refuses a request as a whole when one sample in it is bad. Halving finds that sample in about
 * 2·log2(n) requests; when there are so many bad ones that it takes more than this, the rest goes with them.
 */
const MAX_REQUESTS_TO_FIND_BAD_ONES = 128;

/** Brings one batch to the receiver, however often it takes. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #url: string;
  readonly #outage: Outage;
  #version: "1.0" | "2.0";

  constructor(options: DeliveryOptions) {
    const { config, clock, logger } = options;
    this.#options = options;
    this.#url = config.remote_write_url ?? `${config.url.replace(/\/$/, "")}/api/v1/write`;
    this.#version = config.remote_write_version === "auto" ? "2.0" : "1.0";
    this.#outage = new Outage(clock, logger, this.#url);
  }

  /** Resolves when all is taken that ever will be; rejects with TOCSIN_UNAVAILABLE after `retry_for`. */
  async deliver(series: OutgoingSeries[], metadata: MetricMetadata[]): Promise<Dropped> {
    const dropped: Dropped = {};
    await this.#sendOrSplit(series, metadata, { dropped, left: MAX_REQUESTS_TO_FIND_BAD_ONES });
    const { metrics } = this.#options;
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    for (const [reason, count] of Object.entries(dropped)) metrics.dropped.inc({ reason }, count);
    metrics.accepted.inc(countSamples(series) - lost);
    return dropped;
  }

  async #sendOrSplit(
    series: OutgoingSeries[],
    metadata: MetricMetadata[],
    search: { dropped: Dropped; left: number },
  ): Promise<void> {
    const verdict = await this.#sendUntilAnswered(series, metadata);
    if (verdict.status === "accepted") return this.#noteNewest(series);
    search.left--;
    const halves = verdict.status === "bad" && search.left > 0 ? halve(series) : undefined;
    if (halves) {
      for (const half of halves) await this.#sendOrSplit(half, [], search);
      return;
    }
    const lost = verdict.status === "partial" ? verdict.dropped : countSamples(series);
    const reason = /^status \d+/.exec(verdict.reason)?.[0].replace(" ", "_") ?? "other";
    search.dropped[reason] = (search.dropped[reason] ?? 0) + lost;
    this.#options.logger.warn(
      { url: this.#url, samples: lost, series: series[0]?.series.labels, reason: verdict.reason },
      "prometheus will not take these samples",
    );
  }

  /** One request, repeated while the receiver is away or too busy. */
  async #sendUntilAnswered(
    series: OutgoingSeries[],
    metadata: MetricMetadata[],
  ): Promise<Exclude<Verdict, { status: "retry" | "old-receiver" }>> {
    const { clock, config, metrics, random = Math.random, signal } = this.#options;
    const { min_backoff, max_backoff, retry_for } = config.queue;
    const backoff = { initialMs: min_backoff, maxMs: max_backoff, factor: 2, jitter: 0.2 };
    const deadline = clock.now() + retry_for;
    let body = await this.#encode(series, metadata);
    for (let attempt = 1; ; attempt++) {
      const verdict = await this.#sendOnce(body, series);
      if (verdict.status === "old-receiver") {
        this.#options.logger.info({ url: this.#url }, "the receiver takes remote write 1.0 only");
        this.#version = "1.0";
        body = await this.#encode(series, metadata);
        continue;
      }
      if (verdict.status !== "retry") {
        this.#outage.over();
        return verdict;
      }
      metrics.retries.inc();
      this.#outage.goesOn(verdict.reason);
      const pauseMs = Math.max(verdict.afterMs ?? 0, backoffMs(backoff, attempt, random));
      if (clock.now() + pauseMs > deadline) throw unavailable(this.#url, verdict.reason);
      await sleep(clock, pauseMs, signal);
    }
  }

  async #encode(series: OutgoingSeries[], metadata: MetricMetadata[]): Promise<Body> {
    const version = this.#version;
    const bytes =
      version === "2.0" ? encodeV2(series, (metric) => this.#options.metadata.get(metric)) : encodeV1(series, metadata);
    return { version, bytes: await snappyCompress(bytes) };
  }

  async #sendOnce({ version, bytes }: Body, series: OutgoingSeries[]): Promise<Verdict> {
    const { client, clock, config, metrics, signal } = this.#options;
    const stop = metrics.duration.startTimer();
    try {
      const answer = await client.send({
        method: "POST",
        url: this.#url,
        headers: {
          "content-encoding": "snappy",
          "content-type": version === "2.0" ? CONTENT_TYPE_V2 : CONTENT_TYPE_V1,
          "x-prometheus-remote-write-version": version === "2.0" ? "2.0.0" : "0.1.0",
        },
        body: bytes,
        timeoutMs: config.timeout,
        signal,
      });
      const histograms = countSamples(series, true);
      return judge(answer, { version, samples: countSamples(series) - histograms, histograms }, clock.now());
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      return { status: "retry", reason: errorMessage(error), afterMs: undefined };
    } finally {
      stop();
    }
  }

  #noteNewest(series: OutgoingSeries[]): void {
    let newest = 0;
    for (const { samples } of series) newest = Math.max(newest, samples.at(-1)?.timestampMs ?? 0);
    if (newest > 0) this.#options.metrics.newest.set(newest / 1000);
  }
}

interface Body {
  version: "1.0" | "2.0";
  bytes: Uint8Array;
}

function countSamples(all: readonly OutgoingSeries[], histogramsOnly = false): number {
  let count = 0;
  for (const { samples } of all) {
    count += histogramsOnly ? samples.filter(({ histogram, stale }) => histogram && !stale).length : samples.length;
  }
  return count;
}

/** Two halves, the older samples apart from the newer ones: what is refused is mostly too old. */
function halve(series: OutgoingSeries[]): OutgoingSeries[][] | undefined {
  const [only] = series;
  if (!only) return undefined;
  if (series.length > 1) {
    const firstMs = ({ samples }: OutgoingSeries) => samples[0]?.timestampMs ?? 0;
    const byTime = series.toSorted((a, b) => firstMs(a) - firstMs(b));
    const middle = byTime.length >> 1;
    return [byTime.slice(0, middle), byTime.slice(middle)];
  }
  if (only.samples.length < 2) return undefined;
  const middle = only.samples.length >> 1;
  return [
    [{ ...only, samples: only.samples.slice(0, middle), exemplars: [] }],
    [{ ...only, samples: only.samples.slice(middle) }],
  ];
}

function unavailable(url: string, reason: string): TocsinError {
  const hint = / 404|405/.test(reason) ? "; start Prometheus with --web.enable-remote-write-receiver" : "";
  return new TocsinError("TOCSIN_UNAVAILABLE", `${url} does not take samples: ${reason}${hint}`);
}

/** Logs when the receiver goes away and when it is back, and nothing in between. */
class Outage {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #url: string;
  #sinceMs: number | undefined;
  #attempts = 0;

  constructor(clock: Clock, logger: Logger, url: string) {
    this.#clock = clock;
    this.#logger = logger;
    this.#url = url;
  }

  goesOn(reason: string): void {
    this.#attempts++;
    if (this.#sinceMs !== undefined) return;
    this.#sinceMs = this.#clock.now();
    this.#logger.warn({ url: this.#url, reason }, "prometheus does not take samples; repeating");
  }

  over(): void {
    if (this.#sinceMs === undefined) return;
    const ms = this.#clock.now() - this.#sinceMs;
    this.#logger.info({ url: this.#url, ms, attempts: this.#attempts }, "prometheus takes samples again");
    this.#sinceMs = undefined;
    this.#attempts = 0;
  }
}
