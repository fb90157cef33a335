import { Counter, Gauge, type Registry } from "@tocsin/platform";
import type { StoreUsage } from "../telemetry-store.ts";
import type { StoredSignal } from "../writers/record-kind.ts";

export type ElasticMetrics = ReturnType<typeof elasticMetrics>;

/** Named as the embedded store names its own, so that boards and rules fit both. */
export function elasticMetrics(registry: Registry, usage: () => Record<StoredSignal, StoreUsage>) {
  const registers = [registry];
  const gauge = (name: string, help: string, read: (usage: StoreUsage) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["signal"],
      registers,
      collect() {
        for (const [signal, of] of Object.entries(usage())) this.set({ signal }, read(of));
      },
    });
  gauge("tocsin_store_files", "Indices of the store.", ({ files }) => files);
  gauge("tocsin_store_bytes", "Bytes of the store's indices, copies included.", ({ bytes }) => bytes);
  gauge("tocsin_store_records", "Records in the store.", ({ records }) => records);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  return {
    written: counter("tocsin_store_written_records_total", "Records written.", ["signal"]),
    leftOut: counter(
      "tocsin_store_left_out_records_total",
      "Records not written anew: they came before (repeated), are not valid (invalid), or will never be taken (refused).",
      ["signal", "reason"],
    ),
    refused: counter("tocsin_store_refused_batches_total", "Batches refused because too much was pending.", ["signal"]),
    dropped: counter("tocsin_store_dropped_files_total", "Indices dropped by age.", ["signal", "reason"]),
    retried: counter(
      "tocsin_store_bulk_retries_total",
      "Bulk requests sent again: the server was too busy (rejected), away (unreachable), or refused to write (refused).",
      ["reason"],
    ),
    tailDropped: counter("tocsin_store_tail_dropped_records_total", "Records that slow live views missed.", []),
    overflowed: new Gauge({
      name: "tocsin_store_span_metrics_overflowed_spans",
      help: "Spans counted together because there were too many combinations.",
      registers,
    }),
    unpaired: new Gauge({
      name: "tocsin_store_service_graph_unpaired_spans",
      help: "Spans left out of the service graph because too many waited.",
      registers,
    }),
  };
}
