import type { BusHandler } from "@tocsin/bus";

/** Takes an ExportMetricsServiceRequest as it comes from the bus; poison is what can never be taken. */
export interface OtlpSink {
  appendOtlp(value: Uint8Array): Promise<{ status: "ok" } | { status: "poison"; reason: string }>;
}

/** The consumer group under which samples are written. */
export const METRIC_WRITER_GROUP = "metric-writer";

/**
 * Writes what comes over topic `otlp_metrics`. The bytes go to the store's thread as they are and are decoded there,
 * once. What is no OTLP is poison; a store that cannot write throws, so that the message comes again. Samples that the
 * store refuses (too old, too many series) are counted there and don't come again.
 */
export function createMetricWriter(store: OtlpSink): BusHandler {
  return async (message) => {
    const outcome = await store.appendOtlp(message.value);
    return outcome.status === "poison" ? { status: "poison", reason: outcome.reason } : { status: "ok" };
  };
}
