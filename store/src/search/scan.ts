import type { Query } from "@tocsin/model";
import { ROWS_PER_BLOCK, type BlockView } from "../blocks/block.ts";
import type { FileInfo } from "../files/file-info.ts";
import type { TimeRange } from "../log-store.ts";
import { compileQuery, isEmpty, type Filter, type Mask } from "./compile.ts";
import type { IndexPlan } from "./index-plan.ts";
import type { FileCache, ReadFile, Unit } from "./read-file.ts";

/** Says when a search has to end: its time is up, or nobody waits for it any more. */
export interface Deadline {
  /** True when the time is up. Throws SearchAborted when the search was given up. */
  passed(): boolean;
}

export class SearchAborted extends Error {
  override readonly name = "SearchAborted";
}

/** A file that could not be read; the search went on without it. */
export interface DamagedRead {
  name: string;
  reason: string;
}

/** Records of one block that match. */
export interface Hits<B> {
  file: FileInfo;
  unit: Unit;
  block: B;
  mask: Mask;
  /** No record still to come is newer than this (of a scan that begins with the oldest: older). */
  restMs: number;
}

export type UnitFilter = (unit: Unit, file: FileInfo) => boolean;

export interface ScanOptions<B extends BlockView> extends TimeRange {
  files: readonly FileInfo[];
  cache: FileCache<B>;
  query: Query;
  plan: IndexPlan;
  deadline: Deadline;
  /** Which end of the range to begin with. */
  order?: "newest" | "oldest" | undefined;
  /** Narrows the blocks and records looked at, besides the range. */
  onlyUnit?: UnitFilter | undefined;
}

const FIRST_GROUP = 16;
const GROUP_GROWTH = 4;

/**
 * Goes through the blocks that may hold matches, the one with the newest record first (or the oldest), and yields
 * those that do. Blocks may overlap in time (late records), so `restMs` says what is still possible.
 */
export class Scan<B extends BlockView> {
  readonly damaged: DamagedRead[] = [];
  readonly #options: ScanOptions<B>;
  readonly #filter: Filter;
  /** Of a file or block: the higher, the earlier it is visited. */
  readonly #rank: (span: { t0: number; t1: number }) => number;
  #stoppedAtMs: number | undefined;

  constructor(options: ScanOptions<B>) {
    this.#options = options;
    this.#filter = compileQuery(options.query);
    this.#rank = options.order === "oldest" ? ({ t0 }) => -t0 : ({ t1 }) => t1;
  }

  /** Set when the time was up: everything newer than this (of a scan from the oldest: older) was searched. */
  get stoppedAtMs(): number | undefined {
    return this.#stoppedAtMs;
  }

  *hits(): Generator<Hits<B>, void, undefined> {
    const { files, fromMs, toMs } = this.#options;
    const inRange = files
      .filter((file) => file.t1 >= fromMs && file.t0 < toMs)
      .sort((a, b) => this.#rank(b) - this.#rank(a));
    for (const [i, file] of inRange.entries()) {
      const next = inRange[i + 1];
      const nextRank = next ? this.#rank(next) : -Infinity;
      try {
        yield* this.#fileHits(file, nextRank);
      } catch (error) {
        if (error instanceof SearchAborted) throw error;
        this.damaged.push({ name: file.name, reason: error instanceof Error ? error.message : String(error) });
      }
      if (this.#stoppedAtMs !== undefined) return;
    }
  }

  *#fileHits(info: FileInfo, nextRank: number): Generator<Hits<B>, void, undefined> {
    const { cache, plan, fromMs, toMs, deadline, onlyUnit } = this.#options;
    const file = cache.file(info.path);
    file.begin();
    try {
      const blocks = plan.blocks === undefined ? undefined : file.blocks(plan.blocks);
      const units = file
        .units()
        .filter((unit) => unit.t1 >= fromMs && unit.t0 < toMs && (!onlyUnit || onlyUnit(unit, info)))
        .filter((unit) => !unit.closed || !blocks || blocks.has(unit.block))
        .sort((a, b) => this.#rank(b) - this.#rank(a));
      for (let start = 0, size = FIRST_GROUP; start < units.length; start += size, size *= GROUP_GROWTH) {
        const group = units.slice(start, start + size);
        const rows = plan.rows === undefined ? undefined : rowsByBlock(file, plan.rows, group);
        for (const [i, unit] of group.entries()) {
          if (deadline.passed() && this.#stopAt(Math.max(this.#rank(unit), nextRank))) return;
          if (unit.closed && rows && !rows.has(unit.block)) continue;
          const block = cache.block(file, unit);
          const mask = this.#matches(block, unit, rows?.get(unit.block));
          if (isEmpty(mask)) continue;
          const next = units[start + i + 1];
          const restRank = Math.max(next ? this.#rank(next) : -Infinity, nextRank);
          yield { file: info, unit, block, mask, restMs: this.#msOf(restRank) };
        }
      }
    } finally {
      file.end();
    }
  }

  #msOf(rank: number): number {
    return this.#options.order === "oldest" ? -rank : rank;
  }

  /** False while the search has not got beyond where it began: its next page would begin there again. */
  #stopAt(rank: number): boolean {
    const { fromMs, toMs, order } = this.#options;
    const ms = this.#msOf(rank);
    if (order === "oldest" ? ms <= fromMs : ms >= toMs - 1) return false;
    this.#stoppedAtMs = ms;
    return true;
  }

  #matches(block: B, unit: Unit, rows: readonly number[] | undefined): Mask {
    const { fromMs, toMs, plan } = this.#options;
    const within = new Uint8Array(block.n);
    const indexed = unit.closed && rows !== undefined;
    if (indexed) for (const row of rows) within[row] = 1;
    else within.fill(1);
    if (unit.t0 < fromMs || unit.t1 >= toMs) {
      for (let i = 0; i < within.length; i++) {
        const ms = block.ms[i] as number;
        if (ms < fromMs || ms >= toMs) within[i] = 0;
      }
    }
    return (indexed && plan.rowsExact) || isEmpty(within) ? within : this.#filter(block, within);
  }
}

/** Asks the index of rows once for all closed blocks of a group. */
function rowsByBlock(file: ReadFile, expression: string, group: readonly Unit[]): Map<number, number[]> {
  const closed = group.filter((unit) => unit.closed).map((unit) => unit.block);
  const found = new Map<number, number[]>();
  if (closed.length === 0) return found;
  const wanted = new Set(closed);
  const first = closed.reduce((a, b) => Math.min(a, b));
  const last = closed.reduce((a, b) => Math.max(a, b));
  for (const rowid of file.rows(expression, first * ROWS_PER_BLOCK, last * ROWS_PER_BLOCK + ROWS_PER_BLOCK - 1)) {
    const block = Math.floor(rowid / ROWS_PER_BLOCK);
    if (!wanted.has(block)) continue;
    const rows = found.get(block);
    if (rows) rows.push(rowid % ROWS_PER_BLOCK);
    else found.set(block, [rowid % ROWS_PER_BLOCK]);
  }
  return found;
}
