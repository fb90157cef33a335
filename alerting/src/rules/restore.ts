import { goQuote, type Labels, labelsKey, METRIC_NAME, type UnixMs } from "@tocsin/model";
import type { QuerySource } from "../query-source.ts";
import type { RuleState } from "./evaluate.ts";
import type { AlertingRule } from "./rule-file.ts";

export interface RestoreOptions {
  /** How far back to look. */
  outageToleranceMs: number;
  /** The least time that a restored alert still waits. */
  gracePeriodMs: number;
  intervalMs: number;
}

const FOR_STATE = "ALERTS_FOR_STATE";
/** Under the engine's lookback, so that a series that lives is seen. */
const MAX_LOOK_AHEAD_MS = 290_000;

/**
 * Gives the pending alerts of a rule the time back that they had waited before a restart, as ALERTS_FOR_STATE tells it.
 * Rejects when the query source fails.
 */
export async function restoreState(
  rule: AlertingRule,
  state: RuleState,
  nowMs: UnixMs,
  queries: QuerySource,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<RuleState> {
  if (rule.forMs < options.gracePeriodMs || state.size === 0) return state;
  const selector = forStateSelector(rule);
  const answer = await queries.instant(`${selector}[${options.outageToleranceMs}ms]`, nowMs, signal);
  if (answer.type !== "matrix") return state;
  const last = new Map<string, { labels: Labels; downAtMs: UnixMs; activeAtMs: UnixMs }>();
  for (const { labels, samples } of answer.series) {
    const sample = samples.at(-1);
    if (sample !== undefined)
      last.set(labelsKey(labels), { labels, downAtMs: sample.timestampMs, activeAtMs: sample.value * 1000 });
  }
  const alive = await aliveAfter(
    selector,
    new Set([...last.values()].map(({ downAtMs }) => downAtMs)),
    nowMs,
    queries,
    options.intervalMs,
    signal,
  );
  const restored = new Map(state);
  for (const [key, alert] of state) {
    const seriesKey = labelsKey({ ...alert.labels, [METRIC_NAME]: FOR_STATE });
    const known = last.get(seriesKey);
    if (known === undefined || alive.get(known.downAtMs)?.has(seriesKey) !== true) continue;
    restored.set(key, { ...alert, activeAtMs: restoredActiveAt(rule, known, nowMs, options.gracePeriodMs) });
  }
  return restored;
}

/** When an alert counts as active since, given how long it had waited when the process went down. */
export function restoredActiveAt(
  rule: { forMs: number },
  known: { downAtMs: UnixMs; activeAtMs: UnixMs },
  nowMs: UnixMs,
  gracePeriodMs: number,
): UnixMs {
  const remaining = rule.forMs - (known.downAtMs - known.activeAtMs);
  if (remaining <= 0) return known.activeAtMs;
  if (remaining < gracePeriodMs) return nowMs + gracePeriodMs - rule.forMs;
  return known.activeAtMs + (nowMs - known.downAtMs);
}

/** Labels whose value is a template are not known beforehand and left out. Only Prometheus 3 knows quoted names. */
function forStateSelector(rule: AlertingRule): string {
  const matchers = [`alertname=${goQuote(rule.name)}`];
  for (const [name, value] of Object.entries(rule.labels))
    if (!value.includes("{{") && name !== "alertname")
      matchers.push(`${/^[a-zA-Z_]\w*$/.test(name) ? name : goQuote(name)}=${goQuote(value)}`);
  return `${FOR_STATE}{${matchers.join(",")}}`;
}

/**
 * By the time of their last sample: which series had not been ended by a stale marker soon after. A query cannot see
 * the marker itself, only that the series is gone.
 */
async function aliveAfter(
  selector: string,
  times: ReadonlySet<UnixMs>,
  nowMs: UnixMs,
  queries: QuerySource,
  intervalMs: number,
  signal: AbortSignal,
): Promise<Map<UnixMs, Set<string>>> {
  const alive = new Map<UnixMs, Set<string>>();
  for (const downAtMs of times) {
    const atMs = Math.min(nowMs, downAtMs + Math.min(2 * intervalMs, MAX_LOOK_AHEAD_MS));
    const answer = await queries.instant(selector, atMs, signal);
    const keys = answer.type === "vector" ? answer.samples.map(({ labels }) => labelsKey(labels)) : [];
    alive.set(downAtMs, new Set(keys));
  }
  return alive;
}
