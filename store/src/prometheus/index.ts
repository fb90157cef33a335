export { PrometheusStoreConfig } from "./config.ts";
export { createPrometheusStore, type PrometheusMetricStore, type PrometheusStoreDeps } from "./prometheus-store.ts";
export { remoteWriteApi, type RemoteWriteApiOptions } from "./remote-write-api.ts";
