import { createRequire } from "node:module";
import type { Registry } from "prom-client";

/** prom-client, its successor, and its best known fork: they share one API. */
const CLIENTS =
  /[\\/]node_modules[\\/](prom-client|@prometheus-io[\\/]client|@platformatic[\\/]prom-client)[\\/]index\.js$/;

/**
 * The default registries, as far as they hold metrics, of the Prometheus clients that the process has loaded. Each copy
 * of a client has its own, so there may be several. All of them are CommonJS, and so in the module cache however they
 * were imported.
 */
export function appRegistries(): { file: string; registry: Registry }[] {
  const { cache } = createRequire(import.meta.url);
  return Object.entries(cache).flatMap(([file, module]) => {
    if (!CLIENTS.test(file)) return [];
    const registry = (module?.exports as { register?: Registry } | undefined)?.register;
    return registry !== undefined && isUsed(registry) ? [{ file, registry }] : [];
  });
}

const isUsed = (registry: Registry): boolean =>
  typeof registry.getMetricsAsArray === "function" && registry.getMetricsAsArray().length > 0;
