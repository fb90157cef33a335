import type { Logger } from "@tocsin/platform";
import type { ScrapeJob } from "./config.ts";
import type { Discovery, DiscoveryMetrics } from "./discovery/discovery.ts";
import { createDiscoveries } from "./discovery/kinds.ts";
import { Scraper, type ScraperDeps } from "./scraper.ts";
import { buildTargets, type TargetSet } from "./target.ts";
import type { TargetGroup } from "./target-group.ts";

export interface ScrapePoolDeps extends ScraperDeps {
  discovery: DiscoveryMetrics;
}

/** The targets of one job: what discovery finds, scraped one by one. */
export class ScrapePool {
  readonly job: ScrapeJob;
  readonly #deps: ScrapePoolDeps;
  readonly #logger: Logger;
  readonly #scrapers = new Map<string, Scraper>();
  readonly #discoveries: Discovery[];
  /** Groups by where they come from. */
  readonly #groups = new Map<unknown, readonly TargetGroup[]>();
  #dropped: TargetSet["dropped"] = [];
  #retiring: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(job: ScrapeJob, deps: ScrapePoolDeps) {
    this.job = job;
    this.#deps = deps;
    this.#logger = deps.logger.child({ job: job.job_name });
    this.#groups.set(this, job.static_configs);
    this.#discoveries = createDiscoveries(job, (source) => ({
      clock: deps.clock,
      logger: this.#logger,
      dispatcher: deps.dispatcher,
      metrics: deps.discovery,
      job: job.job_name,
      onChange: (groups) => {
        this.#groups.set(source, groups);
        this.#sync();
      },
    }));
  }

  get scrapers(): readonly Scraper[] {
    return [...this.#scrapers.values()];
  }

  get dropped(): TargetSet["dropped"] {
    return this.#dropped;
  }

  async start(): Promise<void> {
    this.#sync();
    for (const discovery of this.#discoveries) await discovery.start();
  }

  /** Ends scraping; the series stay as they are, since the next start goes on with them. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#discoveries.map((discovery) => discovery.stop()));
    await Promise.all(this.scrapers.map((scraper) => scraper.stop()));
    await this.#retiring;
  }

  /** Ends scraping because the job is gone: marks the end of all its series. */
  async retire(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#discoveries.map((discovery) => discovery.stop()));
    await Promise.all(this.scrapers.map((scraper) => scraper.retire()));
    await this.#retiring;
  }

  /** Starts what is new and retires what is gone; the rest is left alone. */
  #sync(): void {
    if (this.#stopped) return;
    const { targets, dropped, errors } = buildTargets(this.job, [...this.#groups.values()].flat());
    this.#dropped = dropped;
    for (const error of errors) this.#logger.warn({ error }, "target cannot be scraped");
    const wanted = new Set(targets.map(({ key }) => key));
    for (const [key, scraper] of this.#scrapers) {
      if (wanted.has(key)) continue;
      this.#scrapers.delete(key);
      this.#retiring = Promise.all([this.#retiring, scraper.retire()]).then(() => {});
    }
    for (const target of targets) {
      if (this.#scrapers.has(target.key)) continue;
      const scraper = new Scraper(target, this.job, this.#deps);
      this.#scrapers.set(target.key, scraper);
      scraper.start();
    }
  }
}
