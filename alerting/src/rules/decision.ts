import { type DecisionRecord, fingerprint, formatDuration, type UnixMs } from "@tocsin/model";
import { formatFloat } from "@tocsin/gotemplate";
import type { AlertChange } from "./evaluate.ts";
import type { AlertingRule } from "./rule-file.ts";

/** The record of an alert that changed state. */
export function evaluationDecision(options: {
  id: string;
  atMs: UnixMs;
  rule: AlertingRule;
  group: { name: string; file: string };
  change: AlertChange;
}): DecisionRecord {
  const { rule, group, change, atMs } = options;
  const { alert, from, to } = change;
  return {
    id: options.id,
    at: new Date(atMs).toISOString(),
    sentence: `${rule.name} ${reason(rule, change, atMs)}`,
    kind: "evaluation",
    rule: rule.name,
    group: group.name,
    file: group.file,
    fingerprint: fingerprint(alert.labels),
    labels: alert.labels,
    from,
    to,
    value: Number.isFinite(alert.value) ? alert.value : null,
  };
}

function reason(rule: AlertingRule, { alert, from, to }: AlertChange, atMs: UnixMs): string {
  const value = `value ${formatFloat(alert.value, "g", 4)}`;
  if (to === "pending")
    return from === "firing"
      ? `is pending again: its rule now waits ${formatDuration(rule.forMs)} (${value})`
      : `is pending: its condition holds (${value}), and it fires if that lasts ${formatDuration(rule.forMs)}`;
  if (to === "firing") {
    const held = atMs - alert.activeAtMs;
    return held === 0
      ? `fires: its condition holds (${value})`
      : `fires: its condition has held for ${formatDuration(held)} (${value})`;
  }
  if (from === "pending")
    return `is inactive: its condition ceased before ${formatDuration(rule.forMs)} were over (last ${value})`;
  const kept = rule.keepFiringForMs > 0 ? `, and ${formatDuration(rule.keepFiringForMs)} have passed since` : "";
  return `is resolved: its condition no longer holds${kept} (last ${value})`;
}

/** The record of a rule that cannot be evaluated, made when the error begins or changes. */
export function ruleErrorDecision(options: {
  id: string;
  atMs: UnixMs;
  rule: string;
  group: string;
  file: string;
  error: string;
}): DecisionRecord {
  const { id, atMs, ...place } = options;
  return {
    id,
    at: new Date(atMs).toISOString(),
    sentence: `${place.rule} cannot be evaluated: ${place.error}`,
    kind: "rule_error",
    ...place,
  };
}
