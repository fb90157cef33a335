import type { BusHandler } from "@tocsin/bus";
import type { EmbeddedMetricStore } from "./metric-store.ts";

/** The consumer group under which samples are written. */
export const METRIC_WRITER_GROUP = "metric-writer";

/**
 * Writes what comes over topic `otlp_metrics`. The bytes go to the store's thread as they are and are decoded there,
 * once. What is no OTLP is poison; a store that cannot write throws, so that the message comes again. Samples that the
 * store refuses (too old, too many series) are counted there and don't come again.
 */
export function createMetricWriter(store: Pick<EmbeddedMetricStore, "appendOtlp">): BusHandler {
  return async (message) => {
    const outcome = await store.appendOtlp(message.value);
    return outcome.status === "poison" ? { status: "poison", reason: outcome.reason } : { status: "ok" };
  };
}
