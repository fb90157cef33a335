import { serveWorker } from "@tocsin/platform/thread";
import { createStoreWriter } from "./store-writer.ts";

export type { StoreWriter } from "./store-writer.ts";

const send = serveWorker(createStoreWriter((event, payload) => send(event, payload)));
