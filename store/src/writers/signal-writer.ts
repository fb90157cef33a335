import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorMessage, TocsinError } from "@tocsin/platform/thread";
import type { FileInfo } from "../files/file-info.ts";
import { hourOf, nextFileName, parseFileName } from "../files/file-name.ts";
import type { ServiceRow } from "../trace-store.ts";
import { ActiveFile, SEEN_WINDOW_MS, type Admitted } from "./active-file.ts";
import type { RecordKind } from "./record-kind.ts";
import { RecentIds } from "./recent-ids.ts";

export interface FileLimits {
  maxFileRecords: number;
  maxFileBytes: number;
  /** Open blocks are closed after this time even when small. */
  maxTailAgeMs: number;
  fsync: boolean;
}

/** A request's worth of records, and what it is known by when it comes again. */
export interface WriteBatch<R> {
  records: readonly R[];
  bytes: number;
  id: Buffer;
}

export interface Written<R> {
  /** The file, and the row of each record in it. */
  file: FileInfo;
  records: R[];
  rows: number[];
  /** Left out: came before, or has no id. */
  repeated: number;
  invalid: number;
}

export interface DamagedFile {
  name: string;
  reason: string;
}

const RECENT_IDS = 100_000;
const RECENT_BATCHES = 100_000;

/** The only writer of one signal's folder: begins, continues, finishes and deletes its files. Not for two processes at once. */
export class SignalWriter<R> {
  readonly #dir: string;
  readonly #kind: RecordKind<R>;
  readonly #limits: FileLimits;
  readonly #onDamage: (file: DamagedFile) => void;
  readonly #sealed = new Map<string, FileInfo>();
  /** Of finished files. */
  readonly #services = new Map<string, ServiceRow[]>();
  readonly #seen = new RecentIds(RECENT_BATCHES);
  readonly #recent = new RecentIds(RECENT_IDS);
  #active: ActiveFile<R> | undefined;
  #lastName: string | undefined;

  constructor(dir: string, kind: RecordKind<R>, limits: FileLimits, onDamage: (file: DamagedFile) => void) {
    this.#onDamage = onDamage;
    this.#dir = dir;
    this.#kind = kind;
    this.#limits = limits;
  }

  /** Finds the files of earlier runs; what cannot be read is set aside under another name and reported. */
  open(): void {
    makeDir(this.#dir);
    const names = readdirSync(this.#dir)
      .filter((file) => file.endsWith(".db") && parseFileName(file.slice(0, -3)))
      .map((file) => file.slice(0, -3))
      .sort();
    for (const name of names) {
      this.#lastName = name;
      try {
        this.#openExisting(name, names.slice(-2).includes(name), name === names.at(-1));
      } catch (error) {
        if (isSqliteError(error) && !isDamage(error)) throw unwritable(this.#path(name), error);
        this.setAside(name);
        this.#onDamage({ name, reason: errorMessage(error) });
      }
    }
  }

  files(): FileInfo[] {
    return [...this.#sealed.values(), ...(this.#active ? [this.#active.info] : [])];
  }

  /** Services by file: one may be in many rows. */
  services(): ServiceRow[] {
    return [...this.#services.values(), this.#active?.services() ?? []].flat();
  }

  /** Should the file being written turn out damaged, it is set aside and the batches go to a new one. */
  write(batches: readonly WriteBatch<R>[], at: number): Written<R> {
    try {
      return this.#write(batches, at);
    } catch (error) {
      const name = this.#active?.name;
      if (name === undefined || !isDamage(error)) throw error;
      this.setAside(name);
      this.#onDamage({ name, reason: errorMessage(error) });
      return this.#write(batches, at);
    }
  }

  #write(batches: readonly WriteBatch<R>[], at: number): Written<R> {
    const file = this.#fileFor(at);
    const { admitted, ids, repeated, invalid, identities } = this.#admit(batches, at);
    const rows = admitted.length + ids.length > 0 ? file.write(admitted, ids, at) : [];
    for (const id of ids) this.#seen.add(id.toString("latin1"));
    for (const identity of identities) this.#recent.add(identity);
    return { file: file.info, records: admitted.map(({ record }) => record), rows, repeated, invalid };
  }

  /** Upkeep: closes blocks that waited long enough, finishes the file when its hour is over, forgets old batch ids. */
  tick(at: number): void {
    const active = this.#active;
    if (!active) return;
    if (this.#isOver(active, at)) return this.#finish(active);
    const since = active.tailSince;
    if (since !== undefined && at - since >= this.#limits.maxTailAgeMs) active.closeBlock();
    active.forgetSeen(at - SEEN_WINDOW_MS);
  }

  /** Deletes finished files; nobody may have them open. */
  drop(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#sealed.delete(name)) continue;
      this.#services.delete(name);
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${this.#path(name)}${suffix}`, { force: true });
    }
  }

  /** Takes a file that turned out unreadable out of service but keeps its bytes. */
  setAside(name: string): void {
    this.#sealed.delete(name);
    this.#services.delete(name);
    if (this.#active?.name === name) {
      this.#active.abandon();
      this.#active = undefined;
    }
    for (const suffix of ["-wal", "-shm", ""])
      renameIfThere(`${this.#path(name)}${suffix}`, `${this.#path(name)}.damaged${suffix}`);
  }

  close(): void {
    this.#active?.closeBlock();
    this.#active?.close();
    this.#active = undefined;
  }

  #openExisting(name: string, recent: boolean, newest: boolean): void {
    const file = new ActiveFile(name, this.#path(name), this.#kind, this.#limits.fsync);
    try {
      for (const id of recent ? file.seen() : []) this.#seen.add(id);
      const { identity } = this.#kind;
      if (recent && identity) for (const record of file.newest(RECENT_IDS)) this.#recent.add(identity(record));
      if (newest && !file.sealed) {
        this.#active = file;
        return;
      }
      if (!file.sealed) file.seal();
      this.#sealed.set(name, file.info);
      this.#services.set(name, file.services());
    } catch (error) {
      file.abandon();
      throw error;
    }
    file.close();
  }

  #admit(batches: readonly WriteBatch<R>[], at: number) {
    const admitted: Admitted<R>[] = [];
    const ids: Buffer[] = [];
    const identities = new Set<string>();
    const fresh = new Set<string>();
    let repeated = 0;
    let invalid = 0;
    for (const batch of batches) {
      const key = batch.id.toString("latin1");
      if (this.#seen.has(key) || fresh.has(key)) {
        repeated += batch.records.length;
        continue;
      }
      if (batch.records.every((record) => this.#kind.timed(record))) {
        fresh.add(key);
        ids.push(batch.id);
      }
      const bytes = batch.bytes / Math.max(1, batch.records.length);
      for (const sent of batch.records) {
        const record = this.#kind.admit(sent, at);
        const identity = record && this.#kind.identity?.(record);
        if (!record) invalid++;
        else if (identity !== undefined && (this.#recent.has(identity) || identities.has(identity))) repeated++;
        else {
          if (identity !== undefined) identities.add(identity);
          admitted.push({ record, bytes });
        }
      }
    }
    return { admitted, ids, repeated, invalid, identities };
  }

  #fileFor(at: number): ActiveFile<R> {
    if (this.#active && this.#isOver(this.#active, at)) this.#finish(this.#active);
    if (!this.#active) {
      const name = nextFileName(at, this.#lastName);
      makeDir(this.#dir);
      this.#active = this.#begin(name);
      this.#lastName = name;
    }
    return this.#active;
  }

  #begin(name: string): ActiveFile<R> {
    try {
      return new ActiveFile(name, this.#path(name), this.#kind, this.#limits.fsync);
    } catch (error) {
      throw isSqliteError(error) ? unwritable(this.#path(name), error) : error;
    }
  }

  #isOver(file: ActiveFile<R>, at: number): boolean {
    const begun = parseFileName(file.name);
    return (
      (begun !== undefined && hourOf(at) > begun.hourMs) ||
      file.records >= this.#limits.maxFileRecords ||
      file.info.bytes >= this.#limits.maxFileBytes
    );
  }

  #finish(file: ActiveFile<R>): void {
    file.seal();
    this.#sealed.set(file.name, file.info);
    this.#services.set(file.name, file.services());
    this.#active = undefined;
    file.close();
    this.#sealed.set(file.name, file.info);
  }

  #path(name: string): string {
    return join(this.#dir, `${name}.db`);
  }
}

function makeDir(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new TocsinError("TOCSIN_DATA_DIR_UNWRITABLE", `cannot create ${dir}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** SQLite's own complaint: of the disk, the folder, or the file. */
export function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number";
}

function isDamage(error: unknown): boolean {
  return isSqliteError(error) && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(error.errcode & 0xff);
}

function unwritable(path: string, error: Error): TocsinError {
  return new TocsinError("TOCSIN_DATA_DIR_UNWRITABLE", `cannot write ${path}: ${error.message}`, { cause: error });
}
