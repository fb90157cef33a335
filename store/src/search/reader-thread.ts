import { serveWorker } from "@tocsin/platform/thread";
import { createStoreReader } from "./store-reader.ts";

export type { StoreReader } from "./store-reader.ts";

serveWorker(createStoreReader());
