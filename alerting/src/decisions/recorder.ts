import type { DecisionRecord, Labels, UnixMs } from "@tocsin/model";
import { formatLabels } from "@tocsin/model";
import type { Alert } from "../alert-store.ts";
import type { DedupDecision, LogEntry } from "../notification-log.ts";
import { fingerprints, withStatus, type Flush, type FlushedAlert } from "../notify/notification.ts";
import type { Route } from "../route.ts";

type Kind = DecisionRecord["kind"];
type Facts<K extends Kind> = Omit<Extract<DecisionRecord, { kind: K }>, "id" | "at" | "kind" | "sentence">;

export type MuteReason = Extract<DecisionRecord, { kind: "muted" }>["reason"];

export interface AttemptFacts {
  readonly number: number;
  readonly outcome: "sent" | "retry" | "failed";
  readonly durationMs: number;
  readonly error?: string;
  readonly responseMs?: number;
}

/** Turns what the router decides into records with a sentence that says why, and hands them on. */
export class DecisionRecorder {
  readonly #onDecision: (record: DecisionRecord) => void;
  readonly #prefix: string;
  #count = 0;

  /** `run` tells this process' records from those of earlier ones with the same clock. */
  constructor(onDecision: (record: DecisionRecord) => void, run: string) {
    this.#onDecision = onDecision;
    this.#prefix = run;
  }

  routed(alert: Alert, groups: readonly { route: Route; key: string }[], at: UnixMs): void {
    const routes = groups.map(({ route, key }) => ({
      path: route.key,
      receiver: route.options.receiver,
      groupKey: key,
    }));
    const ways = routes.map(({ path, receiver }) => `${receiver} by route ${path}`);
    this.#emit("routed", at, `${alertTitle(alert.labels)} goes to ${listed(ways)}`, {
      fingerprint: alert.fingerprint,
      labels: alert.labels,
      routes,
    });
  }

  flush(flush: Flush): void {
    const firing = withStatus(flush.alerts, "firing");
    const resolved = withStatus(flush.alerts, "resolved");
    const next = clockTime(flush.at + flush.route.options.groupIntervalMs, flush.at);
    const sentence = `looked at ${groupTitle(flush.groupLabels)} for ${flush.route.options.receiver}: ${counted(firing.length, "firing")}, ${counted(resolved.length, "resolved")}; next look at ${next}`;
    this.#emit("flush", flush.at, sentence, {
      ...this.#place(flush),
      groupLabels: flush.groupLabels,
      firing: fingerprints(firing),
      resolved: fingerprints(resolved),
    });
  }

  muted(
    flush: Flush,
    reason: MuteReason,
    by: readonly string[],
    alerts: readonly FlushedAlert[],
    because: string,
  ): void {
    const [first] = alerts;
    const what = alerts.length === 1 && first ? alertTitle(first.labels) : `${alerts.length} alerts`;
    this.#emit("muted", flush.at, `${what} not sent to ${flush.route.options.receiver}: ${because}`, {
      ...this.#place(flush),
      reason,
      by: [...by],
      fingerprints: fingerprints(alerts),
    });
  }

  dedup(
    flush: Flush,
    integration: string,
    decision: DedupDecision,
    entry: LogEntry | undefined,
    alerts: readonly FlushedAlert[],
  ): void {
    const { receiver, repeatIntervalMs } = flush.route.options;
    const sentence = decision.notify
      ? `sending to ${receiver} (${integration}): ${decision.reason}`
      : `not sent to ${receiver} (${integration}): ${skipped(decision.reason, entry, repeatIntervalMs, flush.at)}`;
    this.#emit("dedup", flush.at, sentence, {
      ...this.#place(flush),
      integration,
      notify: decision.notify,
      reason: decision.reason,
      fingerprints: fingerprints(alerts),
    });
  }

  attempt(flush: Flush, integration: string, facts: AttemptFacts, alerts: readonly FlushedAlert[], at: UnixMs): void {
    const { receiver } = flush.route.options;
    const { number, outcome, error } = facts;
    const took = `${Math.round(facts.durationMs)} ms`;
    const tries = number === 1 ? "" : ` at attempt ${number}`;
    const sentence = {
      sent: `${receiver} (${integration}) accepted ${counted(alerts.length, "alert")}${tries} in ${took}`,
      retry: `attempt ${number} at ${receiver} (${integration}) failed, to be tried again: ${error}`,
      failed: `gave up on ${receiver} (${integration})${tries}: ${error}`,
    }[outcome];
    this.#emit("attempt", at, sentence, {
      ...this.#place(flush),
      integration,
      attempt: number,
      outcome,
      durationMs: facts.durationMs,
      ...(error !== undefined && { error }),
      ...(facts.responseMs !== undefined && { responseMs: facts.responseMs }),
      fingerprints: fingerprints(alerts),
    });
  }

  #place(flush: Flush) {
    return { groupKey: flush.groupKey, receiver: flush.route.options.receiver };
  }

  #emit<K extends Kind>(kind: K, at: UnixMs, sentence: string, facts: Facts<K>): void {
    const id = `${this.#prefix}-${(this.#count++).toString(36)}`;
    this.#onDecision({ id, at: new Date(at).toISOString(), sentence, kind, ...facts } as unknown as DecisionRecord);
  }
}

function skipped(reason: string, entry: LogEntry | undefined, repeatMs: number, at: UnixMs): string {
  if (reason !== "nothing new" || !entry) return "nothing fires and nothing was reported before";
  return `nothing new since ${clockTime(entry.at, at)}, next repeat after ${clockTime(entry.at + repeatMs, at)}`;
}

/** `HighLatency{service="sms"}`, for people. */
export function alertTitle(labels: Labels): string {
  const { alertname, ...rest } = labels;
  if (alertname === undefined) return formatLabels(labels);
  return Object.keys(rest).length === 0 ? alertname : `${alertname}${formatLabels(rest)}`;
}

function groupTitle(labels: Labels): string {
  return Object.keys(labels).length === 0 ? "the group of all its alerts" : `group ${formatLabels(labels)}`;
}

function counted(n: number, what: string): string {
  return what === "alert" ? `${n} ${n === 1 ? "alert" : "alerts"}` : `${n} ${what}`;
}

function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** `12:03:10`, with the date where it is not the same day (UTC). */
export function clockTime(time: UnixMs, reference: UnixMs): string {
  const [day, clock] = split(time);
  return day === split(reference)[0] ? clock : `${day} ${clock}`;
}

function split(time: UnixMs): [day: string, clock: string] {
  const iso = new Date(time).toISOString();
  return [iso.slice(0, 10), iso.slice(11, 19)];
}
