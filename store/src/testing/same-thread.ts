import type { Remote, WorkerHandle } from "@tocsin/platform";
import { createStoreReader } from "../search/store-reader.ts";
import type { StoreThreads } from "../threads.ts";
import { createStoreWriter } from "../writers/store-writer.ts";

type Handlers = Record<string, (...args: never[]) => unknown>;

/** Runs writer and readers in the caller's thread, which starts in no time; values are copied as between threads. */
export const sameThread: StoreThreads = {
  writer() {
    const listeners = new Map<string, (payload: unknown) => void>();
    const send = (event: string, payload: unknown) => listeners.get(event)?.(structuredClone(payload));
    return handle(createStoreWriter(send), listeners);
  },
  reader: () => handle(createStoreReader(), new Map()),
};

function handle<H extends Handlers>(handlers: H, listeners: Map<string, (payload: unknown) => void>): WorkerHandle<H> {
  const ended = Promise.withResolvers<void>();
  const call = new Proxy({} as Remote<H>, {
    get:
      (_, method: string) =>
      async (...args: unknown[]) => {
        // Not at once: between threads, too, an answer never comes before the caller goes on.
        await Promise.resolve();
        return structuredClone(await handlers[method]?.(...(structuredClone(args) as never[])));
      },
  });
  return {
    call,
    ended: ended.promise,
    on: (event, listener) => void listeners.set(event, listener),
    terminate: async () => ended.resolve(),
  };
}
