import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BLOCK_BYTES, BLOCK_RECORDS, packParts, ROWS_PER_BLOCK, unpackParts } from "../blocks/block.ts";
import type { FileInfo } from "../files/file-info.ts";
import { openForWriting } from "../files/schema.ts";
import type { ServiceRow } from "../trace-store.ts";
import { serviceOf, type RecordKind } from "./record-kind.ts";

/** Batches from clients and the bus are known again this long over a restart. */
export const SEEN_WINDOW_MS = 10 * 60_000;
/** More rows than this in `tail` are joined into one. */
const MAX_TAIL_ROWS = 32;

export interface Admitted<R> {
  record: R;
  /** Its share of the batch's bytes, for the size of blocks. */
  bytes: number;
}

/** The records of the block that is still open: the same in memory and in the table `tail`. */
interface Tail<R> {
  records: R[];
  bytes: number;
  rows: number;
  /** When its first record was committed. */
  since: number;
}

/**
 * The one file of a signal that is being written. A commit below a block's worth of records goes to `tail`; a full
 * block is encoded, indexed and counted, and its tail deleted, in one transaction. A record keeps the row it is given
 * at its first commit.
 */
export class ActiveFile<R> {
  readonly name: string;
  readonly path: string;
  readonly #kind: RecordKind<R>;
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #summarize: (block: number, records: readonly R[]) => void;
  readonly #services = new Map<string, { id: number; version: string; last: number }>();
  #block = 1;
  #tail: Tail<R> = { records: [], bytes: 0, rows: 0, since: 0 };
  #records = 0;
  #t0 = Infinity;
  #t1 = 0;
  #sealed = false;

  constructor(name: string, path: string, kind: RecordKind<R>, fsync: boolean) {
    this.name = name;
    this.path = path;
    this.#kind = kind;
    this.#db = openForWriting({ path, signal: kind.signal, fsync });
    try {
      this.#sql = prepare(this.#db);
      this.#summarize = kind.summarize(this.#db, (service) => this.#services.get(service)?.id as number);
      this.#recover();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  get info(): FileInfo {
    const { name, path } = this;
    return {
      name,
      path,
      t0: this.#t0,
      t1: this.#t1,
      records: this.#records,
      bytes: fileBytes(path),
      sealed: this.#sealed,
    };
  }

  get records(): number {
    return this.#records;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** When the open block got its first record; undefined when there is none. */
  get tailSince(): number | undefined {
    return this.#tail.records.length === 0 ? undefined : this.#tail.since;
  }

  /** The batch ids of the last while, oldest first. */
  seen(): string[] {
    const rows = this.#db.prepare("SELECT id FROM seen ORDER BY at").all() as { id: Uint8Array }[];
    return rows.map(({ id }) => Buffer.from(id).toString("latin1"));
  }

  /** The newest records, at most about `count`, to know a replay by. */
  newest(count: number): R[] {
    const rows = this.#db
      .prepare("SELECT hot, ids, attrs, body FROM blk ORDER BY id DESC LIMIT ?")
      .all(Math.ceil(count / BLOCK_RECORDS));
    const blocks = rows.toReversed().flatMap((row) => this.#kind.decode(row as never));
    return [...blocks, ...this.#tail.records];
  }

  /** Commits the records and the ids of their batches; returns each record's row. On an error nothing is changed. */
  write(records: readonly Admitted<R>[], batchIds: readonly Buffer[], at: number): number[] {
    const tail: Tail<R> = { ...this.#tail, records: this.#tail.records.slice() };
    let saved = tail.records.length;
    let block = this.#block;
    const rows: number[] = [];
    this.#transaction(() => {
      this.#noteServices(records);
      for (const { record, bytes } of records) {
        if (tail.records.length === 0) tail.since = at;
        rows.push(block * ROWS_PER_BLOCK + tail.records.length);
        tail.records.push(record);
        tail.bytes += bytes;
        if (tail.records.length < BLOCK_RECORDS && tail.bytes < BLOCK_BYTES) continue;
        this.#insertBlock(block, tail);
        block++;
        saved = 0;
      }
      if (tail.records.length > saved) this.#insertTail(block, tail, saved);
      for (const id of batchIds) this.#sql.addSeen.run(id, at);
    });
    this.#block = block;
    this.#tail = tail;
    this.#noteTimes(records);
    return rows;
  }

  /** Makes a block of what is in the open one. */
  closeBlock(): void {
    if (this.#tail.records.length === 0) return;
    const tail: Tail<R> = { ...this.#tail };
    this.#transaction(() => this.#insertBlock(this.#block, tail));
    this.#block++;
    this.#tail = tail;
  }

  services(): ServiceRow[] {
    return this.#db.prepare("SELECT name, version, first AS firstMs, last AS lastMs FROM svc").all() as never;
  }

  forgetSeen(before: number): void {
    this.#sql.forgetSeen.run(before);
  }

  /** Closes the last block and marks the file as finished. */
  seal(): void {
    this.closeBlock();
    this.#transaction(() => {
      const { t0, t1, records } = this.info;
      this.#sql.setInfo.run("sealed", JSON.stringify({ t0: records === 0 ? null : t0, t1, records }));
    });
    this.#sealed = true;
  }

  close(): void {
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#db.close();
  }

  /** Lets go of a file that cannot be read. */
  abandon(): void {
    this.#db.close();
  }

  #recover(): void {
    const sealed = this.#sql.getInfo.get("sealed") as { value: string } | undefined;
    this.#sealed = sealed !== undefined;
    const blocks = this.#db
      .prepare("SELECT max(id) AS last, min(t0) AS t0, max(t1) AS t1, total(n) AS n FROM blk")
      .get() as {
      last: number | null;
      t0: number | null;
      t1: number | null;
      n: number;
    };
    this.#block = (blocks.last ?? 0) + 1;
    this.#records = blocks.n;
    this.#t0 = blocks.t0 ?? Infinity;
    this.#t1 = blocks.t1 ?? 0;
    const tailRows = this.#db.prepare("SELECT b FROM tail WHERE blk = ? ORDER BY i0").all(this.#block) as {
      b: Uint8Array;
    }[];
    const records = tailRows.flatMap(({ b }) => this.#kind.decode(unpackParts(b)));
    const bytes = tailRows.reduce((sum, { b }) => sum + b.length * 4, 0);
    const since = records.reduce((min, record) => Math.min(min, this.#kind.timeMs(record)), Infinity);
    this.#tail = { records, bytes, rows: tailRows.length, since };
    this.#noteTimes(records.map((record) => ({ record, bytes: 0 })));
    this.#reloadServices();
  }

  #insertBlock(block: number, tail: Tail<R>): void {
    const { t0, t1, n, hot, ids, attrs, body } = this.#kind.encode(tail.records);
    this.#sql.addBlock.run(block, t0, t1, n, hot, ids, attrs, body);
    this.#sql.addBlockTokens.run(block, [...this.#kind.blockTokens(tail.records)].join(" "));
    this.#summarize(block, tail.records);
    this.#sql.deleteTail.run(block);
    tail.records = [];
    tail.bytes = 0;
    tail.rows = 0;
  }

  #insertTail(block: number, tail: Tail<R>, saved: number): void {
    const join = tail.rows >= MAX_TAIL_ROWS;
    if (join) {
      this.#sql.deleteTail.run(block);
      tail.rows = 0;
    }
    const from = join ? 0 : saved;
    const part = this.#kind.encode(tail.records.slice(from));
    this.#sql.addTail.run(block, from, part.n, part.t0, part.t1, packParts(part));
    tail.rows++;
  }

  /** First and last time of each service, and its version; written only when it changed by a second or more. */
  #noteServices(records: readonly Admitted<R>[]): void {
    const latest = new Map<string, { version: string; first: number; last: number }>();
    for (const { record } of records) {
      const { name, version } = serviceOf(this.#kind.resource(record));
      const ms = this.#kind.timeMs(record);
      const entry = latest.get(name);
      if (!entry) latest.set(name, { version, first: ms, last: ms });
      else {
        entry.first = Math.min(entry.first, ms);
        if (ms >= entry.last) {
          entry.last = ms;
          entry.version = version;
        }
      }
    }
    for (const [name, { version, first, last }] of latest) {
      const known = this.#services.get(name);
      if (known && known.version === version && last - known.last < 1000) continue;
      const { id } = this.#sql.noteService.get(name, version, first, last) as { id: number };
      this.#services.set(name, { id, version, last: Math.max(last, known?.last ?? 0) });
    }
  }

  #noteTimes(records: readonly Admitted<R>[]): void {
    this.#records += records.length;
    for (const { record } of records) {
      const ms = this.#kind.timeMs(record);
      if (ms < this.#t0) this.#t0 = ms;
      if (ms > this.#t1) this.#t1 = ms;
    }
  }

  #transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      // Ids given in the transaction are gone with it.
      this.#reloadServices();
      throw error;
    }
  }

  #reloadServices(): void {
    this.#services.clear();
    for (const row of this.#db.prepare("SELECT id, name, version, last FROM svc").all()) {
      const { id, name, version, last } = row as { id: number; name: string; version: string; last: number };
      this.#services.set(name, { id, version, last });
    }
  }
}

interface Statements {
  addBlock: StatementSync;
  addBlockTokens: StatementSync;
  addTail: StatementSync;
  deleteTail: StatementSync;
  addSeen: StatementSync;
  forgetSeen: StatementSync;
  noteService: StatementSync;
  setInfo: StatementSync;
  getInfo: StatementSync;
}

function prepare(db: DatabaseSync): Statements {
  return {
    addBlock: db.prepare("INSERT INTO blk(id, t0, t1, n, hot, ids, attrs, body) VALUES(?,?,?,?,?,?,?,?)"),
    addBlockTokens: db.prepare("INSERT INTO bfts(rowid, tok) VALUES(?,?)"),
    addTail: db.prepare("INSERT INTO tail(blk, i0, n, t0, t1, b) VALUES(?,?,?,?,?,?)"),
    deleteTail: db.prepare("DELETE FROM tail WHERE blk = ?"),
    addSeen: db.prepare("INSERT INTO seen(id, at) VALUES(?,?) ON CONFLICT(id) DO UPDATE SET at = excluded.at"),
    forgetSeen: db.prepare("DELETE FROM seen WHERE at < ?"),
    noteService: db.prepare(
      `INSERT INTO svc(name, version, first, last) VALUES(?,?,?,?) ON CONFLICT(name) DO UPDATE SET
       version = CASE WHEN excluded.last >= last THEN excluded.version ELSE version END,
       first = min(first, excluded.first), last = max(last, excluded.last) RETURNING id`,
    ),
    setInfo: db.prepare("INSERT OR REPLACE INTO info(key, value) VALUES(?,?)"),
    getInfo: db.prepare("SELECT value FROM info WHERE key = ?"),
  };
}

function fileBytes(path: string): number {
  return [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}
