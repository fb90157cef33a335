import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

export { Counter, Gauge, Histogram, Registry, Summary } from "prom-client";

/** A registry of this process' own metrics, with the Node runtime's and `tocsin_build_info` in it. */
export function createSelfMetrics(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const info = new Gauge({
    name: "tocsin_build_info",
    help: "Version of this Tocsin process; the value is 1.",
    labelNames: ["version", "node"],
    registers: [registry],
  });
  info.set({ version, node: process.version }, 1);
  return registry;
}
