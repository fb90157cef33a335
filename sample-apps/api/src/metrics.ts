import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Upstream } from "./upstream.ts";

const UPSTREAMS = ["rate-limiter", "sms"] as const;
const UPSTREAM_OUTCOMES = [
  "ok",
  "refused",
  "failed",
  "timeout",
  "unreachable",
  "server_error",
  "circuit_open",
  "no_instance",
] as const;
export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

const ORDER_OUTCOMES = ["accepted", "accepted_without_sms", "limited", "invalid"] as const;
const LOGIN_OUTCOMES = ["code_sent", "code_failed", "limited", "confirmed", "wrong_code", "unavailable"] as const;

export type GatewayMetrics = ReturnType<typeof gatewayMetrics>;

/** `upstreams` is asked at each scrape. */
export function gatewayMetrics(registry: Registry, upstreams: () => readonly Upstream[]) {
  const registers = [registry];
  new Gauge({
    name: "gateway_circuit_open",
    help: "1 while calls to the upstream are held back",
    labelNames: ["upstream"],
    registers,
    collect() {
      for (const { name, circuitOpen } of upstreams()) this.set({ upstream: name }, circuitOpen ? 1 : 0);
    },
  });
  const metrics = {
    orders: new Counter({
      name: "orders_total",
      help: "Orders posted, by outcome",
      labelNames: ["outcome"],
      registers,
    }),
    logins: new Counter({
      name: "logins_total",
      help: "Logins asked for and confirmed, by outcome",
      labelNames: ["outcome"],
      registers,
    }),
    orderValue: new Histogram({
      name: "order_value_yuan",
      help: "Value of accepted orders",
      buckets: [10, 25, 50, 100, 250, 500, 1000, 2500, 5000],
      registers,
    }),
    upstreamRequests: new Counter({
      name: "gateway_upstream_requests_total",
      help: "Calls to other services, by outcome",
      labelNames: ["upstream", "outcome"],
      registers,
    }),
    upstreamDuration: new Histogram({
      name: "gateway_upstream_duration_seconds",
      help: "Time of calls to other services",
      labelNames: ["upstream"],
      registers,
    }),
    discoveryFailures: new Counter({
      name: "gateway_discovery_failures_total",
      help: "Attempts to read the upstream's instances from the registry that failed; the last known ones stay",
      labelNames: ["upstream"],
      registers,
    }),
  };
  // Series that start at 0 show their first increase; one that starts at 1 hides it from rate().
  for (const outcome of ORDER_OUTCOMES) metrics.orders.inc({ outcome }, 0);
  for (const outcome of LOGIN_OUTCOMES) metrics.logins.inc({ outcome }, 0);
  for (const upstream of UPSTREAMS) {
    metrics.discoveryFailures.inc({ upstream }, 0);
    for (const outcome of UPSTREAM_OUTCOMES) metrics.upstreamRequests.inc({ upstream, outcome }, 0);
  }
  return metrics;
}
