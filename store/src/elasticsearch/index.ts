export { ElasticsearchConfig } from "./config.ts";
export { createElasticsearchStore, type ElasticsearchStoreOptions } from "./elasticsearch-store.ts";
