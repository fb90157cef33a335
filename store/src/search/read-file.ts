import type { DatabaseSync, StatementSync } from "node:sqlite";
import { unpackParts, type BlockParts, type BlockView } from "../blocks/block.ts";
import { openForReading } from "../files/schema.ts";

/** A block, or one stretch of the block that is still open. */
export interface Unit {
  block: number;
  /** The row within the block that the unit begins with; its records follow one after another. */
  i0: number;
  n: number;
  t0: number;
  t1: number;
  /** Closed blocks are indexed and counted by minute; an open one is not yet. */
  closed: boolean;
}

interface RedMinute {
  m: number;
  service: string;
  operation: string;
  n: number;
  err: number;
  /** An encoded DurationSketch. */
  dur: Uint8Array;
}

/** One file of the store, open for reading. What `snapshot` runs sees one state of it. */
export class ReadFile {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #selectUnits: StatementSync;
  readonly #selectTail: StatementSync;
  readonly #selectBlock: StatementSync;
  readonly #selectTailBlock: StatementSync;
  readonly #closed: Unit[] = [];
  #rows: StatementSync | undefined;
  #blocks: StatementSync | undefined;

  constructor(path: string) {
    this.path = path;
    this.#db = openForReading(path);
    try {
      this.#selectUnits = this.#db.prepare("SELECT id, t0, t1, n FROM blk WHERE id > ? ORDER BY id");
      this.#selectTail = this.#db.prepare("SELECT blk, i0, n, t0, t1 FROM tail ORDER BY blk, i0");
      this.#selectBlock = this.#db.prepare("SELECT hot, ids, attrs, body FROM blk WHERE id = ?");
      this.#selectTailBlock = this.#db.prepare("SELECT b FROM tail WHERE blk = ? AND i0 = ?");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  begin(): void {
    this.#db.exec("BEGIN");
  }

  end(): void {
    if (this.#db.isTransaction) this.#db.exec("COMMIT");
  }

  /** Every block, in order of its number; the open one last, in its stretches. */
  units(): Unit[] {
    for (const row of this.#selectUnits.iterate(this.#closed.at(-1)?.block ?? 0)) {
      const { id, t0, t1, n } = row as { id: number; t0: number; t1: number; n: number };
      this.#closed.push({ block: id, i0: 0, n, t0, t1, closed: true });
    }
    const tail = this.#selectTail.all() as { blk: number; i0: number; n: number; t0: number; t1: number }[];
    return [...this.#closed, ...tail.map(({ blk, ...rest }) => ({ block: blk, ...rest, closed: false }))];
  }

  parts(unit: Unit): BlockParts {
    if (unit.closed) return this.#selectBlock.get(unit.block) as unknown as BlockParts;
    return unpackParts((this.#selectTailBlock.get(unit.block, unit.i0) as { b: Uint8Array }).b);
  }

  /** Rows of blocks from `first` to `last` that the expression hits, ascending. */
  rows(expression: string, firstRow: number, lastRow: number): Iterable<number> {
    this.#rows ??= this.#db.prepare("SELECT rowid FROM fts WHERE fts MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid");
    return rowids(this.#rows.iterate(expression, firstRow, lastRow));
  }

  /** Numbers of the blocks that the expression hits. */
  blocks(expression: string): Set<number> {
    this.#blocks ??= this.#db.prepare("SELECT rowid FROM bfts WHERE bfts MATCH ?");
    return new Set(rowids(this.#blocks.iterate(expression)));
  }

  /** Records counted by minute (since the epoch), service and severity number, of closed blocks. */
  minutes(fromMinute: number, toMinute: number): { m: number; service: string; lvl: number; n: number }[] {
    return this.#db
      .prepare("SELECT m, name AS service, lvl, n FROM roll JOIN svc ON svc.id = roll.svc WHERE m >= ? AND m < ?")
      .all(fromMinute, toMinute) as { m: number; service: string; lvl: number; n: number }[];
  }

  /** Requests served, by minute (since the epoch), service and operation, of closed blocks. */
  redMinutes(fromMinute: number, toMinute: number, service: string | undefined): RedMinute[] {
    const sql = `SELECT m, svc.name AS service, op.name AS operation, n, err, dur FROM red
      JOIN svc ON svc.id = red.svc JOIN op ON op.id = red.op WHERE m >= ? AND m < ?`;
    const rows =
      service === undefined
        ? this.#db.prepare(sql).all(fromMinute, toMinute)
        : this.#db.prepare(`${sql} AND svc.name = ?`).all(fromMinute, toMinute, service);
    return rows as unknown as RedMinute[];
  }

  /** The number of the last closed block; 0 when there is none. */
  lastClosedBlock(): number {
    return (this.#db.prepare("SELECT coalesce(max(id), 0) AS id FROM blk").get() as { id: number }).id;
  }

  close(): void {
    this.#db.close();
  }
}

function* rowids(rows: Iterable<unknown>): Generator<number> {
  for (const row of rows) yield (row as { rowid: number }).rowid;
}

/** What a decoded block takes in memory, as a multiple of its compressed size: about this, by trying. */
const GROWTH_WHEN_DECODED = 8;

/** Keeps the last used files open and their last used blocks decoded, within limits. */
export class FileCache<B extends BlockView> {
  readonly #decode: (parts: BlockParts) => B;
  readonly #limits: { maxFiles: number; maxBytes: number };
  readonly #files = new Map<string, ReadFile>();
  readonly #blocks = new Map<string, { block: B; bytes: number }>();
  #bytes = 0;

  constructor(decode: (parts: BlockParts) => B, limits: { maxFiles: number; maxBytes: number }) {
    this.#decode = decode;
    this.#limits = limits;
  }

  file(path: string): ReadFile {
    const file = this.#files.get(path) ?? new ReadFile(path);
    this.#files.delete(path);
    this.#files.set(path, file);
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= this.#limits.maxFiles) break;
      this.close([oldest]);
    }
    return file;
  }

  block(file: ReadFile, unit: Unit): B {
    const key = `${file.path}#${unit.block}.${unit.i0}.${unit.n}`;
    const known = this.#blocks.get(key);
    if (known) {
      this.#blocks.delete(key);
      this.#blocks.set(key, known);
      return known.block;
    }
    const parts = file.parts(unit);
    const block = this.#decode(parts);
    const bytes = (parts.hot.length + parts.ids.length + parts.attrs.length + parts.body.length) * GROWTH_WHEN_DECODED;
    this.#blocks.set(key, { block, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#limits.maxBytes || oldest === key) break;
      this.#forget(oldest);
    }
    return block;
  }

  /** Lets go of files, so that they can be deleted. */
  close(paths: readonly string[]): void {
    for (const path of paths) {
      this.#files.get(path)?.close();
      this.#files.delete(path);
      for (const key of this.#blocks.keys()) if (key.startsWith(`${path}#`)) this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#blocks.get(key)?.bytes ?? 0;
    this.#blocks.delete(key);
  }
}
