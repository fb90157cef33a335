import { z } from "zod";
import {
  compilePattern,
  formatMatcher,
  parseMatchers,
  type Labels,
  type Matcher,
  type MatcherMode,
} from "@tocsin/model";
import type { AnyIntegration, CommonConfig } from "../notify/integration.ts";
import { bool, duration, field, labelMap, list, notBuilt, object, readLabels, requiredText, text } from "./fields.ts";
import { GlobalConfig } from "./global-config.ts";
import { NamedTimeIntervalConfig } from "./time-interval-config.ts";
import { Plain, YamlMap } from "./yaml-tree.ts";

export interface RouteConfig {
  receiver?: string | undefined;
  group_by?: string[] | undefined;
  match?: Labels | undefined;
  match_re?: Labels | undefined;
  matchers?: Matcher[] | undefined;
  mute_time_intervals?: string[] | undefined;
  active_time_intervals?: string[] | undefined;
  continue?: boolean | undefined;
  routes?: RouteConfig[] | undefined;
  group_wait?: number | undefined;
  group_interval?: number | undefined;
  repeat_interval?: number | undefined;
  labels?: Labels | undefined;
}

export interface InhibitRuleConfig {
  name?: string | undefined;
  source_match?: Labels | undefined;
  source_match_re?: Labels | undefined;
  source_matchers?: Matcher[] | undefined;
  target_match?: Labels | undefined;
  target_match_re?: Labels | undefined;
  target_matchers?: Matcher[] | undefined;
  equal?: string[] | undefined;
}

/** A receiver: its name and labels, and the blocks of each integration under `<integration>_configs`. */
export interface ReceiverConfig {
  name: string;
  labels?: Labels | undefined;
  [integrationConfigs: `${string}_configs`]: CommonConfig[] | undefined;
}

export interface AlertmanagerConfig {
  global: GlobalConfig;
  route?: RouteConfig | undefined;
  inhibit_rules?: InhibitRuleConfig[] | undefined;
  receivers?: ReceiverConfig[] | undefined;
  templates?: string[] | undefined;
  time_intervals?: NamedTimeIntervalConfig[] | undefined;
  mute_time_intervals?: NamedTimeIntervalConfig[] | undefined;
}

export interface SchemaOptions {
  readonly mode: MatcherMode;
  readonly integrations: readonly AnyIntegration[];
  /** Told of matchers that mean something else in the other grammar. */
  readonly warn: (message: string) => void;
}

/** The whole file. It says what a field may hold; what the fields mean together is checked in `load.ts`. */
export function alertmanagerSchema(options: SchemaOptions): z.ZodType<AlertmanagerConfig> {
  const matchers = matcherList(options);
  const Route: z.ZodType<RouteConfig> = z.lazy(() =>
    object({
      receiver: text.optional(),
      group_by: list(text).optional(),
      match: equalities.optional(),
      match_re: patterns.optional(),
      matchers: matchers.optional(),
      mute_time_intervals: list(text).optional(),
      active_time_intervals: list(text).optional(),
      continue: bool.optional(),
      routes: list(Route).optional(),
      group_wait: duration.optional(),
      group_interval: duration.optional(),
      repeat_interval: duration.optional(),
      labels: labelMap(options.mode).optional(),
    }),
  );
  const InhibitRule = object({
    name: text.optional(),
    source_match: equalities.optional(),
    source_match_re: patterns.optional(),
    source_matchers: matchers.optional(),
    target_match: equalities.optional(),
    target_match_re: patterns.optional(),
    target_matchers: matchers.optional(),
    equal: list(text).optional(),
  });
  return object({
    global: GlobalConfig.default(() => GlobalConfig.parse(null)),
    route: Route.optional(),
    inhibit_rules: list(InhibitRule).optional(),
    receivers: list(receiverSchema(options)).optional(),
    templates: list(text).optional(),
    time_intervals: list(NamedTimeIntervalConfig).optional(),
    mute_time_intervals: list(NamedTimeIntervalConfig).optional(),
    tracing: notBuilt("tracing").optional(),
    event_recorder: notBuilt("the event recorder").optional(),
  });
}

function receiverSchema({ integrations, mode }: SchemaOptions): z.ZodType<ReceiverConfig> {
  const shape: Record<string, z.ZodType> = {
    name: requiredText,
    labels: labelMap(mode).optional(),
    ...Object.fromEntries(integrations.map(({ name, config }) => [`${name}_configs`, list(config).optional()])),
  };
  return object(shape) as unknown as z.ZodType<ReceiverConfig>;
}

function matcherList({ mode, warn }: SchemaOptions) {
  return field<Matcher[]>(
    (tree) => {
      if (!Array.isArray(tree)) throw new Error("expected a list of matchers");
      return tree.flatMap((item) => {
        const written = item instanceof Plain ? item.text : item;
        if (typeof written !== "string") throw new Error('expected a text such as severity="page"');
        const { matchers, warning } = parseMatchers(written, mode);
        if (warning !== undefined) warn(warning);
        return matchers;
      });
    },
    (matchers) => matchers.map(formatMatcher),
  );
}

const equalities = labelMap("classic");

const patterns = field<Labels>(
  (tree) => {
    const labels = readLabels(tree, "classic");
    for (const [name, pattern] of Object.entries(labels)) {
      if ((tree as YamlMap).entries.get(name) === null) throw new Error(`the regular expression of ${name} is missing`);
      compilePattern(pattern);
    }
    return labels;
  },
  (value) => value,
);
