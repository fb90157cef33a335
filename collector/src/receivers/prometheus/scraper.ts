import {
  METRIC_NAME,
  samplesToOtlp,
  type Exemplar,
  type Labels,
  type MetricMetadata,
  type Sample,
  type WriteRequest,
} from "@tocsin/model";
import { errorMessage, sleep, type Logger } from "@tocsin/platform";
import type { Intake } from "../../component.ts";
import { Payload } from "../../payload.ts";
import type { ScrapeJob } from "./config.ts";
import { ExpositionError, parseExposition } from "./exposition.ts";
import { fetchMetrics, type FetchDeps, type FetchedText } from "./fetch.ts";
import { LimitError, SeriesCache } from "./series-cache.ts";
import { nextScrapeAt, type Target } from "./target.ts";

export interface ScraperDeps extends FetchDeps {
  logger: Logger;
  intake: Intake;
  /** Counts scrapes and what they lost. */
  count: (
    what: "scrape" | "failed_scrape" | "skipped_scrape" | "duplicate_sample" | "lost_samples",
    by?: number,
  ) => void;
}

export interface ScrapeStatus {
  health: "up" | "down" | "unknown";
  lastError: string;
  /** Undefined before the first scrape. */
  lastScrapeMs: number | undefined;
  lastDurationMs: number;
  metadata: readonly MetricMetadata[];
}

type SeriesEntry = WriteRequest["series"][number];

interface Scraped {
  series: SeriesEntry[];
  metadata: MetricMetadata[];
  samples: number;
  kept: number;
  added: number;
}

const MAX_EXEMPLAR_RUNES = 128;

/** Scrapes one target at its turn in every interval, until stopped, and hands the samples on. */
export class Scraper {
  readonly target: Target;
  readonly #job: ScrapeJob;
  readonly #deps: ScraperDeps;
  readonly #cache: SeriesCache;
  readonly #stop = new AbortController();
  #timer: Disposable | undefined;
  #running: Promise<void> = Promise.resolve();
  #status: ScrapeStatus = {
    health: "unknown",
    lastError: "",
    lastScrapeMs: undefined,
    lastDurationMs: 0,
    metadata: [],
  };

  constructor(target: Target, job: ScrapeJob, deps: ScraperDeps) {
    this.target = target;
    this.#job = job;
    this.#deps = deps;
    this.#cache = new SeriesCache(job, target.labels);
  }

  get status(): ScrapeStatus {
    return this.#status;
  }

  start(): void {
    this.#schedule(nextScrapeAt(this.target, this.#deps.clock.now()));
  }

  /** Ends scraping; waits for a scrape that runs. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#timer?.[Symbol.dispose]();
    await this.#running;
  }

  /** Ends scraping for good: marks the end of every series of the target. */
  async retire(): Promise<void> {
    await this.stop();
    const at = this.#deps.clock.now();
    const reports = this.#status.lastScrapeMs === undefined ? [] : this.#reportLabels();
    await this.#send({ series: [...this.#cache.takeAll(), ...reports].map((labels) => staleSeries(labels, at)) }, at);
  }

  #schedule(at: number): void {
    const { clock } = this.#deps;
    this.#timer = clock.schedule(at - clock.now(), () => {
      this.#running = this.#turn(at);
    });
  }

  /** The scheduler's edge: whatever happens, there is a next turn. */
  async #turn(at: number): Promise<void> {
    const { clock, logger } = this.#deps;
    const next = at + this.target.intervalMs;
    try {
      await this.#scrape(next);
    } catch (err) {
      logger.error({ err, url: this.target.url }, "scrape failed unexpectedly");
    }
    if (this.#stop.signal.aborted) return;
    const late = Math.floor((clock.now() - at) / this.target.intervalMs);
    if (late > 0) this.#deps.count("skipped_scrape", late);
    this.#schedule(late > 0 ? at + (late + 1) * this.target.intervalMs : next);
  }

  async #scrape(nextAt: number): Promise<void> {
    const { clock, count } = this.#deps;
    const at = clock.now();
    count("scrape");
    this.#cache.begin();
    const result = await this.#attempt(at);
    const durationMs = clock.now() - at;
    if (this.#stop.signal.aborted) return;
    const failed = typeof result === "string";
    if (failed) count("failed_scrape");
    this.#note(failed ? result : "", at, durationMs, failed ? this.#status.metadata : result.metadata);
    const vanished = failed ? this.#cache.fail() : this.#cache.takeVanished();
    const reports = this.#report(at, durationMs, failed ? undefined : result);
    const scraped = failed ? [] : result.series;
    await this.#send(
      {
        series: [...scraped, ...vanished.map((labels) => staleSeries(labels, at)), ...reports],
        ...(!failed && { metadata: result.metadata }),
      },
      nextAt,
    );
  }

  /** What the target said, or why that is not to be had. */
  async #attempt(at: number): Promise<Scraped | string> {
    let fetched: FetchedText;
    try {
      fetched = await fetchMetrics(this.target, this.#job, this.#deps, this.#stop.signal);
    } catch (error) {
      return errorMessage(error);
    }
    try {
      return this.#read(fetched, at);
    } catch (error) {
      if (error instanceof ExpositionError || error instanceof LimitError) return error.message;
      throw error;
    }
  }

  #read({ text, format }: FetchedText, at: number): Scraped {
    const families = new Map<string, MetricMetadata>();
    const family = (metric: string): MetricMetadata => {
      const known = families.get(metric);
      if (known) return known;
      const entry: MetricMetadata = { metric, type: "unknown", unit: "", help: "" };
      families.set(metric, entry);
      return entry;
    };
    const series: SeriesEntry[] = [];
    let samples = 0;
    parseExposition(text, format, {
      type: (name, type) => void (family(name).type = type),
      help: (name, help) => void (family(name).help = help),
      unit: (name, unit) => void (family(name).unit = unit),
      sample: (seriesText, value, timestampMs, exemplar, type) => {
        samples++;
        const given = this.#job.honor_timestamps ? timestampMs : undefined;
        const seen = this.#cache.see(seriesText, type, given !== undefined);
        if (!seen) return this.#deps.count("duplicate_sample");
        if (!seen.labels) return;
        const sample: Sample = { timestampMs: given ?? at, value };
        const entry: SeriesEntry = { labels: seen.labels, samples: [sample] };
        if (exemplar && runes(exemplar.labels) <= MAX_EXEMPLAR_RUNES) {
          const kept: Exemplar = { ...exemplar, timestampMs: exemplar.timestampMs ?? sample.timestampMs };
          entry.exemplars = [kept];
        }
        series.push(entry);
        const limit = this.#job.sample_limit;
        if (limit > 0 && series.length > limit) throw new LimitError(`sample limit exceeded (limit: ${limit})`);
      },
    });
    return { series, metadata: [...families.values()], samples, kept: series.length, added: this.#cache.added };
  }

  #note(lastError: string, lastScrapeMs: number, lastDurationMs: number, metadata: readonly MetricMetadata[]): void {
    const health = lastError === "" ? "up" : "down";
    if (health !== this.#status.health && (health === "down" || this.#status.health === "down")) {
      const facts = { url: this.target.url, job: this.target.labels["job"], error: lastError };
      this.#deps.logger.info(facts, health === "down" ? "target is down" : "target is up again");
    }
    this.#status = { health, lastError, lastScrapeMs, lastDurationMs, metadata };
  }

  #report(at: number, durationMs: number, scraped: Scraped | undefined): SeriesEntry[] {
    const values: Record<(typeof REPORTS)[number], number> = {
      up: scraped ? 1 : 0,
      scrape_duration_seconds: durationMs / 1000,
      scrape_samples_scraped: scraped?.samples ?? 0,
      scrape_samples_post_metric_relabeling: scraped?.kept ?? 0,
      scrape_series_added: scraped?.added ?? 0,
    };
    return this.#reportLabels().map((labels, i) => ({
      labels,
      samples: [{ timestampMs: at, value: values[REPORTS[i] as (typeof REPORTS)[number]] }],
    }));
  }

  #reportLabels(): Labels[] {
    return REPORTS.map((name) => ({ ...this.target.labels, [METRIC_NAME]: name }));
  }

  /** Hands the samples on; tries again until `deadline` when there is no room. */
  async #send(request: WriteRequest, deadline: number): Promise<void> {
    const { metrics } = samplesToOtlp(request);
    if (metrics.length === 0) return;
    const payload = Payload.ofBatch({ signal: "metrics", metrics });
    for (;;) {
      const outcome = await this.#deps.intake.accept(payload, "prometheus");
      if (outcome.status === "ok") return;
      const { clock, logger, count } = this.#deps;
      const again =
        outcome.status === "retry" && clock.now() + outcome.afterMs < deadline && !this.#stop.signal.aborted;
      if (!again) {
        count("lost_samples", payload.records);
        logger.warn({ url: this.target.url, records: payload.records, error: outcome.error }, "samples lost");
        return;
      }
      await sleep(clock, outcome.afterMs, this.#stop.signal).catch(() => {});
    }
  }
}

const REPORTS = [
  "up",
  "scrape_duration_seconds",
  "scrape_samples_scraped",
  "scrape_samples_post_metric_relabeling",
  "scrape_series_added",
] as const;

function staleSeries(labels: Labels, at: number): SeriesEntry {
  return { labels, samples: [{ timestampMs: at, value: Number.NaN, stale: true }] };
}

/** OpenMetrics bounds an exemplar's labels by their characters. */
function runes(labels: Labels): number {
  return Object.entries(labels).reduce(
    (sum, [name, value]) => sum + Array.from(name).length + Array.from(value).length,
    0,
  );
}
