import { Counter, Gauge, Histogram, type Registry } from "@tocsin/platform";

export type WriteMetrics = ReturnType<typeof createWriteMetrics>;

export function createWriteMetrics(registry: Registry, pending: () => number) {
  const registers = [registry];
  new Gauge({
    name: "tocsin_prometheus_write_pending_samples",
    help: "Samples that wait for Prometheus or are on their way to it.",
    registers,
    collect() {
      this.set(pending());
    },
  });
  const dropped = new Counter({
    name: "tocsin_prometheus_write_dropped_samples_total",
    help: "Samples that Prometheus will never take, by the status of its answer.",
    labelNames: ["reason"],
    registers,
  });
  // There from the start, so that the first ones count as an increase.
  for (const reason of ["status_400", "status_500"]) dropped.inc({ reason }, 0);
  return {
    dropped,
    accepted: new Counter({
      name: "tocsin_prometheus_write_samples_total",
      help: "Samples that Prometheus has taken.",
      registers,
    }),
    refused: new Counter({
      name: "tocsin_prometheus_write_refused_samples_total",
      help: "Samples given back because too many waited already; they come again.",
      registers,
    }),
    retries: new Counter({
      name: "tocsin_prometheus_write_retries_total",
      help: "Requests that had to be repeated.",
      registers,
    }),
    duration: new Histogram({
      name: "tocsin_prometheus_write_duration_seconds",
      help: "How long one request took.",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
      registers,
    }),
    newest: new Gauge({
      name: "tocsin_prometheus_write_newest_sample_seconds",
      help: "Unix time of the newest sample that Prometheus has taken.",
      registers,
    }),
  };
}
