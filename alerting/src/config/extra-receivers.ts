import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ConfigError, errorMessage, type ConfigIssue } from "@tocsin/platform";
import type { CommonConfig } from "../notify/integration.ts";
import { extraIntegrations } from "../notify/integrations.ts";
import type { RouterConfig } from "./load.ts";

const blocks: Record<string, z.ZodType> = Object.fromEntries(
  extraIntegrations.map(({ name, config }) => [`${name}_configs`, z.array(config).optional()]),
);

/** A receiver of `alertmanager.yml`, by name, and what it tells beside. */
export interface ExtraReceiver {
  name: string;
  [integrationConfigs: `${string}_configs`]: CommonConfig[] | undefined;
}

/**
 * The section `receivers:` of `tocsin.yaml`: ways to notify that Alertmanager has not, for receivers that
 * `alertmanager.yml` names, so that this file stays what Alertmanager's own tools read.
 */
export const ExtraReceivers = z
  .array(z.strictObject({ name: z.string().min(1).describe("a receiver of alertmanager.yml"), ...blocks }))
  .default([]) as unknown as z.ZodType<ExtraReceiver[]>;
export type ExtraReceivers = z.output<typeof ExtraReceivers>;

/** Adds the blocks to the receivers they name. Throws a ConfigError for a name that no receiver has. */
export function joinExtraReceivers(config: RouterConfig, extra: ExtraReceivers, file = "tocsin.yaml"): RouterConfig {
  if (extra.length === 0) return config;
  const directory = dirname(resolve(file));
  const issues: ConfigIssue[] = [];
  const report = (path: readonly PropertyKey[], message: string) =>
    issues.push({ file, line: 1, column: 1, path: ["receivers", ...path].map(String).join("."), message });
  const added = new Map<string, RouterConfig["receivers"][number]["integrations"]>();
  for (const [i, receiver] of extra.entries()) {
    const { name } = receiver;
    if (!config.receivers.some((known) => known.name === name))
      report([i, "name"], `no receiver of alertmanager.yml has the name ${JSON.stringify(name)}${knownNames(config)}`);
    if (added.has(name)) report([i, "name"], `receiver ${JSON.stringify(name)} is not unique`);
    const integrations = extraIntegrations.flatMap((integration) =>
      (receiver[`${integration.name}_configs`] ?? []).map((block, index) => {
        try {
          return { integration, config: integration.settle(block, { global: config.global, directory }), index };
        } catch (error) {
          report([i, `${integration.name}_configs`, index], `receiver ${name}: ${errorMessage(error)}`);
          return { integration, config: block, index };
        }
      }),
    );
    added.set(name, integrations);
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const receivers = config.receivers.map((receiver) => ({
    ...receiver,
    integrations: [...receiver.integrations, ...(added.get(receiver.name) ?? [])],
  }));
  return { ...config, receivers };
}

function knownNames({ receivers }: RouterConfig): string {
  return receivers.length === 0 ? "" : ` (it has ${receivers.map(({ name }) => name).join(", ")})`;
}
