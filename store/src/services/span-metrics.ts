import { serviceName, type Exemplar, type Labels, type Span, type WriteRequest } from "@tocsin/model";
import { ServiceGraphMetrics } from "./service-graph-metrics.ts";
import { HistogramCounter } from "./histogram-counter.ts";

/** Counters since the writer began, ready to be given the time of writing. */
export interface SpanMetricsSnapshot {
  series: { labels: Labels; value: number; exemplar?: Exemplar }[];
  /** Combinations that got no series of their own. */
  overflowed: number;
  /** Calls whose other half was not waited for, because too many were waiting. */
  unpaired: number;
}

const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"].map(
  (kind) => `SPAN_KIND_${kind}`,
);
const STATUSES = ["UNSET", "OK", "ERROR"].map((status) => `STATUS_CODE_${status}`);
/** The bounds of OpenTelemetry's spanmetrics connector, milliseconds. */
const BOUNDS_MS = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000];
/** Combinations not met for this long are let go. */
const IDLE_MS = 3_600_000;

interface Combination {
  labels: Labels;
  durations: HistogramCounter;
  exemplar: Exemplar | undefined;
  lastMs: number;
}

/**
 * Calls and durations by service, operation, kind and status, named as OpenTelemetry's spanmetrics connector names
 * them, and the service graph beside them. At most `maxCombinations` have series of their own; further ones are
 * counted together under `otel_metric_overflow="true"`.
 */
export class SpanMetrics {
  readonly #maxCombinations: number;
  readonly #combinations = new Map<string, Combination>();
  readonly #graph: ServiceGraphMetrics;
  #overflowed = 0;

  constructor(maxCombinations: number) {
    this.#maxCombinations = maxCombinations;
    this.#graph = new ServiceGraphMetrics(maxCombinations);
  }

  /** Counts spans that were just committed, at `at`. */
  add(spans: readonly Span[], at: number): void {
    for (const span of spans) {
      const combination = this.#combination(span);
      const durationMs = Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6;
      combination.durations.add(durationMs);
      combination.lastMs = at;
      const labels = { trace_id: span.traceId, span_id: span.spanId };
      combination.exemplar = { labels, value: durationMs, timestampMs: Number(span.endTimeUnixNano / 1_000_000n) };
      this.#graph.add(span, at);
    }
  }

  expire(at: number): void {
    for (const [key, { lastMs }] of this.#combinations) if (at - lastMs > IDLE_MS) this.#combinations.delete(key);
    this.#graph.expire(at);
  }

  snapshot(): SpanMetricsSnapshot {
    const series: SpanMetricsSnapshot["series"] = [];
    for (const combination of this.#combinations.values()) {
      const { labels, durations, exemplar } = combination;
      series.push({ labels: { ...labels, __name__: "traces_span_metrics_calls_total" }, value: durations.count });
      series.push(...durations.series("traces_span_metrics_duration_milliseconds", labels, exemplar));
      combination.exemplar = undefined;
    }
    series.push(...this.#graph.series());
    return { series, overflowed: this.#overflowed, unpaired: this.#graph.unpaired };
  }

  #combination(span: Span): Combination {
    const service = serviceName(span.resource);
    const key = `${service}\0${span.name}\0${span.kind}\0${span.status.code}`;
    const known = this.#combinations.get(key);
    if (known) return known;
    if (this.#combinations.size < this.#maxCombinations) {
      const labels = {
        service_name: service,
        span_name: span.name,
        span_kind: KINDS[span.kind] ?? "",
        status_code: STATUSES[span.status.code] ?? "",
      };
      return this.#begin(key, labels);
    }
    this.#overflowed++;
    return this.#combinations.get("") ?? this.#begin("", { otel_metric_overflow: "true" });
  }

  #begin(key: string, labels: Labels): Combination {
    const combination = { labels, durations: new HistogramCounter(BOUNDS_MS), exemplar: undefined, lastMs: 0 };
    this.#combinations.set(key, combination);
    return combination;
  }
}

/** The snapshot as samples taken at `at`. */
export function toWriteRequest({ series }: SpanMetricsSnapshot, at: number): WriteRequest {
  return {
    series: series.map(({ labels, value, exemplar }) => ({
      labels,
      samples: [{ timestampMs: at, value }],
      ...(exemplar && { exemplars: [exemplar] }),
    })),
    metadata: METADATA,
  };
}

const METADATA: NonNullable<WriteRequest["metadata"]> = [
  {
    metric: "traces_span_metrics_calls_total",
    type: "counter",
    unit: "",
    help: "Spans by service, operation, kind and status.",
  },
  {
    metric: "traces_span_metrics_duration_milliseconds",
    type: "histogram",
    unit: "milliseconds",
    help: "Duration of spans.",
  },
  {
    metric: "traces_service_graph_request_total",
    type: "counter",
    unit: "",
    help: "Calls from one service to another.",
  },
  {
    metric: "traces_service_graph_request_failed_total",
    type: "counter",
    unit: "",
    help: "Failed calls from one service to another.",
  },
  {
    metric: "traces_service_graph_request_server_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Duration of calls as the called service saw them.",
  },
  {
    metric: "traces_service_graph_request_client_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Duration of calls as the caller saw them.",
  },
];
