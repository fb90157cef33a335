import { mkdirSync } from "node:fs";
import { open, readdir, readFile, rename, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { TocsinError, errorMessage, type Logger } from "@tocsin/platform";
import type { StateLog, StateStorage } from "./state-log.ts";

/**
 * State in a folder. Per name: `<name>.<generation>.snapshot` and `<name>.<generation>.log`, lines of
 * `<crc32 in hex> <json>`. A snapshot's first line says what it is, its last one that it is whole. Appends go to the
 * log of the newest generation; a snapshot first starts the next log, then is written beside, synced and renamed, then
 * the files of the generation before are removed. So at any moment the newest whole snapshot and the logs from its
 * generation on say everything.
 */
export function fileStorage(directory: string, logger: Logger): StateStorage {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new TocsinError("TOCSIN_DATA_DIR_UNWRITABLE", `cannot create ${directory}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  return { open: (name) => new FileStateLog(directory, name, logger.child({ component: "state", state: name })) };
}

const FORMAT = "tocsin-state/1";

/** What the writer has to do next: add text to the log, or (no text) start the next generation's log. */
interface Waiting {
  readonly text: string | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class FileStateLog implements StateLog {
  readonly #directory: string;
  readonly #name: string;
  readonly #logger: Logger;
  #generation = 0;
  #log: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #snapshotting: Promise<void> = Promise.resolve();
  #afterFailure = false;
  appendedBytes = 0;

  constructor(directory: string, name: string, logger: Logger) {
    this.#directory = directory;
    this.#name = name;
    this.#logger = logger;
  }

  async load(): Promise<unknown[]> {
    const files = await this.#files();
    const snapshots = files.filter(({ kind }) => kind === "snapshot").map(({ generation }) => generation);
    const base = Math.max(0, ...snapshots);
    const records: unknown[] = snapshots.length > 0 ? await this.#readSnapshot(base) : [];
    const logs = files.filter(({ kind, generation }) => kind === "log" && generation >= base);
    for (const { generation } of logs) records.push(...(await this.#read(this.#path(generation, "log"))));
    this.#generation = Math.max(base, ...logs.map(({ generation }) => generation));
    await this.#openLog();
    await this.#removeBefore(base);
    return records;
  }

  append(records: readonly unknown[]): Promise<void> {
    return records.length === 0 ? Promise.resolve() : this.#enqueue(records.map(line).join(""));
  }

  snapshot(records: Iterable<unknown>): Promise<void> {
    // Taken in the same turn as the next log is asked for: what is appended later is not in `records` but in that log.
    const lines = Array.from(records, line);
    const rotated = this.#enqueue(undefined);
    this.#snapshotting = this.#snapshotting.then(() => rotated).then(() => this.#writeSnapshot(lines));
    const done = this.#snapshotting;
    this.#snapshotting = done.catch(() => {});
    return done;
  }

  async #writeSnapshot(lines: readonly string[]): Promise<void> {
    const generation = this.#generation;
    const text = [line({ format: FORMAT, name: this.#name }), ...lines, line({ end: lines.length })].join("");
    const final = this.#path(generation, "snapshot");
    const beside = `${final}.tmp`;
    const file = await open(beside, "w");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, final);
    await syncDirectory(this.#directory);
    await this.#removeBefore(generation);
  }

  async close(): Promise<void> {
    await this.#snapshotting;
    await this.#writing;
    await this.#log?.close();
    this.#log = undefined;
  }

  #enqueue(text: string | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Works off what waits; appends that stand together are written and synced at once. */
  async #write(): Promise<void> {
    // Lets the appends of this turn gather.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const rotation = this.#waiting.findIndex(({ text }) => text === undefined);
      const batch = this.#waiting.splice(0, rotation < 0 ? this.#waiting.length : Math.max(1, rotation));
      try {
        await (rotation === 0 ? this.#rotate() : this.#writeBatch(batch));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    // In the same turn as the last look at what waits, or an append in between would find nobody to write it.
    this.#writing = undefined;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    if (!this.#log) throw new TocsinError("TOCSIN_STOPPING", `the state log ${this.#name} is closed`);
    // A failed or cut write may have left half a line behind; a line end sets it apart.
    const text = (this.#afterFailure ? "\n" : "") + batch.map(({ text }) => text).join("");
    this.#afterFailure = true;
    await this.#log.appendFile(text);
    await this.#log.datasync();
    this.#afterFailure = false;
    this.appendedBytes += text.length;
  }

  async #rotate(): Promise<void> {
    await this.#log?.close();
    this.#generation++;
    await this.#openLog();
  }

  async #openLog(): Promise<void> {
    try {
      this.#log = await open(this.#path(this.#generation, "log"), "a");
      // After a crash the last line may be cut.
      const { size } = await this.#log.stat();
      this.#afterFailure = size > 0;
      this.appendedBytes = size;
    } catch (error) {
      throw new TocsinError("TOCSIN_DATA_DIR_UNWRITABLE", `cannot write ${this.#directory}: ${errorMessage(error)}`, {
        cause: error,
      });
    }
  }

  async #readSnapshot(generation: number): Promise<unknown[]> {
    const path = this.#path(generation, "snapshot");
    const [head, ...records] = await this.#read(path);
    if (typeof head !== "object" || head === null || !("format" in head) || head.format !== FORMAT)
      throw new TocsinError(
        "TOCSIN_STORE_CORRUPT",
        `${path} is not a state file of this version; move it away to start without it`,
      );
    return records.filter((record) => !(typeof record === "object" && record !== null && "end" in record));
  }

  /** The whole lines of a file; those that are cut or damaged are counted in the log and left out. */
  async #read(path: string): Promise<unknown[]> {
    const lines = (await readFile(path, "utf8")).split("\n").filter((text) => text !== "");
    const records = lines.map(parseLine).filter((record) => record !== undefined);
    const damaged = lines.length - records.length;
    if (damaged > 0) this.#logger.warn({ path, damaged, kept: records.length }, "state file has damaged records");
    return records;
  }

  async #removeBefore(generation: number): Promise<void> {
    for (const file of await this.#files()) {
      if (file.generation < generation) await unlink(join(this.#directory, file.name));
    }
  }

  async #files(): Promise<{ name: string; generation: number; kind: string }[]> {
    const names = await readdir(this.#directory);
    return names
      .flatMap((name) => {
        const match = /^(.+)\.(\d+)\.(snapshot|log)$/.exec(name);
        return match?.[1] === this.#name ? [{ name, generation: Number(match[2]), kind: match[3] as string }] : [];
      })
      .sort((a, b) => a.generation - b.generation);
  }

  #path(generation: number, kind: "snapshot" | "log"): string {
    return join(this.#directory, `${this.#name}.${generation}.${kind}`);
  }
}

function line(record: unknown): string {
  const json = JSON.stringify(record);
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

function parseLine(text: string): unknown {
  const json = text.slice(9);
  return Number.parseInt(text.slice(0, 8), 16) === crc32(json) ? (JSON.parse(json) as unknown) : undefined;
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
