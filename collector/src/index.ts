export { createCollector, type Collector, type CollectorDeps } from "./app.ts";
export { collectorApi, type CollectorApiOptions } from "./api.ts";
export type { SignalAccount } from "./accounts.ts";
export type { ListenAddress } from "./component.ts";
export { CollectorConfig, type CollectorConfigInput } from "./config.ts";
export type { Reject } from "./rejects.ts";
