import { type AlertState, type Labels, labelsKey, METRIC_NAME, type PostableAlert, type UnixMs } from "@tocsin/model";
import type { QueryAnswer, QuerySample } from "../query-source.ts";
import type { AlertingRule, RecordingRule } from "./rule-file.ts";
import type { ExpandedSample } from "./rule-templates.ts";

/** How long a resolved alert stays in memory to be sent again. */
const RESOLVED_RETENTION_MS = 15 * 60_000;

/** One alert of a rule. Unset times mean "not yet" or "not any more". */
export interface RuleAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly value: number;
  readonly state: AlertState;
  readonly activeAtMs: UnixMs;
  readonly firedAtMs?: UnixMs | undefined;
  readonly resolvedAtMs?: UnixMs | undefined;
  readonly keepFiringSinceMs?: UnixMs | undefined;
  readonly lastSentAtMs?: UnixMs | undefined;
  /** End to tell the router while firing, should it hear no more. */
  readonly validUntilMs?: UnixMs | undefined;
}

/** The alerts of a rule by `labelsKey` of their labels. */
export type RuleState = ReadonlyMap<string, RuleAlert>;

export interface AlertChange {
  alert: RuleAlert;
  from: AlertState;
  to: AlertState;
}

export type AlertEvaluation =
  | { status: "ok"; state: RuleState; changes: AlertChange[] }
  | { status: "error"; state: RuleState; error: string };

/** The samples of an expression's answer that a rule works on. Throws an Error for what a rule cannot use. */
export function ruleSamples(answer: QueryAnswer): QuerySample[] {
  switch (answer.type) {
    case "vector":
      return answer.samples;
    case "scalar":
      return [{ labels: {}, value: answer.value, timestampMs: answer.timestampMs }];
    case "matrix":
    case "string":
      throw new Error("rule result is not a vector or scalar");
  }
}

/**
 * One evaluation of an alerting rule: the state after it, and what changed. An error (two samples with one label set,
 * more alerts than `limit`) says what becomes of the state too.
 */
export function evaluateAlerts(
  rule: AlertingRule,
  samples: readonly ExpandedSample[],
  previous: RuleState,
  atMs: UnixMs,
  limit: number,
): AlertEvaluation {
  const found = new Map<string, ExpandedSample>();
  for (const sample of samples) {
    const key = labelsKey(sample.labels);
    if (found.has(key))
      return {
        status: "error",
        state: previous,
        error: "vector contains metrics with the same labelset after applying alert labels",
      };
    found.set(key, sample);
  }
  const state = new Map<string, RuleAlert>();
  const changes: AlertChange[] = [];
  for (const key of new Set([...previous.keys(), ...found.keys()])) {
    const before = previous.get(key);
    const sample = found.get(key);
    const after = sample === undefined ? withoutSample(rule, before, atMs) : withSample(rule, sample, before, atMs);
    if (after !== undefined) state.set(key, after);
    const from = before?.state ?? "inactive";
    const to = after?.state ?? "inactive";
    const alert = after ?? before;
    if (alert !== undefined && from !== to) changes.push({ alert, from, to });
  }
  const active = [...state.values()].filter((alert) => alert.state !== "inactive").length;
  if (limit > 0 && active > limit)
    return { status: "error", state: new Map(), error: `exceeded limit of ${limit} with ${active} alerts` };
  return { status: "ok", state, changes };
}

function withSample(
  rule: AlertingRule,
  sample: ExpandedSample,
  before: RuleAlert | undefined,
  atMs: UnixMs,
): RuleAlert {
  const { labels, annotations, value } = sample;
  if (before === undefined || before.state === "inactive") {
    const pending: RuleAlert = { labels, annotations, value, state: "pending", activeAtMs: atMs };
    return rule.forMs <= 0 ? { ...pending, state: "firing", firedAtMs: atMs } : pending;
  }
  const alert: RuleAlert = { ...before, annotations, value, keepFiringSinceMs: undefined };
  const held = atMs - alert.activeAtMs >= rule.forMs;
  if (alert.state === "pending" && held) return { ...alert, state: "firing", firedAtMs: atMs };
  // The rule came back from a reload with a longer `for`.
  if (alert.state === "firing" && !held)
    return { ...alert, state: "pending", firedAtMs: undefined, lastSentAtMs: undefined };
  return alert;
}

function withoutSample(rule: AlertingRule, before: RuleAlert | undefined, atMs: UnixMs): RuleAlert | undefined {
  if (before === undefined || before.state === "pending") return undefined;
  if (before.state === "inactive") {
    const gone = before.resolvedAtMs !== undefined && atMs - before.resolvedAtMs > RESOLVED_RETENTION_MS;
    return gone ? undefined : before;
  }
  if (rule.keepFiringForMs > 0) {
    const since = before.keepFiringSinceMs ?? atMs;
    if (atMs - since < rule.keepFiringForMs) return { ...before, keepFiringSinceMs: since };
  }
  return { ...before, state: "inactive", resolvedAtMs: atMs };
}

/** The highest state of a rule's alerts. */
export function highestState(state: RuleState): AlertState {
  let highest: AlertState = "inactive";
  for (const alert of state.values()) {
    if (alert.state === "firing") return "firing";
    if (alert.state === "pending") highest = "pending";
  }
  return highest;
}

export interface SeriesSample {
  labels: Labels;
  value: number;
  histogram?: QuerySample["histogram"];
}

/** ALERTS and ALERTS_FOR_STATE of all pending and firing alerts. */
export function alertSeries(state: RuleState): SeriesSample[] {
  const series: SeriesSample[] = [];
  for (const alert of state.values()) {
    if (alert.state === "inactive") continue;
    series.push({ labels: { ...alert.labels, [METRIC_NAME]: "ALERTS", alertstate: alert.state }, value: 1 });
    series.push({
      labels: { ...alert.labels, [METRIC_NAME]: "ALERTS_FOR_STATE" },
      value: Math.floor(alert.activeAtMs / 1000),
    });
  }
  return series;
}

/** What a recording rule writes. Throws an Error for two results with one label set and for more than `limit`. */
export function recordedSeries(rule: RecordingRule, samples: readonly QuerySample[], limit: number): SeriesSample[] {
  const seen = new Set<string>();
  const series = samples.map((sample) => {
    const labels: Record<string, string> = { ...sample.labels, [METRIC_NAME]: rule.name };
    for (const [name, value] of Object.entries(rule.labels)) {
      if (value === "") delete labels[name];
      else labels[name] = value;
    }
    const key = labelsKey(labels);
    if (seen.has(key)) throw new Error("vector contains metrics with the same labelset after applying rule labels");
    seen.add(key);
    return {
      labels,
      value: sample.value,
      ...(sample.histogram === undefined ? {} : { histogram: sample.histogram }),
    };
  });
  if (limit > 0 && series.length > limit) throw new Error(`exceeded limit of ${limit} with ${series.length} series`);
  return series;
}

export interface SendOptions {
  intervalMs: number;
  resendDelayMs: number;
  externalLabels: Labels;
  generatorUrl: string;
}

/** The alerts that are due to be sent now, and the state that remembers it. */
export function dueAlerts(
  state: RuleState,
  atMs: UnixMs,
  options: SendOptions,
): { state: RuleState; alerts: PostableAlert[] } {
  const next = new Map(state);
  const alerts: PostableAlert[] = [];
  for (const [key, alert] of state) {
    if (!needsSending(alert, atMs, options.resendDelayMs)) continue;
    const sent: RuleAlert = {
      ...alert,
      lastSentAtMs: atMs,
      validUntilMs: atMs + 4 * Math.max(options.intervalMs, options.resendDelayMs),
    };
    next.set(key, sent);
    alerts.push(postable(sent, options));
  }
  return { state: next, alerts };
}

function needsSending(alert: RuleAlert, atMs: UnixMs, resendDelayMs: number): boolean {
  if (alert.state === "pending") return false;
  const lastSent = alert.lastSentAtMs ?? -Infinity;
  if (alert.resolvedAtMs !== undefined && alert.resolvedAtMs > lastSent) return true;
  return lastSent + resendDelayMs < atMs;
}

function postable(alert: RuleAlert, options: SendOptions): PostableAlert {
  return {
    labels: { ...options.externalLabels, ...alert.labels },
    annotations: alert.annotations,
    startsAt: timeText(alert.firedAtMs ?? alert.activeAtMs),
    endsAt: timeText(alert.resolvedAtMs ?? alert.validUntilMs ?? alert.activeAtMs),
    generatorURL: options.generatorUrl,
  };
}

const timeText = (ms: UnixMs) => new Date(ms).toISOString();
