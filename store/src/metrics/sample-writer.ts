import type { Labels, MetricMetadata, Sample, UnixMs, WriteRequest } from "@tocsin/model";
import { TocsinError } from "@tocsin/platform/thread";
import type { Commit } from "./disk/commit-log.ts";
import { sealRecord } from "./disk/record.ts";
import type { SeriesEntry } from "./disk/series-log.ts";
import { exemplarsRecord, metadataRecord, SamplesRecord } from "./disk/wal-records.ts";
import type { StoredExemplar } from "./exemplar-ring.ts";
import { REFUSALS, type Refusal } from "./head/head.ts";
import type { Series } from "./head/series.ts";
import type { Storage } from "./storage.ts";

/** What became of one append. */
export interface AppendResult {
  /** Samples taken, those that were there already included. */
  taken: number;
  /** Exemplars of series that are there. */
  exemplars: number;
  refused: Partial<Record<Refusal, number>>;
}

/** Takes samples into memory and into the log. */
export class SampleWriter {
  readonly #storage: Storage;
  readonly #record = new SamplesRecord();
  readonly refused = Object.fromEntries(REFUSALS.map((reason) => [reason, 0])) as Record<Refusal, number>;
  appended = 0;
  outOfOrder = 0;
  /** When something came last, by the clock of the one who brought it. */
  lastAppendMs: UnixMs = -Infinity;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * Takes what may be taken; resolves when it is durable. Queries see it at once. Rejects when it could not be
   * written: then it has to come again, and nothing else is taken before the disk works. With too much on its way to the disk
   * already it rejects with TOCSIN_OVERLOADED.
   */
  async append(request: WriteRequest, nowMs: UnixMs): Promise<AppendResult> {
    const { commits, options } = this.#storage;
    if (commits.isBehind) await commits.catchUp();
    if (commits.pendingBytes > options.maxPendingBytes) {
      throw new TocsinError("TOCSIN_OVERLOADED", "the disk does not keep up with the samples; send them again later");
    }
    this.lastAppendMs = nowMs;
    const result: AppendResult = { taken: 0, exemplars: 0, refused: {} };
    await commits.add(this.#take(request, nowMs, result));
    return result;
  }

  /** Puts the request into memory; returns what has to be written of it. */
  #take(request: WriteRequest, nowMs: UnixMs, result: AppendResult): Commit {
    const { head } = this.#storage;
    const created: SeriesEntry[] = [];
    const exemplars: StoredExemplar[] = [];
    this.#record.begin();
    for (const entry of request.series) {
      const { nextId } = head.index;
      const series = this.#takeSeries(entry.labels, entry.samples, nowMs, result);
      if (series && series.id >= nextId) created.push(series);
      const owner = entry.exemplars && (series ?? head.index.find(entry.labels));
      if (owner && entry.exemplars) {
        result.exemplars += entry.exemplars.length;
        exemplars.push(...this.#newExemplars(owner, entry.exemplars));
      }
    }
    const { minMs, maxMs } = this.#record;
    const metadata = this.#newMetadata(request.metadata ?? []);
    if (exemplars.length > 0 || metadata.length > 0) this.#storage.state.changed = true;
    const records = [
      ...(this.#record.empty ? [] : [this.#record.payload()]),
      ...(exemplars.length > 0 ? [exemplarsRecord(exemplars)] : []),
      ...(metadata.length > 0 ? [metadataRecord(metadata)] : []),
    ];
    return { series: created, records: records.map(sealRecord), minMs, maxMs };
  }

  #takeSeries(labels: Labels, samples: readonly Sample[], nowMs: UnixMs, result: AppendResult): Series | undefined {
    const { head } = this.#storage;
    const timely = samples.filter((sample) => {
      const refusal = head.refuseTime(sample.timestampMs, nowMs);
      if (refusal) this.#refuse(result, refusal, 1);
      return refusal === undefined;
    });
    if (timely.length === 0) return undefined;
    const series = head.admit(labels);
    if (typeof series === "string") {
      this.#refuse(result, series, timely.length);
      return undefined;
    }
    const news = timely.filter((sample) => this.#takeSample(series, sample, result));
    if (news.length > 0) this.#record.add(series.id, news);
    return series;
  }

  /** Whether the sample has to be written. */
  #takeSample(series: Series, sample: Sample, result: AppendResult): boolean {
    const late = sample.timestampMs <= series.lastMs;
    const verdict = this.#storage.head.append(series, sample);
    if (verdict === "taken" || verdict === "repeated") result.taken++;
    else this.#refuse(result, verdict, 1);
    if (verdict !== "taken") return false;
    this.appended++;
    if (late) this.outOfOrder++;
    return true;
  }

  #refuse(result: AppendResult, reason: Refusal, samples: number): void {
    result.refused[reason] = (result.refused[reason] ?? 0) + samples;
    this.refused[reason] += samples;
  }

  #newExemplars(series: Series, exemplars: readonly StoredExemplar["exemplar"][]): StoredExemplar[] {
    return exemplars
      .map((exemplar) => ({ seriesId: series.id, exemplar }))
      .filter((item) => this.#storage.exemplars.add(item));
  }

  #newMetadata(metadata: readonly MetricMetadata[]): MetricMetadata[] {
    return metadata.filter((item) => this.#storage.metadata.set(item));
  }
}
