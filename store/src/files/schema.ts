import { DatabaseSync } from "node:sqlite";

/**
 * Raised when the layout changes; a file with another number is not opened.
 * `fts` holds the words of each record (rowid = row), `bfts` the tokens of each block (rowid = block).
 */
const SCHEMA_VERSION = 1;

const TABLES = `
CREATE TABLE info(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE blk(id INTEGER PRIMARY KEY, t0 INT, t1 INT, n INT, hot BLOB, ids BLOB, attrs BLOB, body BLOB);
CREATE TABLE tail(blk INT, i0 INT, n INT, t0 INT, t1 INT, b BLOB, PRIMARY KEY(blk, i0)) WITHOUT ROWID;
CREATE TABLE svc(id INTEGER PRIMARY KEY, name TEXT UNIQUE, version TEXT, first INT, last INT);
CREATE TABLE seen(id BLOB PRIMARY KEY, at INT) WITHOUT ROWID;
CREATE VIRTUAL TABLE bfts USING fts5(tok, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '_'");
`;
/** What only one signal has. */
const SIGNAL_TABLES = {
  logs: `
CREATE VIRTUAL TABLE fts USING fts5(tok, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '_'");
CREATE TABLE roll(m INT, svc INT, lvl INT, n INT, PRIMARY KEY(m, svc, lvl)) WITHOUT ROWID;
`,
  spans: `
CREATE TABLE op(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE red(m INT, svc INT, op INT, n INT, err INT, dur BLOB, PRIMARY KEY(m, svc, op)) WITHOUT ROWID;
`,
};

export interface OpenForWriting {
  path: string;
  signal: keyof typeof SIGNAL_TABLES;
  /** Survive power loss at the price of one fsync a commit; a crash of the process loses nothing either way. */
  fsync: boolean;
}

export function openForWriting({ path, signal, fsync }: OpenForWriting): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec(`PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${fsync ? "FULL" : "NORMAL"};
    PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;`);
  const version = userVersion(db);
  if (version === 0) {
    db.exec(`BEGIN; ${TABLES} ${SIGNAL_TABLES[signal]} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
  } else if (version !== SCHEMA_VERSION) {
    db.close();
    throw new Error(`its layout is version ${version}; this program reads version ${SCHEMA_VERSION}`);
  }
  return db;
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  db.exec("PRAGMA cache_size = -8192;");
  return db;
}

function userVersion(db: DatabaseSync): number {
  return db.prepare("PRAGMA user_version").get()?.["user_version"] as number;
}
