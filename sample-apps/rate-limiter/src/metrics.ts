import { Counter, Gauge, type Registry } from "prom-client";
import type { Limiter } from "./limiter.ts";

export function limiterMetrics(limiter: Limiter, registry: Registry) {
  const registers = [registry];
  new Gauge({
    name: "rate_limiter_bucket_capacity",
    help: "Tokens a full bucket holds, by client",
    labelNames: ["client"],
    registers,
    collect() {
      for (const { client, capacity } of limiter.buckets()) this.set({ client }, capacity);
    },
  });
  new Gauge({
    name: "rate_limiter_tokens",
    help: "Tokens left in the bucket, by client",
    labelNames: ["client"],
    registers,
    collect() {
      for (const { client, tokens } of limiter.buckets()) this.set({ client }, tokens);
    },
  });
  const decisions = new Counter({
    name: "rate_limiter_decisions_total",
    help: "Checks decided, by decision and client",
    labelNames: ["decision", "client"],
    registers,
  });
  // Series that start at 0 show their first increase; one that starts at 1 hides it from rate().
  for (const { client } of limiter.buckets()) {
    for (const decision of ["allowed", "limited"]) decisions.inc({ decision, client }, 0);
  }
  return { decisions };
}
