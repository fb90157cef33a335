import { mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Counter, errorMessage, TocsinError, type Component, type Logger, type Registry } from "@tocsin/platform";
import { z } from "zod";
import { TOPICS, type DeadLetter, type Topic } from "./bus.ts";

/** Takes what could not be decoded or stored. Never throws: a letter that cannot be kept is counted and logged. */
export interface DeadLetterSink {
  add(letter: DeadLetter, records: number): Promise<void>;
}

/** A dead letter as the list shows it: without its bytes but for the first of them. */
export interface DeadLetterHead extends Omit<DeadLetter, "value"> {
  records: number;
  bytes: number;
  excerpt: Uint8Array;
}

export interface DeadLetters extends DeadLetterSink, Component {
  /** The newest letters, newest first, at most 200. */
  list(): readonly DeadLetterHead[];
  /** Records set aside since start, by topic; a message that several groups refuse counts once. */
  records(topic: Topic): number;
}

export interface DeadLettersOptions {
  /** Folder for the letters; made when it is missing. */
  dir: string;
  logger: Logger;
  registry: Registry;
  /** Of all letters together; the oldest go first. Default 64 MiB. */
  maxBytes?: number;
}

const LIST_LENGTH = 200;
const EXCERPT_BYTES = 2048;
const MAX_HEAD_BYTES = 64 * 1024;

const Head = z.object({
  at: z.number(),
  topic: z.enum(TOPICS),
  group: z.string(),
  key: z.string(),
  reason: z.string(),
  records: z.number(),
});

interface LetterFile {
  name: string;
  bytes: number;
}

/**
 * Dead letters on disk, one file each: a line of JSON with the reason, then the message's bytes. The newest `maxBytes` are
 * kept.
 */
export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  return new LetterFolder(options);
}

class LetterFolder implements DeadLetters {
  readonly name = "dead-letters";
  readonly #dir: string;
  readonly #maxBytes: number;
  readonly #logger: Logger;
  readonly #added: Counter;
  readonly #lost: Counter;
  readonly #records = new Map<Topic, number>();
  #heads: DeadLetterHead[] = [];
  #files: LetterFile[] = [];
  #bytes = 0;
  #next = 1;
  #lastValue: Uint8Array | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: DeadLettersOptions) {
    this.#dir = options.dir;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#logger = options.logger.child({ component: this.name });
    const registers = [options.registry];
    this.#added = new Counter({
      name: "tocsin_bus_dead_letters_total",
      help: "Messages that a consumer could not decode or store and set aside.",
      labelNames: ["topic", "group"],
      registers,
    });
    this.#lost = new Counter({
      name: "tocsin_bus_dead_letters_lost_total",
      help: "Dead letters that were dropped, because they are too large, could not be written, or gave way to newer ones.",
      labelNames: ["reason"],
      registers,
    });
  }

  /** Reads the heads of the letters that are there. Throws when the folder cannot be made. */
  async start(): Promise<void> {
    try {
      await mkdir(this.#dir, { recursive: true });
    } catch (cause) {
      throw new TocsinError("TOCSIN_DATA_DIR_UNWRITABLE", `cannot make ${this.#dir}: ${errorMessage(cause)}`, {
        cause,
      });
    }
    const names = (await readdir(this.#dir)).filter((name) => /^\d{8}\.letter$/.test(name)).sort();
    for (const name of names) this.#account({ name, bytes: (await stat(join(this.#dir, name))).size });
    this.#next = Number(names.at(-1)?.slice(0, 8) ?? 0) + 1;
    for (const name of names.slice(-LIST_LENGTH)) {
      const head = await readHead(join(this.#dir, name));
      if (head) this.#heads.unshift(head);
      else this.#logger.warn({ file: name }, "dead letter cannot be read");
    }
  }

  /** Waits for the letters being written. */
  async stop(): Promise<void> {
    await this.#writing;
  }

  list(): readonly DeadLetterHead[] {
    return this.#heads;
  }

  records(topic: Topic): number {
    return this.#records.get(topic) ?? 0;
  }

  async add(letter: DeadLetter, records: number): Promise<void> {
    this.#added.inc({ topic: letter.topic, group: letter.group });
    if (this.#lastValue !== letter.value) this.#records.set(letter.topic, this.records(letter.topic) + records);
    this.#lastValue = letter.value;
    const { value, ...rest } = letter;
    const head = { ...rest, reason: rest.reason.slice(0, 4096), key: rest.key.slice(0, 1024), records };
    this.#heads = [{ ...head, bytes: value.length, excerpt: value.slice(0, EXCERPT_BYTES) }, ...this.#heads].slice(
      0,
      LIST_LENGTH,
    );
    this.#writing = this.#writing.then(() => this.#write(head, value));
    await this.#writing;
  }

  async #write(head: object, value: Uint8Array): Promise<void> {
    const name = `${String(this.#next++).padStart(8, "0")}.letter`;
    const text = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), value]);
    if (text.length > this.#maxBytes) {
      this.#lost.inc({ reason: "too_large" });
      return;
    }
    try {
      await writeFile(join(this.#dir, name), text, { flag: "wx" });
      this.#account({ name, bytes: text.length });
      await this.#makeRoom();
    } catch (err) {
      this.#lost.inc({ reason: "not_written" });
      this.#logger.error({ err, file: name }, "dead letter cannot be written");
    }
  }

  #account(file: LetterFile): void {
    this.#files.push(file);
    this.#bytes += file.bytes;
  }

  async #makeRoom(): Promise<void> {
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#files.shift();
      if (!oldest) return;
      this.#bytes -= oldest.bytes;
      this.#lost.inc({ reason: "displaced" });
      await rm(join(this.#dir, oldest.name), { force: true });
    }
  }
}

/** The first line of a letter and what it says of the rest; undefined when it is not whole. */
async function readHead(file: string): Promise<DeadLetterHead | undefined> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const start = Buffer.alloc(Math.min(size, MAX_HEAD_BYTES));
    await handle.read(start, 0, start.length, 0);
    const end = start.indexOf("\n");
    if (end < 0) return undefined;
    const head = Head.safeParse(parseJson(start.toString("utf8", 0, end)));
    if (!head.success) return undefined;
    return {
      ...head.data,
      bytes: size - end - 1,
      excerpt: new Uint8Array(start.subarray(end + 1, end + 1 + EXCERPT_BYTES)),
    };
  } finally {
    await handle.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
