import type { Logger } from "@tocsin/platform";
import type { ScrapeJob, TargetGroup } from "./config.ts";
import { FileDiscovery } from "./file-discovery.ts";
import { Scraper, type ScraperDeps } from "./scraper.ts";
import { buildTargets, type TargetSet } from "./target.ts";

/** The targets of one job: what discovery finds, scraped one by one. */
export class ScrapePool {
  readonly job: ScrapeJob;
  readonly #deps: ScraperDeps;
  readonly #logger: Logger;
  readonly #scrapers = new Map<string, Scraper>();
  readonly #discoveries: FileDiscovery[];
  /** Groups by where they come from. */
  readonly #groups = new Map<unknown, readonly TargetGroup[]>();
  #dropped: TargetSet["dropped"] = [];
  #retiring: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(job: ScrapeJob, deps: ScraperDeps) {
    this.job = job;
    this.#deps = deps;
    this.#logger = deps.logger.child({ job: job.job_name });
    this.#groups.set(this, job.static_configs);
    this.#discoveries = job.file_sd_configs.map((config) => {
      const discovery: FileDiscovery = new FileDiscovery({
        files: config.files,
        refreshMs: config.refresh_interval,
        clock: deps.clock,
        logger: this.#logger,
        onChange: (groups) => {
          this.#groups.set(discovery, groups);
          this.#sync();
        },
      });
      return discovery;
    });
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
    for (const discovery of this.#discoveries) discovery.stop();
    await Promise.all(this.scrapers.map((scraper) => scraper.stop()));
    await this.#retiring;
  }

  /** Ends scraping because the job is gone: marks the end of all its series. */
  async retire(): Promise<void> {
    this.#stopped = true;
    for (const discovery of this.#discoveries) discovery.stop();
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
