import type { SpanContext } from "@opentelemetry/api";
import { Counter, Histogram, type Registry } from "prom-client";

export const UNMATCHED_ROUTE = "__unmatched__";
export const OVERFLOW_ROUTE = "__overflow__";
export const MAX_ROUTES = 200;

/** Rate, errors and duration of the requests served, by route template. */
export class HttpServerMetrics {
  readonly #duration: Histogram;
  readonly #overflow: Counter;
  readonly #routes = new Set<string>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#duration = new Histogram({
      name: "http_server_request_duration_seconds",
      help: "Duration of HTTP requests served, by route template",
      labelNames: ["method", "route", "status_code"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
      enableExemplars: true,
      registers,
    });
    this.#overflow = new Counter({
      name: "tocsin_sdk_route_overflow_total",
      help: `Requests counted under ${OVERFLOW_ROUTE} because the process has more than ${MAX_ROUTES} routes`,
      registers,
    });
  }

  /** `route` is undefined when the request matched none. `span` becomes the exemplar when it is sampled. */
  observe(method: string, route: string | undefined, statusCode: number, seconds: number, span?: SpanContext): void {
    this.#duration.observe({
      labels: { method, route: this.#bounded(route), status_code: statusCode },
      value: seconds,
      ...(span !== undefined && (span.traceFlags & 1) === 1
        ? { exemplarLabels: { trace_id: span.traceId, span_id: span.spanId } }
        : {}),
    });
  }

  #bounded(route: string | undefined): string {
    if (route === undefined) return UNMATCHED_ROUTE;
    if (this.#routes.has(route)) return route;
    if (this.#routes.size < MAX_ROUTES) {
      this.#routes.add(route);
      return route;
    }
    this.#overflow.inc();
    return OVERFLOW_ROUTE;
  }
}
