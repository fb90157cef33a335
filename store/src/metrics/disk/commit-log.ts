import type { UnixMs } from "@tocsin/model";
import type { SeriesEntry, SeriesLog } from "./series-log.ts";
import type { WriteAheadLog } from "./wal.ts";

/** When what was written is forced to the medium: with every commit, with the next maintenance, or when the system likes. */
export type FsyncPolicy = "always" | "interval" | "never";

/** What one append leaves behind: the series it brought up, and its records. */
export interface Commit {
  series: readonly SeriesEntry[];
  records: readonly Uint8Array[];
  minMs: UnixMs;
  maxMs: UnixMs;
}

interface Waiting {
  commit: Commit;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Writes commits in order, as many at a time as have come up: first the new series, then the samples that refer to
 * them. What could not be written stays and goes first next time, for the head has taken it already: nothing is
 * acknowledged before it.
 */
export class CommitLog {
  readonly #series: SeriesLog;
  readonly #wal: WriteAheadLog;
  readonly #fsync: FsyncPolicy;
  #waiting: Waiting[] = [];
  #owed: Commit[] = [];
  #scheduled = false;
  #tail: Promise<unknown> = Promise.resolve();
  /** Bytes of records that are not written yet. */
  pendingBytes = 0;

  constructor(series: SeriesLog, wal: WriteAheadLog, fsync: FsyncPolicy) {
    this.#series = series;
    this.#wal = wal;
    this.#fsync = fsync;
  }

  /** Whether earlier commits still have to be written after a failure. */
  get isBehind(): boolean {
    return this.#owed.length > 0;
  }

  /** Tries again to write what is owed. */
  catchUp(): Promise<void> {
    return this.add({ series: [], records: [], minMs: Infinity, maxMs: -Infinity });
  }

  /** Resolves when the commit and all earlier ones are written; an empty one waits for the earlier ones. */
  add(commit: Commit): Promise<void> {
    this.pendingBytes += sizeOf(commit);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      void this.exclusive(() => this.#writeWaiting());
    });
  }

  /** Runs something while nothing else is written. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }

  async sync(): Promise<void> {
    await this.exclusive(async () => {
      await this.#series.sync();
      await this.#wal.sync();
    });
  }

  async #writeWaiting(): Promise<void> {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const commits = [...this.#owed, ...waiting.map(({ commit }) => commit)];
    try {
      await this.#write(commits);
      this.#owed = [];
      for (const commit of commits) this.pendingBytes -= sizeOf(commit);
      for (const { resolve } of waiting) resolve();
    } catch (error) {
      this.#owed = commits;
      for (const { reject } of waiting) reject(error);
    }
  }

  async #write(commits: readonly Commit[]): Promise<void> {
    const series = commits.flatMap((commit) => commit.series);
    const records = commits.flatMap((commit) => commit.records);
    if (series.length > 0) {
      await this.#series.write(series);
      if (this.#fsync === "always") await this.#series.sync();
    }
    if (records.length > 0) {
      const minMs = Math.min(...commits.map((commit) => commit.minMs));
      const maxMs = Math.max(...commits.map((commit) => commit.maxMs));
      await this.#wal.write(records, { minMs, maxMs });
      if (this.#fsync === "always") await this.#wal.sync();
    }
  }
}

function sizeOf({ records }: Commit): number {
  return records.reduce((sum, record) => sum + record.length, 0);
}
