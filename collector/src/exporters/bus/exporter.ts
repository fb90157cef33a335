import type { Topic } from "@tocsin/bus";
import type { Signal } from "@tocsin/model";
import { defineExporter } from "../../component.ts";
import { BusExporterConfig } from "./config.ts";

export const SIGNAL_TOPICS: Readonly<Record<Signal, Topic>> = {
  logs: "otlp_logs",
  traces: "otlp_spans",
  metrics: "otlp_metrics",
};

/** Hands payloads to the bus, keyed by service; the outcome is the bus' own. */
export const bus = defineExporter({
  name: "bus",
  config: BusExporterConfig,
  create: (_config, { producer }) => ({
    name: "exporter bus",
    async start() {},
    async stop() {},
    consume: ({ signal, service, records, bytes }) =>
      producer.send({ topic: SIGNAL_TOPICS[signal], key: service, value: bytes, records }),
  }),
});
