import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { formatDuration, isLabelName, type MatcherMode } from "@tocsin/model";
import { ConfigError, errorMessage, issuesOf, readConfigText, type ConfigIssue } from "@tocsin/platform";
import { compileInhibitRule, type InhibitRule } from "../mute/inhibit.ts";
import type { NamedTimeInterval } from "../mute/time-interval.ts";
import type { AnyIntegration, CommonConfig } from "../notify/integration.ts";
import { buildRouteTree, type Route } from "../route.ts";
import type { GlobalConfig } from "./global-config.ts";
import { relativeTo, settleHttpConfig } from "./http-client-config.ts";
import { alertmanagerSchema, type AlertmanagerConfig, type ReceiverConfig, type RouteConfig } from "./schema.ts";
import { timeInterval } from "./time-interval-config.ts";
import { readYamlTree } from "./yaml-tree.ts";

/** One block of a receiver: what to notify and how. */
interface ReceiverIntegration {
  readonly integration: AnyIntegration;
  readonly config: CommonConfig;
  /** Position among the receiver's blocks of the same type, from 0. */
  readonly index: number;
}

interface Receiver {
  readonly name: string;
  /** Always with `name`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly integrations: readonly ReceiverIntegration[];
}

/** An `alertmanager.yml`, read, checked and ready to build a router from. */
export interface RouterConfig {
  readonly global: GlobalConfig;
  readonly route: Route;
  readonly inhibitRules: readonly InhibitRule[];
  /** In the file's order. */
  readonly receivers: readonly Receiver[];
  readonly timeIntervals: ReadonlyMap<string, NamedTimeInterval>;
  readonly templateFiles: readonly string[];
  /** The configuration written again: defaults filled in, secrets shown as `<secret>`. */
  readonly original: string;
  /** The first 48 bits of the text's MD5, little endian: the metric `alertmanager_config_hash`. */
  readonly hash: number;
  readonly warnings: readonly string[];
}

export interface LoadOptions {
  readonly integrations: readonly AnyIntegration[];
  readonly mode?: MatcherMode;
  /** How long the notification log keeps entries; a longer repeat_interval draws a warning. */
  readonly retentionMs?: number;
}

/** Reads and checks a configuration file. Throws a ConfigError with every mistake's place. */
export function loadRouterConfig(file: string, options: LoadOptions): RouterConfig {
  return parseRouterConfig(file, readConfigText(file), options);
}

/** As loadRouterConfig, for a text; `file` names it in messages, and relative paths count from its folder. */
export function parseRouterConfig(file: string, text: string, options: LoadOptions): RouterConfig {
  const mode = options.mode ?? "default";
  const warnings: string[] = [];
  const schema = alertmanagerSchema({ mode, integrations: options.integrations, warn: (text) => warnings.push(text) });
  const source = readYamlTree(file, text);
  const parsed = schema.safeParse(source.tree);
  if (!parsed.success)
    throw new ConfigError(issuesOf(parsed.error, file, { value: source.tree, locate: source.locate }));
  const directory = dirname(resolve(file));
  const problems: Problem[] = [];
  const config = settle(parsed.data, { directory, integrations: options.integrations, problems });
  checkConfig(config, mode, problems);
  if (problems.length > 0 || config.route === undefined)
    throw new ConfigError(problems.map(placed(file, source.locate)));
  const route = buildRouteTree(config.route);
  warnings.push(...intervalWarnings(route, options.retentionMs ?? Number.POSITIVE_INFINITY));
  return {
    global: config.global,
    route,
    inhibitRules: (config.inhibit_rules ?? []).map(compileInhibitRule),
    receivers: (config.receivers ?? []).map((receiver) => toReceiver(receiver, options.integrations)),
    timeIntervals: new Map(namedIntervals(config).map(({ interval }) => [interval.name, interval])),
    templateFiles: (config.templates ?? []).flatMap((pattern) => globSync(relativeTo(directory, pattern)).sort()),
    original: stringify(z.encode(schema, config), { version: "1.1", lineWidth: 0 }),
    hash: configHash(text),
    warnings,
  };
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const placed =
  (file: string, locate: (path: readonly PropertyKey[]) => { line: number; column: number }) =>
  ({ path, message }: Problem): ConfigIssue => ({ file, ...locate(path), path: path.map(String).join("."), message });

interface SettleOptions {
  readonly directory: string;
  readonly integrations: readonly AnyIntegration[];
  readonly problems: Problem[];
}

/** Fills in what blocks inherit from the global section and what is relative to the file's folder. */
function settle(config: AlertmanagerConfig, { directory, integrations, problems }: SettleOptions): AlertmanagerConfig {
  const global = { ...config.global, http_config: settleHttpConfig(config.global.http_config, directory) };
  const receivers = (config.receivers ?? []).map((receiver, i) => {
    const settled: ReceiverConfig = { ...receiver };
    for (const integration of integrations) {
      const key = `${integration.name}_configs` as const;
      settled[key] = receiver[key]?.map((block, j) => {
        try {
          return integration.settle(block, { global, directory });
        } catch (error) {
          problems.push({
            path: ["receivers", i, key, j],
            message: `receiver ${receiver.name}: ${errorMessage(error)}`,
          });
          return block;
        }
      });
    }
    return settled;
  });
  return { ...config, global, receivers };
}

function toReceiver(receiver: ReceiverConfig, integrations: readonly AnyIntegration[]): Receiver {
  return {
    name: receiver.name,
    labels: { ...receiver.labels, name: receiver.name },
    integrations: integrations.flatMap((integration) =>
      (receiver[`${integration.name}_configs`] ?? []).map((config, index) => ({ integration, config, index })),
    ),
  };
}

interface PlacedInterval {
  readonly path: readonly PropertyKey[];
  readonly interval: NamedTimeInterval;
}

function namedIntervals(config: AlertmanagerConfig): PlacedInterval[] {
  return (["mute_time_intervals", "time_intervals"] as const).flatMap((key) =>
    (config[key] ?? []).map(({ name, time_intervals }, i) => ({
      path: [key, i, "name"],
      interval: { name, intervals: (time_intervals ?? []).map(timeInterval) },
    })),
  );
}

function checkConfig(config: AlertmanagerConfig, mode: MatcherMode, problems: Problem[]): void {
  const receivers = config.receivers ?? [];
  problems.push(
    ...duplicates(
      receivers.map(({ name }, i) => ({ path: ["receivers", i, "name"], name })),
      "receiver",
    ),
    ...receivers.flatMap(({ name, labels }, i) =>
      labels?.["name"] === undefined || labels["name"] === name
        ? []
        : [
            {
              path: ["receivers", i, "labels", "name"],
              message: `the label name of receiver ${name} must be its name`,
            },
          ],
    ),
  );
  const intervals = namedIntervals(config);
  problems.push(
    ...duplicates(
      intervals.map(({ path, interval }) => ({ path, name: interval.name })),
      "time interval",
    ),
  );
  if (config.route === undefined) {
    problems.push({ path: [], message: "no route: add route: with the default receiver" });
    return;
  }
  problems.push(...checkRoot(config.route));
  const known: Known = {
    receivers: new Set(receivers.map(({ name }) => name)),
    intervals: new Set(intervals.map(({ interval }) => interval.name)),
    mode,
  };
  problems.push(...checkRoute(config.route, ["route"], known));
  problems.push(...checkEqualLabels(config, mode));
}

function duplicates(named: readonly { path: readonly PropertyKey[]; name: string }[], what: string): Problem[] {
  const seen = new Set<string>();
  return named.flatMap(({ path, name }) => {
    const again = seen.has(name);
    seen.add(name);
    return again ? [{ path, message: `${what} ${JSON.stringify(name)} is not unique` }] : [];
  });
}

function checkRoot(root: RouteConfig): Problem[] {
  const forbidden = ["match", "match_re", "matchers"] as const;
  const problems: Problem[] = [];
  if (!root.receiver) problems.push({ path: ["route"], message: "the root route must name a receiver" });
  for (const key of forbidden) {
    const value = root[key];
    if (value !== undefined && Object.keys(value).length > 0)
      problems.push({ path: ["route", key], message: "the root route must not have matchers" });
  }
  for (const key of ["mute_time_intervals", "active_time_intervals"] as const) {
    if ((root[key]?.length ?? 0) > 0)
      problems.push({ path: ["route", key], message: "the root route must not have time intervals" });
  }
  if (root.continue === true)
    problems.push({ path: ["route", "continue"], message: "the root route must not have continue: true" });
  return problems;
}

interface Known {
  readonly receivers: ReadonlySet<string>;
  readonly intervals: ReadonlySet<string>;
  readonly mode: MatcherMode;
}

function checkRoute(route: RouteConfig, path: readonly PropertyKey[], known: Known): Problem[] {
  const problems: Problem[] = [];
  if (route.receiver && !known.receivers.has(route.receiver))
    problems.push({ path: [...path, "receiver"], message: `undefined receiver ${JSON.stringify(route.receiver)}` });
  for (const key of ["mute_time_intervals", "active_time_intervals"] as const) {
    for (const [i, name] of (route[key] ?? []).entries()) {
      if (!known.intervals.has(name))
        problems.push({ path: [...path, key, i], message: `undefined time interval ${JSON.stringify(name)}` });
    }
  }
  for (const key of ["group_interval", "repeat_interval"] as const) {
    if (route[key] === 0) problems.push({ path: [...path, key], message: `${key} cannot be zero` });
  }
  problems.push(...checkGroupBy(route.group_by ?? [], [...path, "group_by"], known.mode));
  for (const [i, child] of (route.routes ?? []).entries())
    problems.push(...checkRoute(child, [...path, "routes", i], known));
  return problems;
}

function checkGroupBy(names: readonly string[], path: readonly PropertyKey[], mode: MatcherMode): Problem[] {
  const problems: Problem[] = [];
  if (names.includes("...") && names.length > 1)
    problems.push({ path, message: "'...' groups by all labels and cannot stand beside other names" });
  for (const [i, name] of names.entries()) {
    if (name !== "..." && !isLabelName(name, mode))
      problems.push({ path: [...path, i], message: `invalid label name ${JSON.stringify(name)} in group_by` });
    if (names.indexOf(name) !== i)
      problems.push({ path: [...path, i], message: `duplicate label ${JSON.stringify(name)} in group_by` });
  }
  return problems;
}

function checkEqualLabels(config: AlertmanagerConfig, mode: MatcherMode): Problem[] {
  return (config.inhibit_rules ?? []).flatMap(({ equal }, i) =>
    (equal ?? []).flatMap((name, j) =>
      isLabelName(name, mode)
        ? []
        : [{ path: ["inhibit_rules", i, "equal", j], message: `invalid label name ${JSON.stringify(name)} in equal` }],
    ),
  );
}

function intervalWarnings(route: Route, retentionMs: number): string[] {
  const { groupIntervalMs, repeatIntervalMs } = route.options;
  const warnings: string[] = [];
  const shown = formatDuration(repeatIntervalMs);
  if (repeatIntervalMs > retentionMs)
    warnings.push(
      `route ${route.key}: repeat_interval ${shown} is longer than the retention of the notification log ${formatDuration(retentionMs)}: repeats can come early`,
    );
  if (repeatIntervalMs < groupIntervalMs)
    warnings.push(
      `route ${route.key}: repeat_interval ${shown} is shorter than group_interval ${formatDuration(groupIntervalMs)}, which it is rounded up to`,
    );
  return [...warnings, ...route.children.flatMap((child) => intervalWarnings(child, retentionMs))];
}

function configHash(text: string): number {
  return createHash("md5").update(text).digest().readUIntLE(0, 6);
}
