import type { Labels } from "@tocsin/model";
import { ByteReader, ByteWriter, CorruptDataError } from "../codec/bytes.ts";
import { type LogContent, LogFile, replaceLogFile } from "./log-file.ts";
import { sealRecord } from "./record.ts";

const MAGIC = "TOCSSER1";
const REWRITE_BATCH = 4096;

export interface SeriesEntry {
  id: number;
  labels: Labels;
}

/** The file that says which labels each series id stands for. Ids are never given out twice. */
export class SeriesLog {
  readonly #path: string;
  #file: LogFile;

  private constructor(path: string, file: LogFile) {
    this.#path = path;
    this.#file = file;
  }

  static async open(
    path: string,
    onSeries: (entry: SeriesEntry) => void,
  ): Promise<{ log: SeriesLog; content: LogContent }> {
    const { file, content } = await LogFile.openRepaired(path, MAGIC, (payload) =>
      readEntries(payload).forEach(onSeries),
    );
    return { log: new SeriesLog(path, file), content };
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  async write(entries: readonly SeriesEntry[]): Promise<void> {
    await this.#file.write([sealRecord(encodeEntries(entries))]);
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Replaces the content, when many entries have become obsolete. */
  async rewrite(entries: readonly SeriesEntry[]): Promise<void> {
    const records: Uint8Array[] = [];
    for (let from = 0; from < entries.length; from += REWRITE_BATCH) {
      records.push(sealRecord(encodeEntries(entries.slice(from, from + REWRITE_BATCH))));
    }
    // Windows cannot rename onto an open file.
    await this.#file.close();
    try {
      await replaceLogFile(this.#path, MAGIC, records);
    } finally {
      this.#file = (await LogFile.openRepaired(this.#path, MAGIC, () => {})).file;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Ids as differences, each distinct string once per record. */
function encodeEntries(entries: readonly SeriesEntry[]): Uint8Array {
  const out = new ByteWriter(entries.length * 64 + 64);
  const known = new Map<string, number>();
  const writeString = (text: string) => {
    const index = known.get(text);
    out.varint(index === undefined ? 0 : index + 1);
    if (index !== undefined) return;
    known.set(text, known.size);
    out.string(text);
  };
  out.varint(entries.length);
  let previous = 0;
  for (const { id, labels } of entries) {
    out.zigzag(id - previous);
    previous = id;
    const names = Object.keys(labels);
    out.varint(names.length);
    for (const name of names) {
      writeString(name);
      writeString(labels[name] as string);
    }
  }
  return out.copy();
}

function readEntries(payload: Uint8Array): SeriesEntry[] {
  const reader = new ByteReader(payload);
  const known: string[] = [];
  const readString = () => {
    const index = reader.varint();
    if (index === 0) {
      const text = reader.string();
      known.push(text);
      return text;
    }
    const text = known[index - 1];
    if (text === undefined) throw new CorruptDataError("string reference out of range");
    return text;
  };
  let id = 0;
  return Array.from({ length: reader.count(2) }, () => {
    id += reader.zigzag();
    const labels: Record<string, string> = {};
    for (let left = reader.count(2); left > 0; left--) {
      const name = readString();
      labels[name] = readString();
    }
    return { id, labels };
  });
}
