import { createSelfMetrics, systemClock, type Clock, type Registry } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { createCollector, type Collector } from "../app.ts";
import { CollectorConfig, type CollectorConfigInput } from "../config.ts";
import { RecordingBus } from "./recording-bus.ts";

export interface RunningCollector extends AsyncDisposable {
  collector: Collector;
  bus: RecordingBus;
  registry: Registry;
  /** Address of the OTLP/HTTP receiver. */
  http: string;
  /** host:port of the OTLP/gRPC receiver. */
  grpc: string;
}

/** A collector on free ports in front of a recording bus. */
export async function startCollector(
  config: CollectorConfigInput = {},
  clock: Clock = systemClock,
): Promise<RunningCollector> {
  const bus = new RecordingBus();
  const registry = createSelfMetrics("test");
  const listen = { host: "127.0.0.1", otlpHttpPort: 0, otlpGrpcPort: 0 };
  const collector = createCollector(CollectorConfig.parse(config), {
    clock,
    logger: silentLogger,
    registry,
    producer: bus,
    listen,
  });
  await collector.start();
  const { otlp_http, otlp_grpc } = collector.addresses();
  return {
    collector,
    bus,
    registry,
    http: `http://127.0.0.1:${otlp_http?.port}`,
    grpc: `127.0.0.1:${otlp_grpc?.port}`,
    [Symbol.asyncDispose]: () => collector.stop(),
  };
}
