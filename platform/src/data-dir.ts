import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { errorMessage, TocsinError } from "./errors.ts";

/** A data folder that is ours until `release`, or until the process ends, however it ends. */
export interface DataDir {
  /** Absolute path. */
  readonly path: string;
  release(): void;
}

/**
 * Creates the folder if need be and takes it for this process. Throws TOCSIN_DATA_DIR_UNWRITABLE or
 * TOCSIN_DATA_DIR_IN_USE. The lock is SQLite's file lock, which the system drops when the process dies.
 */
export function takeDataDir(dir: string): DataDir {
  const path = resolve(dir);
  const pidFile = join(path, "tocsin.pid");
  let lock: DatabaseSync | undefined;
  try {
    makeFolder(path);
    lock = new DatabaseSync(join(path, "tocsin.lock"));
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    lock?.close();
    if (errorMessage(error).includes("database is locked")) {
      throw new TocsinError(
        "TOCSIN_DATA_DIR_IN_USE",
        `the data folder ${path} is in use by process ${readPid(pidFile)}; stop it or choose another with --data-dir`,
        { cause: error },
      );
    }
    throw new TocsinError(
      "TOCSIN_DATA_DIR_UNWRITABLE",
      `cannot write the data folder ${path}: ${errorMessage(error)}; choose another with --data-dir or mend its permissions`,
      { cause: error },
    );
  }
  const held = lock;
  return { path, release: () => held.close() };
}

/** As `mkdir -p`. Node's own recursive form never ends where the system refuses with ENOENT, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

function readPid(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "unknown";
  }
}
