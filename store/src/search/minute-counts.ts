import { errorMessage } from "@tocsin/platform/thread";
import type { BlockView } from "../blocks/block.ts";
import type { FileInfo } from "../files/file-info.ts";
import type { TimeRange } from "../log-store.ts";
import type { FileCache, ReadFile, Unit } from "./read-file.ts";
import type { DamagedRead, Deadline } from "./scan.ts";

export const MINUTE_MS = 60_000;

interface Reading<B extends BlockView> {
  files: readonly FileInfo[];
  cache: FileCache<B>;
  deadline: Deadline;
  damaged: DamagedRead[];
}

/**
 * Reads what the files keep by minute, for the whole minutes of a range; says of every record whether it is in there.
 * The rest (edges of the range, blocks still open) is to be read from the records.
 */
export class MinuteCounts {
  readonly #fromMs: number;
  readonly #toMs: number;
  /** By file the last block that was closed, and so counted, when its counts were read. */
  readonly #lastCounted = new Map<string, number>();

  constructor({ fromMs, toMs }: TimeRange) {
    this.#fromMs = Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS;
    this.#toMs = Math.floor(toMs / MINUTE_MS) * MINUTE_MS;
  }

  /** Calls `read` with each file and the minutes (since the epoch) to take from it. */
  readFrom<B extends BlockView>(reading: Reading<B>, read: (file: ReadFile, from: number, to: number) => void): void {
    for (const info of reading.files) {
      if (this.#fromMs >= this.#toMs || info.t1 < this.#fromMs || info.t0 >= this.#toMs) continue;
      if (reading.deadline.passed()) return;
      try {
        const file = reading.cache.file(info.path);
        file.begin();
        try {
          read(file, this.#fromMs / MINUTE_MS, this.#toMs / MINUTE_MS);
          this.#lastCounted.set(info.name, file.lastClosedBlock());
        } finally {
          file.end();
        }
      } catch (error) {
        reading.damaged.push({ name: info.name, reason: errorMessage(error) });
      }
    }
  }

  /** Whether every record of the unit has been counted. */
  hasAllOf(unit: Unit, file: FileInfo): boolean {
    return this.has(unit, file, unit.t0) && this.has(unit, file, unit.t1);
  }

  /** Whether a record of the unit, of this time, has been counted. */
  has(unit: Unit, file: FileInfo, ms: number): boolean {
    return ms >= this.#fromMs && ms < this.#toMs && unit.block <= (this.#lastCounted.get(file.name) ?? 0);
  }
}
