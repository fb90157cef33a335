import { Counter, Gauge, type Registry } from "prom-client";

export type ExportSignal = "traces" | "logs";

/** The SDK's account of itself: everything it took is exported, queued or dropped. */
export function exportMetrics(registry: Registry, queued: () => Record<ExportSignal, number>) {
  const registers = [registry];
  new Gauge({
    name: "tocsin_sdk_queue_length",
    help: "Records that wait to be exported",
    labelNames: ["signal"],
    registers,
    collect() {
      for (const [signal, length] of Object.entries(queued())) this.set({ signal }, length);
    },
  });
  return {
    exported: new Counter({
      name: "tocsin_sdk_exported_total",
      help: "Records the collector has taken",
      labelNames: ["signal"],
      registers,
    }),
    dropped: new Counter({
      name: "tocsin_sdk_dropped_total",
      help: "Records lost, by reason",
      labelNames: ["signal", "reason"],
      registers,
    }),
    failures: new Counter({
      name: "tocsin_sdk_export_failures_total",
      help: "Export requests that failed, retries included",
      labelNames: ["signal"],
      registers,
    }),
  };
}
