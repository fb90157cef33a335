import { siblingModule, startWorker, type WorkerHandle } from "@tocsin/platform";
import type { StoreReader } from "./search/reader-thread.ts";
import type { StoreWriter } from "./writers/writer-thread.ts";

/** Where the writer and the readers of a store run. */
export interface StoreThreads {
  writer(): WorkerHandle<StoreWriter>;
  reader(): WorkerHandle<StoreReader>;
}

/** Each in a thread of its own, so that no search and no commit holds up the main loop. */
export const workerThreads: StoreThreads = {
  writer: () => startWorker(siblingModule(import.meta.url, "writers/writer-thread")),
  reader: () => startWorker(siblingModule(import.meta.url, "search/reader-thread")),
};
