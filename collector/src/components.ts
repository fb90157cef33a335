import { bus } from "./exporters/bus/exporter.ts";
import { otlpHttp } from "./receivers/otlp-http/receiver.ts";
import { prometheus } from "./receivers/prometheus/receiver.ts";
import { memoryLimiter } from "./processors/memory-limiter/processor.ts";

/** Every receiver; a new one is a folder and a name here. */
export const receivers = [otlpHttp, prometheus] as const;
/** Every processor. */
export const processors = [memoryLimiter] as const;
/** Every exporter. The first is the main one; the others get copies of what it has taken. */
export const exporters = [bus] as const;
