import {
  fingerprint,
  type AlertState,
  type DecisionRecord,
  type Labels,
  labelsKey,
  type PostableAlert,
  type UnixMs,
  type WriteRequest,
} from "@tocsin/model";
import { escapeQuery } from "@tocsin/gotemplate";
import { type Clock, errorMessage, type Logger } from "@tocsin/platform";
import type { QuerySource, RuleOutput } from "../query-source.ts";
import { evaluationDecision, ruleErrorDecision } from "./decision.ts";
import {
  alertSeries,
  dueAlerts,
  evaluateAlerts,
  highestState,
  recordedSeries,
  type RuleAlert,
  ruleSamples,
  type RuleState,
  type SeriesSample,
} from "./evaluate.ts";
import { restoreState } from "./restore.ts";
import type { AlertingRule, Rule, RuleGroupConfig } from "./rule-file.ts";
import type { RuleMetrics } from "./rule-metrics.ts";
import { RuleTemplates } from "./rule-templates.ts";

export type RuleHealth = "unknown" | "ok" | "err";

/** What all groups share. */
export interface GroupContext {
  readonly clock: Clock;
  readonly queries: QuerySource;
  readonly output: RuleOutput;
  readonly send: (alerts: readonly PostableAlert[]) => void;
  readonly onDecision: (decision: DecisionRecord) => void;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly metrics: RuleMetrics | undefined;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly resendDelayMs: number;
  readonly outageToleranceMs: number;
  readonly gracePeriodMs: number;
}

/** One rule with what is remembered of it. */
interface RunningRule {
  readonly rule: Rule;
  readonly templates: RuleTemplates | undefined;
  /** Where its expression is shown, below the external URL. */
  readonly graphPath: string;
  alerts: RuleState;
  /** Series written at the last successful evaluation. */
  written: ReadonlyMap<string, Labels>;
  health: RuleHealth;
  lastError: string | undefined;
  evaluationSeconds: number;
  lastEvaluationMs: UnixMs | undefined;
}

export interface RuleSnapshot {
  readonly rule: Rule;
  readonly state: AlertState | "unknown";
  /** Pending and firing ones. */
  readonly alerts: readonly RuleAlert[];
  readonly health: RuleHealth;
  readonly lastError: string | undefined;
  readonly evaluationSeconds: number;
  readonly lastEvaluationMs: UnixMs | undefined;
}

export interface GroupSnapshot {
  readonly config: RuleGroupConfig;
  readonly rules: readonly RuleSnapshot[];
  readonly evaluationSeconds: number;
  readonly lastEvaluationMs: UnixMs | undefined;
}

/** The slot that `nowMs` falls into: a multiple of the interval, shifted by the group's own phase. */
export function slotAt(config: Pick<RuleGroupConfig, "file" | "name" | "intervalMs">, nowMs: UnixMs): UnixMs {
  const hash = BigInt(`0x${fingerprint({ file: config.file, name: config.name })}`);
  const phase = Number(hash % BigInt(config.intervalMs));
  return Math.floor((nowMs - phase) / config.intervalMs) * config.intervalMs + phase;
}

/** Evaluates the rules of one group in order, slot after slot. */
export class RuleGroup {
  readonly config: RuleGroupConfig;
  readonly #context: GroupContext;
  readonly #rules: readonly RunningRule[];
  readonly #abort = new AbortController();
  readonly #label: { rule_group: string };
  /** Series of rules that a reload took away; they end with the next evaluation. */
  #orphans: Labels[] = [];
  #evaluationsUntilRestore: number;
  #timer: Disposable | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #evaluationSeconds = 0;
  #lastEvaluationMs: UnixMs | undefined;

  /** `restore` is set for the groups that a start of the process makes, not for those of a reload. */
  constructor(config: RuleGroupConfig, context: GroupContext, options: { restore: boolean; inherit?: RuleGroup }) {
    this.config = config;
    this.#context = context;
    this.#label = { rule_group: `${config.file};${config.name}` };
    const { inherit } = options;
    this.#evaluationsUntilRestore = inherit ? inherit.#evaluationsUntilRestore : options.restore ? 2 : 0;
    this.#rules = config.rules.map(freshRule);
    if (inherit !== undefined) this.#inherit(inherit);
  }

  start(): void {
    const { metrics } = this.#context;
    metrics?.interval.set(this.#label, this.config.intervalMs / 1000);
    metrics?.rules.set(this.#label, this.#rules.length);
    this.#scheduleSlot(slotAt(this.config, this.#context.clock.now()) + this.config.intervalMs);
  }

  /** Resolves when no evaluation runs any more; `abandon` gives up the one under way. */
  async stop(options: { abandon: boolean }): Promise<void> {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
    if (options.abandon) this.#abort.abort();
    await this.#running;
  }

  /** Forgets the group's metrics, once it is gone for good. */
  removeMetrics(): void {
    const { metrics } = this.#context;
    if (metrics === undefined) return;
    const { interval, rules, lastSeconds, lastTime, lastSamples, evaluations, failures, iterations, missed } = metrics;
    for (const metric of [
      interval,
      rules,
      lastSeconds,
      lastTime,
      lastSamples,
      evaluations,
      failures,
      iterations,
      missed,
    ])
      metric.remove(this.#label);
  }

  /** Every series that is live by this group's doing. */
  writtenSeries(): Map<string, Labels> {
    return new Map(this.#rules.flatMap(({ written }) => [...written]));
  }

  snapshot(): GroupSnapshot {
    return {
      config: this.config,
      rules: this.#rules.map((running) => ({
        rule: running.rule,
        state: running.lastEvaluationMs === undefined ? "unknown" : highestState(running.alerts),
        alerts: [...running.alerts.values()].filter(({ state }) => state !== "inactive"),
        health: running.health,
        lastError: running.lastError,
        evaluationSeconds: running.evaluationSeconds,
        lastEvaluationMs: running.lastEvaluationMs,
      })),
      evaluationSeconds: this.#evaluationSeconds,
      lastEvaluationMs: this.#lastEvaluationMs,
    };
  }

  /** Evaluates all rules at `atMs`, whatever the schedule says. */
  async evaluate(atMs: UnixMs): Promise<void> {
    const { metrics } = this.#context;
    const startedAt = performance.now();
    this.#lastEvaluationMs = atMs;
    let samples = 0;
    for (const running of this.#rules) {
      if (this.#abort.signal.aborted) return;
      samples += await this.#evaluateRule(running, atMs);
    }
    await this.#endOrphans(atMs);
    this.#evaluationSeconds = (performance.now() - startedAt) / 1000;
    metrics?.iterations.inc(this.#label);
    metrics?.groupSeconds.observe(this.#evaluationSeconds);
    metrics?.lastSeconds.set(this.#label, this.#evaluationSeconds);
    metrics?.lastTime.set(this.#label, this.#context.clock.now() / 1000);
    metrics?.lastSamples.set(this.#label, samples);
    if (this.#evaluationsUntilRestore > 0 && --this.#evaluationsUntilRestore === 0) await this.#restore();
  }

  #inherit(old: RuleGroup): void {
    const available = old.#rules.map((running) => ({ running, key: ruleKey(running.rule) }));
    for (const running of this.#rules) {
      const index = available.findIndex(({ key }) => key === ruleKey(running.rule));
      const [match] = index < 0 ? [] : available.splice(index, 1);
      if (match === undefined) continue;
      const { alerts, written, health, lastError, evaluationSeconds, lastEvaluationMs } = match.running;
      Object.assign(running, { alerts, written, health, lastError, evaluationSeconds, lastEvaluationMs });
    }
    this.#orphans = [...old.#orphans, ...available.flatMap(({ running }) => [...running.written.values()])];
  }

  #scheduleSlot(slotMs: UnixMs): void {
    if (this.#stopped) return;
    this.#timer = this.#context.clock.schedule(slotMs - this.#context.clock.now(), () => {
      this.#running = this.#runFrom(slotMs).finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Evaluates a slot, and at once the newest one that passed meanwhile; those in between are missed. */
  async #runFrom(slotMs: UnixMs): Promise<void> {
    const { clock, metrics, logger } = this.#context;
    let slot = slotMs;
    for (;;) {
      await this.evaluate(slot).catch((error: unknown) => {
        logger.error({ err: error, group: this.config.name, file: this.config.file }, "rule group failed");
      });
      if (this.#stopped) return;
      const passed = Math.floor((clock.now() - slot) / this.config.intervalMs);
      if (passed < 1) break;
      metrics?.missed.inc(this.#label, passed - 1);
      metrics?.iterations.inc(this.#label, passed - 1);
      slot += passed * this.config.intervalMs;
    }
    this.#scheduleSlot(slot + this.config.intervalMs);
  }

  /** The number of samples the rule gave. */
  async #evaluateRule(running: RunningRule, atMs: UnixMs): Promise<number> {
    const { metrics, queries } = this.#context;
    const startedAt = performance.now();
    const sampleMs = atMs - this.config.queryOffsetMs;
    metrics?.evaluations.inc(this.#label);
    try {
      const answer = await queries.instant(running.rule.query, sampleMs, this.#abort.signal);
      const samples = ruleSamples(answer);
      const series =
        running.rule.kind === "recording"
          ? recordedSeries(running.rule, samples, this.config.limit)
          : await this.#evaluateAlerting(running, running.rule, samples, atMs);
      await this.#write(running, series, sampleMs);
      this.#settle(running, atMs, startedAt, undefined);
      return series.length;
    } catch (error) {
      if (this.#abort.signal.aborted) return 0;
      metrics?.failures.inc(this.#label);
      this.#settle(running, atMs, startedAt, errorMessage(error));
      return 0;
    }
  }

  #settle(running: RunningRule, atMs: UnixMs, startedAt: number, error: string | undefined): void {
    const { onDecision, newId, logger, metrics } = this.#context;
    const changed = error !== running.lastError;
    running.health = error === undefined ? "ok" : "err";
    running.lastError = error;
    running.lastEvaluationMs = atMs;
    running.evaluationSeconds = (performance.now() - startedAt) / 1000;
    metrics?.evaluationSeconds.observe(running.evaluationSeconds);
    const place = { rule: running.rule.name, group: this.config.name, file: this.config.file };
    if (changed && error !== undefined) {
      logger.warn({ ...place, error }, "rule cannot be evaluated");
      onDecision(ruleErrorDecision({ ...place, id: newId(), atMs, error }));
    }
    if (changed && error === undefined) logger.info(place, "rule is evaluated again");
  }

  async #evaluateAlerting(
    running: RunningRule,
    rule: AlertingRule,
    samples: ReturnType<typeof ruleSamples>,
    atMs: UnixMs,
  ): Promise<SeriesSample[]> {
    const { externalLabels, externalUrl, queries, onDecision, newId, send, resendDelayMs } = this.#context;
    const expansion = {
      atMs,
      externalLabels,
      externalUrl,
      query: (expr: string) => queries.instant(expr, atMs, this.#abort.signal),
    };
    const expanded = [];
    for (const sample of samples) {
      const result = await running.templates?.expand(sample, expansion);
      if (result !== undefined) expanded.push(result);
    }
    const outcome = evaluateAlerts(rule, expanded, running.alerts, atMs, this.config.limit);
    running.alerts = outcome.state;
    if (outcome.status === "error") throw new Error(outcome.error);
    for (const change of outcome.changes)
      onDecision(evaluationDecision({ id: newId(), atMs, rule, group: this.config, change }));
    const due = dueAlerts(running.alerts, atMs, {
      intervalMs: this.config.intervalMs,
      resendDelayMs,
      externalLabels,
      generatorUrl: `${externalUrl}${running.graphPath}`,
    });
    running.alerts = due.state;
    send(due.alerts);
    return this.#evaluationsUntilRestore > 0 ? [] : alertSeries(running.alerts);
  }

  /** Writes a rule's series, and the end of those it wrote before and no longer has. */
  async #write(running: RunningRule, samples: readonly SeriesSample[], timestampMs: UnixMs): Promise<void> {
    const written = new Map<string, Labels>();
    const series: WriteRequest["series"] = samples.map(({ labels, value, histogram }) => {
      written.set(labelsKey(labels), labels);
      return { labels, samples: [{ timestampMs, value, ...(histogram === undefined ? {} : { histogram }) }] };
    });
    for (const [key, labels] of running.written) if (!written.has(key)) series.push(endOfSeries(labels, timestampMs));
    if (series.length > 0) await this.#context.output.append({ series });
    running.written = written;
  }

  async #endOrphans(atMs: UnixMs): Promise<void> {
    if (this.#orphans.length === 0) return;
    const live = this.writtenSeries();
    const ended = this.#orphans.filter((labels) => !live.has(labelsKey(labels)));
    this.#orphans = [];
    const timestampMs = atMs - this.config.queryOffsetMs;
    await this.#context.output.append({ series: ended.map((labels) => endOfSeries(labels, timestampMs)) });
  }

  async #restore(): Promise<void> {
    const { queries, clock, outageToleranceMs, gracePeriodMs, logger } = this.#context;
    for (const running of this.#rules) {
      if (running.rule.kind !== "alerting") continue;
      const options = { outageToleranceMs, gracePeriodMs, intervalMs: this.config.intervalMs };
      try {
        running.alerts = await restoreState(
          running.rule,
          running.alerts,
          clock.now(),
          queries,
          options,
          this.#abort.signal,
        );
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        logger.warn({ err: error, rule: running.rule.name }, "the pending time of alerts could not be restored");
      }
    }
  }
}

function freshRule(rule: Rule): RunningRule {
  return {
    rule,
    templates: rule.kind === "alerting" ? new RuleTemplates(rule) : undefined,
    graphPath: `/graph?g0.expr=${escapeQuery(rule.query)}&g0.tab=1`,
    alerts: new Map(),
    written: new Map(),
    health: "unknown",
    lastError: undefined,
    evaluationSeconds: 0,
    lastEvaluationMs: undefined,
  };
}

/** Rules that share it hand their state on at a reload. */
const ruleKey = (rule: Rule) => `${rule.kind}\xff${rule.name}\xff${labelsKey(rule.labels)}`;

export const endOfSeries = (labels: Labels, timestampMs: UnixMs): WriteRequest["series"][number] => ({
  labels,
  samples: [{ timestampMs, value: Number.NaN, stale: true }],
});
