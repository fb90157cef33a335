import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { DecisionPage, DecisionRecord, UnixMs } from "@tocsin/model";
import {
  Counter,
  errorMessage,
  TocsinError,
  type Clock,
  type Component,
  type Logger,
  type Registry,
} from "@tocsin/platform";

export interface DecisionLogOptions {
  /** The log is `<dataDir>/alerting/decisions.sqlite`. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Older records are removed. Default 200 h. */
  readonly maxAgeMs?: number;
  /** The oldest records are removed when the log is larger. Default 256 MiB. */
  readonly maxBytes?: number;
  /** Records that may wait to be written; more are dropped and counted. Default 50,000. */
  readonly queueLimit?: number;
}

export interface DecisionQuery {
  readonly kinds?: readonly DecisionRecord["kind"][] | undefined;
  readonly fingerprint?: string | undefined;
  readonly groupKey?: string | undefined;
  readonly receiver?: string | undefined;
  readonly from?: UnixMs | undefined;
  readonly to?: UnixMs | undefined;
  readonly limit: number;
  /** As an earlier page gave it. */
  readonly cursor?: string | undefined;
}

const WRITE_AFTER_MS = 100;
/** Written per turn, so that a burst does not hold up the router. */
const BATCH = 250;
const SWEEP_INTERVAL_MS = 60_000;
/** Removed per turn of the sweep. */
const SWEEP_BATCH = 2000;
/** Alerts of one record that it can be found by; a larger group is found by its key. */
const MAX_REFERENCES = 500;

const SCHEMA = `
  PRAGMA auto_vacuum = INCREMENTAL;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS decisions (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS decisions_by_time ON decisions (at);
  CREATE TABLE IF NOT EXISTS decision_refs (ref TEXT NOT NULL, decision INTEGER NOT NULL, PRIMARY KEY (ref, decision)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS decision_refs_by_decision ON decision_refs (decision);
`;

/** Every decision of the rule evaluator and the router, for as long as age and size allow: the answer to "why". */
export class DecisionLog implements Component {
  readonly name = "decision log";
  readonly #options: DecisionLogOptions;
  readonly #dropped: Counter<"reason">;
  readonly #listeners = new Set<(record: DecisionRecord) => void>();
  #db: DatabaseSync | undefined;
  #queue: DecisionRecord[] = [];
  #writeTimer: Disposable | undefined;
  #sweepTimer: Disposable | undefined;
  #droppedSinceWarning = 0;

  constructor(options: DecisionLogOptions) {
    this.#options = options;
    this.#dropped = new Counter({
      name: "tocsin_decisions_dropped_total",
      help: "Decision records that were not kept.",
      labelNames: ["reason"],
      registers: [options.registry],
    });
    for (const reason of ["queue_full", "write_failed"]) this.#dropped.inc({ reason }, 0);
  }

  async start(): Promise<void> {
    const directory = join(this.#options.dataDir, "alerting");
    try {
      mkdirSync(directory, { recursive: true });
      this.#db = new DatabaseSync(join(directory, "decisions.sqlite"));
      this.#db.exec(SCHEMA);
    } catch (error) {
      throw new TocsinError(
        "TOCSIN_DATA_DIR_UNWRITABLE",
        `cannot open the decision log in ${directory}: ${errorMessage(error)}`,
        {
          cause: error,
        },
      );
    }
    this.#scheduleWrite();
    this.#scheduleSweep(SWEEP_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    this.#writeTimer?.[Symbol.dispose]();
    this.#sweepTimer?.[Symbol.dispose]();
    if (!this.#db) return;
    while (this.#queue.length > 0) this.#writeBatch(this.#db);
    this.#db.close();
    this.#db = undefined;
  }

  /** Keeps a record, soon; never blocks and never throws. */
  record(record: DecisionRecord): void {
    for (const listener of this.#listeners) listener(record);
    if (this.#queue.length >= (this.#options.queueLimit ?? 50_000)) {
      this.#dropped.inc({ reason: "queue_full" });
      this.#droppedSinceWarning++;
      return;
    }
    this.#queue.push(record);
    this.#scheduleWrite();
  }

  /** Calls the listener with every record from now on; returns what ends it. */
  subscribe(listener: (record: DecisionRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Newest first. Throws TOCSIN_BAD_REQUEST for a cursor that no page gave. */
  query(query: DecisionQuery): DecisionPage {
    const db = this.#db;
    if (!db) throw new TocsinError("TOCSIN_UNAVAILABLE", "the decision log is not open");
    while (this.#queue.length > 0) this.#writeBatch(db);
    const { sql, values } = toSql(query);
    const rows = db.prepare(sql).all(...values) as { id: number; record: string }[];
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      items: shown.map(({ record }) => JSON.parse(record) as DecisionRecord),
      ...(rows.length > query.limit && last && { cursor: last.id.toString(36) }),
    };
  }

  #scheduleWrite(): void {
    if (!this.#db || this.#writeTimer || this.#queue.length === 0) return;
    this.#writeTimer = this.#options.clock.schedule(WRITE_AFTER_MS, () => this.#writeSome());
  }

  #writeSome(): void {
    this.#writeTimer = undefined;
    if (!this.#db) return;
    this.#writeBatch(this.#db);
    if (this.#queue.length > 0) this.#writeTimer = this.#options.clock.schedule(1, () => this.#writeSome());
    else if (this.#droppedSinceWarning > 0) {
      this.#options.logger.warn({ dropped: this.#droppedSinceWarning }, "decision records were dropped");
      this.#droppedSinceWarning = 0;
    }
  }

  #writeBatch(db: DatabaseSync): void {
    const batch = this.#queue.splice(0, BATCH);
    try {
      db.exec("BEGIN");
      const insert = db.prepare("INSERT INTO decisions (at, kind, record) VALUES (?, ?, ?)");
      const refer = db.prepare("INSERT OR IGNORE INTO decision_refs (ref, decision) VALUES (?, ?)");
      for (const record of batch) {
        const { lastInsertRowid: id } = insert.run(Date.parse(record.at), record.kind, JSON.stringify(record));
        for (const ref of references(record)) refer.run(ref, id);
      }
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      this.#dropped.inc({ reason: "write_failed" }, batch.length);
      this.#options.logger.error({ err: error, dropped: batch.length }, "decision records not written");
    }
  }

  #scheduleSweep(delayMs: number): void {
    this.#sweepTimer = this.#options.clock.schedule(delayMs, () => {
      let more = false;
      try {
        more = this.#db !== undefined && this.#sweep(this.#db);
      } catch (err) {
        this.#options.logger.error({ err }, "decision log not swept");
      }
      this.#scheduleSweep(more ? 10 : SWEEP_INTERVAL_MS);
    });
  }

  /** Removes some of what is too old or too much; returns whether there is more of it. */
  #sweep(db: DatabaseSync): boolean {
    const { maxAgeMs = 200 * 3_600_000, maxBytes = 256 * 1024 * 1024, clock } = this.#options;
    const oldest = db.prepare("SELECT min(id) AS id FROM decisions").get() as { id: number | null };
    if (oldest.id === null) return false;
    const expired = db.prepare("SELECT max(id) AS id FROM (SELECT id FROM decisions WHERE at < ? ORDER BY at LIMIT ?)");
    const { id } = expired.get(clock.now() - maxAgeMs, SWEEP_BATCH) as { id: number | null };
    const upTo = id ?? (usedBytes(db) > maxBytes ? oldest.id + SWEEP_BATCH : undefined);
    if (upTo === undefined) return false;
    const last = Math.min(upTo, oldest.id + SWEEP_BATCH);
    db.exec("BEGIN");
    db.prepare("DELETE FROM decision_refs WHERE decision <= ?").run(last);
    db.prepare("DELETE FROM decisions WHERE id <= ?").run(last);
    db.exec("COMMIT");
    db.exec("PRAGMA incremental_vacuum(1000)");
    return true;
  }
}

function usedBytes(db: DatabaseSync): number {
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
}

/** What a record can be found by: `f:` fingerprint, `g:` group key, `r:` receiver. */
function references(record: DecisionRecord): string[] {
  switch (record.kind) {
    case "evaluation":
      return [`f:${record.fingerprint}`];
    case "rule_error":
      return [];
    case "routed":
      return [
        `f:${record.fingerprint}`,
        ...record.routes.flatMap(({ receiver, groupKey }) => [`r:${receiver}`, `g:${groupKey}`]),
      ];
    case "flush":
      return [...place(record), ...alerts([...record.firing, ...record.resolved])];
    case "muted":
    case "dedup":
    case "attempt":
      return [...place(record), ...alerts(record.fingerprints)];
  }
}

const place = ({ receiver, groupKey }: { receiver: string; groupKey: string }) => [`r:${receiver}`, `g:${groupKey}`];
const alerts = (fingerprints: readonly string[]) => fingerprints.slice(0, MAX_REFERENCES).map((fp) => `f:${fp}`);

function toSql(query: DecisionQuery): { sql: string; values: SQLInputValue[] } {
  const refs = Object.entries({ f: query.fingerprint, g: query.groupKey, r: query.receiver }).flatMap(([kind, value]) =>
    value === undefined ? [] : [`${kind}:${value}`],
  );
  const [first, ...others] = refs;
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const where = (condition: string, ...bound: SQLInputValue[]) => {
    conditions.push(condition);
    values.push(...bound);
  };
  // The most telling reference leads the way through the index; the others are looked up per record.
  if (first !== undefined) where("r.ref = ?", first);
  for (const ref of others) where("EXISTS (SELECT 1 FROM decision_refs o WHERE o.ref = ? AND o.decision = d.id)", ref);
  if (query.kinds && query.kinds.length > 0)
    where(`d.kind IN (${query.kinds.map(() => "?").join(", ")})`, ...query.kinds);
  if (query.from !== undefined)
    where("d.at >= ? AND d.id >= (SELECT coalesce(min(id), 0) FROM decisions WHERE at >= ?)", query.from, query.from);
  if (query.to !== undefined) where("d.at <= ?", query.to);
  if (query.cursor !== undefined) where("d.id < ?", cursorId(query.cursor));
  const source = first === undefined ? "decisions d" : "decision_refs r JOIN decisions d ON d.id = r.decision";
  const filter = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const order = first === undefined ? "d.id" : "r.decision";
  return {
    sql: `SELECT d.id AS id, d.record AS record FROM ${source} ${filter} ORDER BY ${order} DESC LIMIT ?`,
    values: [...values, query.limit + 1],
  };
}

function cursorId(cursor: string): number {
  const id = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw new TocsinError("TOCSIN_BAD_REQUEST", "cursor: not one that this list gave");
  return id;
}
