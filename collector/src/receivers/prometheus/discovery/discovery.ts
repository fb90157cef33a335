import { Counter, Gauge, type Clock, type Logger, type Registry } from "@tocsin/platform";
import type { Dispatcher } from "undici";
import type { z } from "zod";
import type { TargetGroup } from "../target-group.ts";

/** Finds targets until it is stopped. */
export interface Discovery {
  /** Does not wait for anything on the network: targets come when they are known. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface DiscoveryDeps {
  clock: Clock;
  logger: Logger;
  /** Keeps connections open between requests. */
  dispatcher: Dispatcher;
  metrics: DiscoveryMetrics;
  /** The scrape job that the targets are for. */
  job: string;
  /** Called with the whole list whenever it may have changed. */
  onChange: (groups: readonly TargetGroup[]) => void;
}

export interface DiscoveryKind<N extends string, C extends z.ZodObject> {
  /** `<name>_sd_configs` is the key in a scrape config. */
  readonly name: N;
  readonly config: C;
  create(config: z.output<C>, deps: DiscoveryDeps): Discovery;
}

export function defineDiscovery<N extends string, C extends z.ZodObject>(
  kind: DiscoveryKind<N, C>,
): DiscoveryKind<N, C> {
  return kind;
}

export interface DiscoveryMetrics {
  updates: Counter<"kind" | "job">;
  failures: Counter<"kind" | "job">;
  away: Gauge<"kind" | "job">;
  invalid: Counter<"kind" | "job">;
}

export function discoveryMetrics(registry: Registry): DiscoveryMetrics {
  const shared = { labelNames: ["kind", "job"] as const, registers: [registry] };
  return {
    updates: new Counter({
      name: "tocsin_discovery_updates_total",
      help: "Lists of targets taken from a registry.",
      ...shared,
    }),
    failures: new Counter({
      name: "tocsin_discovery_failures_total",
      help: "Attempts to reach a registry that failed; the last known list stays.",
      ...shared,
    }),
    away: new Gauge({
      name: "tocsin_discovery_registries_away",
      help: "Registries that cannot be reached now, so that their last known list is in use.",
      ...shared,
    }),
    invalid: new Counter({
      name: "tocsin_discovery_invalid_entries_total",
      help: "Entries of a registry that name no target and were left out.",
      ...shared,
    }),
  };
}
