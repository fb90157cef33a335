import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { VERIFICATIONS } from "./codes.ts";
import type { FailOver } from "./fail-over.ts";
import type { SendQueue } from "./send-queue.ts";

export function smsMetrics(registry: Registry, sources: { failOver: () => FailOver; queue: SendQueue }) {
  const registers = [registry];
  new Gauge({
    name: "sms_provider_up",
    help: "1 while the provider takes messages, 0 while it is left alone after failures",
    labelNames: ["provider"],
    registers,
    collect() {
      for (const { provider, up } of sources.failOver().up()) this.set({ provider }, up ? 1 : 0);
    },
  });
  new Gauge({
    name: "sms_queue_depth",
    help: "Messages that wait for a free sender",
    registers,
    collect() {
      this.set(sources.queue.depth);
    },
  });
  const metrics = {
    messages: new Counter({
      name: "sms_messages_total",
      help: "Messages finished, by the provider that delivered or failed last",
      labelNames: ["provider", "outcome"],
      registers,
    }),
    duration: new Histogram({
      name: "sms_send_duration_seconds",
      help: "Time of one attempt at one provider",
      labelNames: ["provider"],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    failOvers: new Counter({
      name: "sms_failover_total",
      help: "Messages handed from a provider that failed to the next",
      labelNames: ["from", "to"],
      registers,
    }),
    refused: new Counter({
      name: "sms_refused_total",
      help: "Messages refused because the queue was full",
      registers,
    }),
    codesIssued: new Counter({ name: "sms_codes_issued_total", help: "Verification codes issued", registers }),
    codesVerified: new Counter({
      name: "sms_codes_verified_total",
      help: "Verification codes checked, by outcome",
      labelNames: ["outcome"],
      registers,
    }),
  };
  // Series that start at 0 show their first increase; one that starts at 1 hides it from rate().
  const providers = sources.failOver().up();
  for (const [i, { provider }] of providers.entries()) {
    for (const outcome of ["delivered", "failed"]) metrics.messages.inc({ provider, outcome }, 0);
    const next = providers[i + 1];
    if (next !== undefined) metrics.failOvers.inc({ from: provider, to: next.provider }, 0);
  }
  for (const outcome of VERIFICATIONS) metrics.codesVerified.inc({ outcome }, 0);
  return metrics;
}
