import type { MatcherMode } from "@tocsin/model";
import type { Clock } from "@tocsin/platform";
import { joinExtraReceivers, type ExtraReceivers } from "./config/extra-receivers.ts";
import { loadRouterConfig } from "./config/load.ts";
import { integrations } from "./notify/integrations.ts";
import { Templates } from "./notify/template.ts";
import { walkRoutes } from "./route.ts";

/** What a configuration holds, for `tocsin check config`. */
export interface CheckedConfig {
  readonly routes: number;
  readonly receivers: readonly string[];
  readonly inhibitRules: number;
  readonly timeIntervals: number;
  readonly templateFiles: readonly string[];
  readonly warnings: readonly string[];
}

/** Does everything with a configuration file that a start does before it acts. Throws a ConfigError with every mistake. */
export function checkConfig(
  file: string,
  {
    clock,
    mode = "default",
    extraReceivers = [],
  }: { clock: Clock; mode?: MatcherMode; extraReceivers?: ExtraReceivers },
): CheckedConfig {
  const config = joinExtraReceivers(loadRouterConfig(file, { integrations, mode }), extraReceivers);
  const templates = new Templates({ files: config.templateFiles, clock, externalUrl: () => "http://localhost" });
  return {
    routes: [...walkRoutes(config.route)].length,
    receivers: config.receivers.map(({ name }) => name),
    inhibitRules: config.inhibitRules.length,
    timeIntervals: config.timeIntervals.size,
    templateFiles: config.templateFiles,
    warnings: [...config.warnings, ...templates.mistakesIn(config.receivers)],
  };
}
