import { join } from "node:path";
import type { ExemplarRing } from "../exemplar-ring.ts";
import type { MetadataTable } from "../metadata-table.ts";
import { readLogFile, replaceLogFile } from "./log-file.ts";
import { sealRecord } from "./record.ts";
import { exemplarsRecord, metadataRecord, readWalRecord, type WalVisitor } from "./wal-records.ts";

const MAGIC = "TOCSTAT1";

/** Exemplars and metadata as they are, for the time when the log records that told them are gone. */
export class StateFile {
  readonly #path: string;
  readonly #exemplars: ExemplarRing;
  readonly #metadata: MetadataTable;
  /** Whether there is something that only the write-ahead log knows. */
  changed = false;

  constructor(dir: string, exemplars: ExemplarRing, metadata: MetadataTable) {
    this.#path = join(dir, "state.bin");
    this.#exemplars = exemplars;
    this.#metadata = metadata;
  }

  async read(visitor: WalVisitor): Promise<void> {
    await readLogFile(this.#path, MAGIC, (payload) => void readWalRecord(payload, visitor));
  }

  async write(): Promise<void> {
    if (!this.changed) return;
    this.changed = false;
    const records = [metadataRecord(this.#metadata.all()), exemplarsRecord(this.#exemplars.all())];
    await replaceLogFile(this.#path, MAGIC, records.map(sealRecord));
  }
}
