import { compileMatchers, formatDuration, matchesAll, type Labels, type Matcher } from "@tocsin/model";
import { Counter, Secret, type Registry } from "@tocsin/platform";
import { Agent } from "undici";
import { defineReceiver, type Receiver, type ReceiverDeps } from "../../component.ts";
import { PrometheusConfig, scrapeJobs, type ScrapeJob } from "./config.ts";
import { discoveryMetrics } from "./discovery/discovery.ts";
import { ScrapePool, type ScrapePoolDeps } from "./scrape-pool.ts";
import type { Scraper, ScraperDeps } from "./scraper.ts";

/** An entry of `GET /api/v1/targets`. */
export interface ActiveTarget {
  discoveredLabels: Labels;
  labels: Labels;
  scrapePool: string;
  scrapeUrl: string;
  globalUrl: string;
  lastError: string;
  /** RFC 3339; year 1 before the first scrape. */
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: "up" | "down" | "unknown";
  scrapeInterval: string;
  scrapeTimeout: string;
}

export interface DroppedTarget {
  discoveredLabels: Labels;
  scrapePool: string;
}

/** An entry of `GET /api/v1/targets/metadata`; `metric` is left out when one was asked for. */
export interface TargetMetadata {
  target: Labels;
  metric?: string;
  type: string;
  help: string;
  unit: string;
}

const NEVER = "0001-01-01T00:00:00Z";

/** Scrapes Prometheus endpoints; the samples go the same way as pushed telemetry. */
export const prometheus = defineReceiver({
  name: "prometheus",
  config: PrometheusConfig,
  create: (config, deps) => new PrometheusReceiver(config, deps),
});

export class PrometheusReceiver implements Receiver {
  readonly name = "receiver prometheus";
  readonly #agent = new Agent({ keepAliveTimeout: 60_000 });
  readonly #deps: ScrapePoolDeps;
  #config: PrometheusConfig;
  #pools: ScrapePool[] = [];
  #running = false;

  constructor(config: PrometheusConfig, deps: ReceiverDeps) {
    this.#config = config;
    this.#deps = {
      clock: deps.clock,
      intake: deps.intake,
      logger: deps.logger.child({ component: this.name }),
      count: createCount(deps.registry),
      dispatcher: this.#agent,
      discovery: discoveryMetrics(deps.registry),
    };
  }

  async start(): Promise<void> {
    this.#running = true;
    this.#pools = scrapeJobs(this.#config).map((job) => new ScrapePool(job, this.#deps));
    for (const pool of this.#pools) await pool.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#pools.map((pool) => pool.stop()));
    await this.#agent.destroy();
  }

  address(): undefined {
    return undefined;
  }

  /** Takes a new configuration while running. Jobs that have not changed go on undisturbed; series of jobs that are gone end. */
  async apply(config: PrometheusConfig): Promise<void> {
    this.#config = config;
    if (!this.#running) return;
    const jobs = scrapeJobs(config);
    const kept = this.#pools.filter((pool) => jobs.some((job) => sameJob(job, pool.job)));
    const gone = this.#pools.filter((pool) => !kept.includes(pool));
    const added = jobs
      .filter((job) => !kept.some((pool) => sameJob(job, pool.job)))
      .map((job) => new ScrapePool(job, this.#deps));
    await Promise.all(gone.map((pool) => pool.retire()));
    this.#pools = [...kept, ...added];
    for (const pool of added) await pool.start();
  }

  /** The jobs' names, sorted. */
  pools(): string[] {
    return this.#pools.map(({ job }) => job.job_name).sort();
  }

  targets(): { active: ActiveTarget[]; dropped: DroppedTarget[] } {
    const byName = this.#pools.toSorted((a, b) => (a.job.job_name < b.job.job_name ? -1 : 1));
    return {
      active: byName.flatMap((pool) => pool.scrapers.map((scraper) => describe(scraper, pool.job.job_name))),
      dropped: byName.flatMap((pool) =>
        pool.dropped.map((discoveredLabels) => ({ discoveredLabels, scrapePool: pool.job.job_name })),
      ),
    };
  }

  /** What the targets that match say of their metrics, or of the one named. */
  metadata(matchers: readonly Matcher[], metric: string): TargetMetadata[] {
    const compiled = compileMatchers(matchers);
    const scrapers = this.#pools
      .flatMap((pool) => pool.scrapers)
      .filter(({ target }) => matchesAll(compiled, target.labels));
    return scrapers.flatMap(({ target, status }) =>
      status.metadata
        .filter((entry) => metric === "" || entry.metric === metric)
        .map((entry) => ({
          target: target.labels,
          ...(metric === "" && { metric: entry.metric }),
          type: entry.type,
          help: entry.help,
          unit: entry.unit,
        })),
    );
  }
}

function sameJob(a: ScrapeJob, b: ScrapeJob): boolean {
  return jobText(a) === jobText(b);
}

/** A job with everything that makes it different from another, secrets too; patterns by their source. */
function jobText(job: ScrapeJob): string {
  return JSON.stringify(job, function (this: Record<string, unknown>, key, shown: unknown) {
    const value = this[key];
    return value instanceof Secret ? value.reveal() : shown;
  });
}

function describe({ target, status }: Scraper, scrapePool: string): ActiveTarget {
  return {
    discoveredLabels: target.discoveredLabels,
    labels: target.labels,
    scrapePool,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError: status.lastError,
    lastScrape: status.lastScrapeMs === undefined ? NEVER : new Date(status.lastScrapeMs).toISOString(),
    lastScrapeDuration: status.lastDurationMs / 1000,
    health: status.health,
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs),
  };
}

function createCount(registry: Registry): ScraperDeps["count"] {
  const counter = new Counter({
    name: "tocsin_collector_scrape_events_total",
    help: "Scrapes by what became of them (scrape, failed_scrape, skipped_scrape) and samples lost on the way (duplicate_sample, lost_samples).",
    labelNames: ["event"],
    registers: [registry],
  });
  return (event, by = 1) => counter.inc({ event }, by);
}
