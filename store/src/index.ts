export { TelemetryStoreConfig } from "./config.ts";
export type {
  Facet,
  Histogram,
  HistogramBucket,
  LogSearch,
  LogStore,
  Page,
  StoreCaps,
  TailEvent,
  TimeRange,
} from "./log-store.ts";
export type { EdgeRow, RedQuery, RedRow, RedStats, ServiceRow, TraceSearch, TraceStore } from "./trace-store.ts";
export {
  createTelemetryStore,
  type StoreUsage,
  type TelemetryStore,
  type TelemetryStoreOptions,
} from "./telemetry-store.ts";
