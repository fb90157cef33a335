import { labelsKey, METRIC_NAME, type Labels, type MetricType } from "@tocsin/model";
import type { ScrapeJob } from "./config.ts";
import { parseSeries } from "./exposition.ts";
import { relabel } from "./relabel.ts";

/** A series as the target writes it, and what became of it. */
export interface CachedSeries {
  /** Undefined when relabelling drops it. */
  labels: Labels | undefined;
  key: string;
  firstScrape: number;
  /** The scrape that saw it last. */
  scrape: number;
  /** Whether its end has to be marked. */
  tracked: boolean;
}

/** Thrown where a limit of the scrape config is passed. */
export class LimitError extends Error {
  override readonly name = "LimitError";
}

/**
 * Knows the series of one target by their text, so that labels are read and relabelled once and not at every scrape, and
 * knows which of them were there last time, so that the end of the others can be marked.
 */
export class SeriesCache {
  readonly #job: ScrapeJob;
  readonly #targetLabels: Labels;
  readonly #entries = new Map<string, CachedSeries>();
  #scrape = 0;
  #added = 0;

  constructor(job: ScrapeJob, targetLabels: Labels) {
    this.#job = job;
    this.#targetLabels = targetLabels;
  }

  begin(): void {
    this.#scrape++;
    this.#added = 0;
  }

  /** Series that the scrape at hand was the first to see. */
  get added(): number {
    return this.#added;
  }

  /** The series for its text; undefined when this scrape had it already. Throws ExpositionError and LimitError. */
  see(text: string, type: MetricType, hasTimestamp: boolean): CachedSeries | undefined {
    let entry = this.#entries.get(text);
    if (entry?.scrape === this.#scrape && !hasTimestamp) return undefined;
    if (!entry) {
      entry = this.#newEntry(text, type);
      this.#entries.set(text, entry);
      if (entry.labels) this.#added++;
    }
    entry.scrape = this.#scrape;
    entry.tracked = !hasTimestamp || this.#job.track_timestamps_staleness;
    return entry;
  }

  /** Labels of the tracked series that the scrape at hand has not seen any more; they are forgotten. */
  takeVanished(): Labels[] {
    const vanished: CachedSeries[] = [];
    for (const [text, entry] of this.#entries) {
      if (entry.scrape === this.#scrape) continue;
      this.#entries.delete(text);
      if (entry.labels && entry.tracked) vanished.push(entry);
    }
    if (vanished.length === 0) return [];
    // The same series may have come under another text, with its labels in another order.
    const present = new Set([...this.#entries.values()].map((entry) => entry.key));
    return vanished.filter((entry) => !present.has(entry.key)).map((entry) => entry.labels as Labels);
  }

  /** Labels of all tracked series; everything is forgotten. */
  takeAll(): Labels[] {
    return this.#take(this.#scrape);
  }

  /** Forgets everything, the scrape at hand, which failed, included; returns the labels of what was there before it. */
  fail(): Labels[] {
    return this.#take(this.#scrape - 1);
  }

  #take(upToScrape: number): Labels[] {
    const live = new Map<string, Labels>();
    for (const { labels, key, tracked, firstScrape } of this.#entries.values()) {
      if (labels && tracked && firstScrape <= upToScrape) live.set(key, labels);
    }
    this.#entries.clear();
    return [...live.values()];
  }

  #newEntry(text: string, type: MetricType): CachedSeries {
    const labels = relabel(this.#withTargetLabels(parseSeries(text, type)), this.#job.metric_relabel_configs);
    const kept = labels && labels[METRIC_NAME] !== undefined ? labels : undefined;
    if (kept) this.#checkLimits(kept);
    const key = kept ? labelsKey(kept) : "";
    return { labels: kept, key, firstScrape: this.#scrape, scrape: 0, tracked: true };
  }

  #withTargetLabels(scraped: Record<string, string>): Record<string, string> {
    if (this.#job.honor_labels) return { ...this.#targetLabels, ...scraped };
    const labels: Record<string, string> = { ...scraped };
    for (const [name, value] of Object.entries(this.#targetLabels)) {
      const own = scraped[name];
      if (own !== undefined && own !== "") {
        let exported = `exported_${name}`;
        while (exported in labels || exported in this.#targetLabels) exported = `exported_${exported}`;
        labels[exported] = own;
      }
      labels[name] = value;
    }
    return labels;
  }

  #checkLimits(labels: Labels): void {
    const { label_limit, label_name_length_limit, label_value_length_limit } = this.#job;
    const entries = Object.entries(labels);
    const metric = labels[METRIC_NAME];
    if (label_limit > 0 && entries.length > label_limit) {
      throw new LimitError(
        `label_limit exceeded (metric: ${metric}, number of labels: ${entries.length}, limit: ${label_limit})`,
      );
    }
    for (const [name, value] of entries) {
      if (label_name_length_limit > 0 && Buffer.byteLength(name) > label_name_length_limit) {
        throw new LimitError(
          `label_name_length_limit exceeded (metric: ${metric}, label name: ${name}, limit: ${label_name_length_limit})`,
        );
      }
      if (label_value_length_limit > 0 && Buffer.byteLength(value) > label_value_length_limit) {
        throw new LimitError(
          `label_value_length_limit exceeded (metric: ${metric}, label name: ${name}, limit: ${label_value_length_limit})`,
        );
      }
    }
  }
}
