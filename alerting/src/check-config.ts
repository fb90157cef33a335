import type { MatcherMode } from "@tocsin/model";
import type { Clock } from "@tocsin/platform";
import { joinExtraReceivers } from "./config/extra-receivers.ts";
import { loadRouterConfig } from "./config/load.ts";
import { integrations } from "./notify/integrations.ts";
import { Templates } from "./notify/template.ts";
import { walkRoutes } from "./route.ts";
import type { AlertRouterOptions } from "./router.ts";

/** What a configuration holds, for `tocsin check config`. */
export interface CheckedConfig {
  readonly routes: number;
  readonly receivers: readonly string[];
  readonly inhibitRules: number;
  readonly timeIntervals: number;
  readonly templateFiles: readonly string[];
  readonly warnings: readonly string[];
}

export interface CheckOptions extends Pick<AlertRouterOptions, "extraReceivers" | "extraReceiversFile"> {
  readonly clock: Clock;
  readonly mode?: MatcherMode;
}

/** Does everything with a configuration file that a start does before it acts. Throws a ConfigError with every mistake. */
export function checkConfig(
  file: string,
  { clock, mode = "default", extraReceivers = [], extraReceiversFile }: CheckOptions,
): CheckedConfig {
  const loaded = loadRouterConfig(file, { integrations, mode });
  const config = joinExtraReceivers(loaded, extraReceivers, extraReceiversFile);
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
