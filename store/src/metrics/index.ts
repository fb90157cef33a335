export { MetricStoreConfig } from "./config.ts";
export {
  type AskOptions,
  createMetricStore,
  type EmbeddedMetricStore,
  type LabelScope,
  type MetricStore,
  type MetricStoreDeps,
} from "./metric-store.ts";
export { createMetricWriter, METRIC_WRITER_GROUP } from "./metric-writer.ts";
export type { Lane } from "./query/query-lanes.ts";
export { prometheusQueryApi, type PrometheusQueryApiOptions } from "../prometheus-api/index.ts";
