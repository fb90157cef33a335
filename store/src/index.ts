export { TelemetryStoreConfig } from "./config.ts";
export type {
  Facet,
  Facets,
  Histogram,
  HistogramBucket,
  LogSearch,
  LogStore,
  Page,
  StoreCaps,
  TailEvent,
  TimeRange,
} from "./log-store.ts";
export type {
  EdgeRow,
  EdgeRows,
  RedQuery,
  RedRow,
  RedRows,
  RedStats,
  ServiceRow,
  TraceSearch,
  TraceStore,
} from "./trace-store.ts";
export {
  createTelemetryStore,
  LOG_WRITER_GROUP,
  SPAN_WRITER_GROUP,
  type StoreUsage,
  type TelemetryStore,
  type TelemetryStoreOptions,
} from "./telemetry-store.ts";
export { telemetryApi, type TelemetryApiOptions } from "./query-api/telemetry-api.ts";
export * from "./elasticsearch/index.ts";
export * from "./metrics/index.ts";
export * from "./prometheus/index.ts";
