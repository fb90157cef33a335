import { join } from "node:path";
import {
  createDeadLetters,
  createKafkaBus,
  createMemoryBus,
  type BusConsumer,
  type BusProducer,
  type DeadLetters,
} from "@tocsin/bus";
import type { PipelineStatus } from "@tocsin/model";
import type { Clock, Component, Logger, Registry } from "@tocsin/platform";
import {
  createElasticsearchStore,
  createMetricStore,
  createMetricWriter,
  createPrometheusStore,
  createTelemetryStore,
  type EmbeddedMetricStore,
  LOG_WRITER_GROUP,
  METRIC_WRITER_GROUP,
  type PrometheusMetricStore,
  PrometheusStoreConfig,
  SPAN_WRITER_GROUP,
  type TelemetryStore,
} from "@tocsin/store";
import type { Settings } from "../settings/read-settings.ts";

export interface BackendsOptions {
  settings: Settings;
  dataDir: string;
  clock: Clock;
  logger: Logger;
  registry: Registry;
  onLost: (error: unknown) => void;
}

/** The engines below the seams: embedded, or Kafka, Elasticsearch and Prometheus, as tocsin.yaml says. */
export interface Backends {
  readonly producer: BusProducer;
  readonly deadLetters: DeadLetters;
  readonly metrics: EmbeddedMetricStore | PrometheusMetricStore;
  /** The same when it is embedded, which takes more than the bus brings. */
  readonly embeddedMetrics: EmbeddedMetricStore | undefined;
  readonly telemetry: TelemetryStore;
  /** In the order in which they start: what is written to before what writes. */
  readonly components: readonly Component[];
  /** How much is kept, for the pipeline's view. */
  storage(): Promise<Pick<PipelineStatus, "oldest" | "bytes">>;
}

export function createBackends(options: BackendsOptions): Backends {
  const { settings, dataDir, onLost, ...common } = options;
  const { bus, deadLetters, components } = createBus(options);
  const embeddedMetrics = createEmbeddedMetrics(options);
  const metrics =
    embeddedMetrics ??
    createPrometheusStore({ ...common, config: settings.store.prometheus ?? PrometheusStoreConfig.parse({}) });
  const telemetryOptions = { ...common, spanMetricsSink: metrics.append.bind(metrics) };
  const telemetry =
    settings.store.elasticsearch === undefined
      ? createTelemetryStore({ ...telemetryOptions, dataDir, config: settings.store, onLost })
      : createElasticsearchStore({ ...telemetryOptions, config: settings.store.elasticsearch, deadLetters });
  bus.subscribe("otlp_logs", LOG_WRITER_GROUP, telemetry.writers.logs);
  bus.subscribe("otlp_spans", SPAN_WRITER_GROUP, telemetry.writers.spans);
  bus.subscribe("otlp_metrics", METRIC_WRITER_GROUP, createMetricWriter(metrics));
  return {
    producer: bus,
    deadLetters,
    metrics,
    embeddedMetrics,
    telemetry,
    components: [metrics, telemetry, ...components],
    storage: () => storageFacts(telemetry, metrics, embeddedMetrics),
  };
}

function createEmbeddedMetrics(options: BackendsOptions): EmbeddedMetricStore | undefined {
  const { settings, dataDir, onLost, ...common } = options;
  if (settings.store.prometheus !== undefined) return undefined;
  const store = createMetricStore({ ...common, dataDir, config: settings.store.metrics });
  store.ended.catch(onLost);
  return store;
}

function createBus({ settings, dataDir, clock, logger, registry }: BackendsOptions): {
  bus: BusProducer & BusConsumer;
  deadLetters: DeadLetters;
  components: Component[];
} {
  const common = { clock, logger, registry };
  if (settings.bus.driver === "kafka") {
    const bus = createKafkaBus(settings.bus.kafka, { ...common, dataDir });
    return { bus, deadLetters: bus.deadLetters, components: [bus, bus.deadLetters] };
  }
  const deadLetters = createDeadLetters({ ...common, dir: join(dataDir, "dead-letters") });
  const bus = createMemoryBus({ ...common, deadLetters });
  return { bus, deadLetters, components: [deadLetters, bus] };
}

async function storageFacts(
  telemetry: TelemetryStore,
  metrics: EmbeddedMetricStore | PrometheusMetricStore,
  embedded: EmbeddedMetricStore | undefined,
): Promise<Pick<PipelineStatus, "oldest" | "bytes">> {
  const { logs, spans } = telemetry.usage();
  const { oldestMs } = await metrics.stats();
  const kept = await embedded?.stats();
  const time = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : new Date(ms).toISOString());
  return {
    oldest: { logs: time(logs.oldestMs), traces: time(spans.oldestMs), metrics: time(oldestMs) },
    bytes: logs.bytes + spans.bytes + (kept ? kept.blockBytes + kept.walBytes + kept.seriesLogBytes : 0),
  };
}
