import { isSqliteError, type SignalWriter, type WriteBatch, type Written } from "./signal-writer.ts";
import type { AppendResult } from "./store-writer.ts";

/** A commit is made at once when so many records wait. */
const COMMIT_RECORDS = 1000;
const MAX_DELAY_MS = 100;

interface Waiting<R> {
  batch: WriteBatch<R>;
  at: number;
  resolve: (result: AppendResult) => void;
  reject: (error: unknown) => void;
}

/** Puts batches that come within a short while into one transaction; each is answered when that is committed. */
export class GroupCommit<R> {
  readonly #writer: SignalWriter<R>;
  readonly #delayMs: number;
  readonly #onWritten: (written: Written<R>, at: number) => void;
  #waiting: Waiting<R>[] = [];
  #records = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(writer: SignalWriter<R>, delayMs: number, onWritten: (written: Written<R>, at: number) => void) {
    this.#writer = writer;
    this.#delayMs = Math.min(delayMs, MAX_DELAY_MS);
    this.#onWritten = onWritten;
  }

  add(batch: WriteBatch<R>, at: number): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, at, resolve, reject });
      this.#records += batch.records.length;
      if (this.#records >= COMMIT_RECORDS) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), this.#delayMs);
    });
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#records = 0;
    if (waiting.length > 0) this.#commit(waiting);
  }

  #commit(waiting: readonly Waiting<R>[]): void {
    const at = waiting.reduce((max, entry) => Math.max(max, entry.at), 0);
    let written: Written<R>;
    try {
      written = this.#writer.write(
        waiting.map(({ batch }) => batch),
        at,
      );
    } catch (error) {
      // One batch that cannot be stored must not take the others with it.
      if (waiting.length > 1 && !isSqliteError(error)) for (const entry of waiting) this.#commit([entry]);
      else for (const { reject } of waiting) reject(error);
      return;
    }
    this.#onWritten(written, at);
    for (const { resolve } of waiting) resolve({ status: "ok" });
  }
}
