import { TocsinError, type WorkerHandle } from "@tocsin/platform/thread";
import type { FileInfo } from "../files/file-info.ts";
import type { Answer, Asking, StoreReader } from "./store-reader.ts";

export interface ReaderPoolOptions {
  startReader: () => WorkerHandle<StoreReader>;
  readers: number;
  /** Questions that may wait for a free reader; beyond that they are refused. */
  maxWaiting: number;
  budgetMs: number;
}

interface Reader {
  worker: WorkerHandle<StoreReader>;
  busy: boolean;
}

/** Reader threads, each answering one question at a time; questions wait in line, and are dropped when abandoned. */
export class ReaderPool {
  readonly #options: ReaderPoolOptions;
  #readers: Reader[] = [];
  readonly #waiting: ((reader: Reader) => void)[] = [];
  #stopped = true;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
  }

  start(onLost: (error: unknown) => void): void {
    this.#stopped = false;
    this.#readers = Array.from({ length: this.#options.readers }, () => {
      const worker = this.#options.startReader();
      worker.ended.catch(onLost);
      return { worker, busy: false };
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#readers.map(({ worker }) => worker.terminate()));
    this.#readers = [];
  }

  /** Asks one reader. Rejects with the signal's reason when aborted, also in the middle of the search. */
  async ask<T>(
    files: readonly FileInfo[],
    question: (call: WorkerHandle<StoreReader>["call"], asking: Asking) => Promise<Answer<T>>,
    signal?: AbortSignal,
  ): Promise<Answer<T>> {
    signal?.throwIfAborted();
    const reader = await this.#free(signal);
    const abandoned = new Int32Array(new SharedArrayBuffer(4));
    const onAbort = () => void Atomics.store(abandoned, 0, 1);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      return await question(reader.worker.call, { files, abandoned, budgetMs: this.#options.budgetMs });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#release(reader);
    }
  }

  /** Makes every reader close these files. */
  async release(paths: readonly string[]): Promise<void> {
    await Promise.all(this.#readers.map(({ worker }) => worker.call.release(paths)));
  }

  #free(signal: AbortSignal | undefined): Promise<Reader> {
    if (this.#stopped) throw new TocsinError("TOCSIN_STOPPING", "the store is stopped");
    const idle = this.#readers.find(({ busy }) => !busy);
    if (idle) {
      idle.busy = true;
      return Promise.resolve(idle);
    }
    if (this.#waiting.length >= this.#options.maxWaiting) {
      throw new TocsinError(
        "TOCSIN_OVERLOADED",
        `${this.#waiting.length} searches are waiting already; try again shortly`,
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal?.reason as Error);
      };
      const take = (reader: Reader) => {
        signal?.removeEventListener("abort", onAbort);
        resolve(reader);
      };
      this.#waiting.push(take);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #release(reader: Reader): void {
    const next = this.#waiting.shift();
    if (next) next(reader);
    else reader.busy = false;
  }
}
