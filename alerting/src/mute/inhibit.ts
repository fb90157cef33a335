import { compileMatchers, matchesAll, type CompiledMatcher, type Labels, type UnixMs } from "@tocsin/model";
import type { Alert } from "../alert-store.ts";
import type { InhibitRuleConfig } from "../config/schema.ts";
import { fromMap } from "../route.ts";

export interface InhibitRule {
  readonly name: string;
  readonly source: readonly CompiledMatcher[];
  readonly target: readonly CompiledMatcher[];
  readonly equal: readonly string[];
}

export function compileInhibitRule(config: InhibitRuleConfig): InhibitRule {
  const source = [
    ...fromMap(config.source_match, "="),
    ...fromMap(config.source_match_re, "=~"),
    ...(config.source_matchers ?? []),
  ];
  const target = [
    ...fromMap(config.target_match, "="),
    ...fromMap(config.target_match_re, "=~"),
    ...(config.target_matchers ?? []),
  ];
  return {
    name: config.name ?? "",
    source: compileMatchers(source),
    target: compileMatchers(target),
    equal: config.equal ?? [],
  };
}

export interface Inhibition {
  /** Of the source alert. */
  readonly fingerprint: string;
  readonly source: Alert;
  readonly rule: InhibitRule;
}

/**
 * Which alerts other alerts mute. Keeps, per rule and values of its `equal` labels, the set of all matching sources:
 * whichever of them fires counts, also when another one resolves first.
 */
export class Inhibitor {
  readonly #rules: readonly { rule: InhibitRule; sources: Map<string, Map<string, Alert>> }[];

  constructor(rules: readonly InhibitRule[]) {
    this.#rules = rules.map((rule) => ({ rule, sources: new Map() }));
  }

  /** Takes in a new or changed alert. */
  put(alert: Alert): void {
    for (const { rule, sources } of this.#rules) {
      if (!matchesAll(rule.source, alert.labels)) continue;
      const key = equalKey(rule, alert.labels);
      const set = sources.get(key);
      if (set) set.set(alert.fingerprint, alert);
      else sources.set(key, new Map([[alert.fingerprint, alert]]));
    }
  }

  /** Forgets an alert that is gone. */
  remove(alert: Alert): void {
    for (const { rule, sources } of this.#rules) {
      const key = equalKey(rule, alert.labels);
      const set = sources.get(key);
      if (set?.delete(alert.fingerprint) && set.size === 0) sources.delete(key);
    }
  }

  /** The first rule, and one firing source of it, that mutes these labels; undefined when none does. */
  mutes(labels: Labels, at: UnixMs): Inhibition | undefined {
    for (const { rule, sources } of this.#rules) {
      if (!matchesAll(rule.target, labels)) continue;
      const candidates = sources.get(equalKey(rule, labels));
      if (!candidates) continue;
      // An alert that is both source and target must not be muted by its like, or two alike would mute each other.
      const twoSided = matchesAll(rule.source, labels);
      for (const source of candidates.values()) {
        if (source.endsAt <= at || (twoSided && matchesAll(rule.target, source.labels))) continue;
        return { fingerprint: source.fingerprint, source, rule };
      }
    }
    return undefined;
  }
}

/** A label that is missing is the same as an empty one. */
function equalKey(rule: InhibitRule, labels: Labels): string {
  return rule.equal.map((name) => labels[name] ?? "").join("\xff");
}
