import { bus } from "./exporters/bus/exporter.ts";
import { otlpHttpExporter } from "./exporters/otlp-http/exporter.ts";
import { batch } from "./processors/batch/processor.ts";
import { memoryLimiter } from "./processors/memory-limiter/processor.ts";
import { resource } from "./processors/resource/processor.ts";
import { otlpGrpc } from "./receivers/otlp-grpc/receiver.ts";
import { otlpHttp } from "./receivers/otlp-http/receiver.ts";
import { prometheus } from "./receivers/prometheus/receiver.ts";

/** Every receiver; a new one is a folder and a name here. */
export const receivers = [otlpHttp, otlpGrpc, prometheus] as const;
/** Every processor. */
export const processors = [batch, memoryLimiter, resource] as const;
/** Every exporter. The first is the main one; the others get copies of what it has taken. */
export const exporters = [bus, otlpHttpExporter] as const;
