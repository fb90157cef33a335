import { setImmediate as nextTurn } from "node:timers/promises";
import { type BacktestRun, type DecisionRecord, fingerprint, type PostableAlert, type UnixMs } from "@tocsin/model";
import { createLogger, Registry, TocsinError } from "@tocsin/platform";
import type { Silence } from "../mute/silence.ts";
import { integrations } from "../notify/integrations.ts";
import type { QuerySource } from "../query-source.ts";
import { createAlertRouter, type AlertRouter, type AlertRouterOptions } from "../router.ts";
import { RuleGroup } from "../rules/rule-group.ts";
import type { StateStorage } from "../state/state-log.ts";
import { Firings } from "./firings.ts";
import type { QueriedGroup } from "./query-rules.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { Told } from "./told.ts";

/** An alert that ended is told of for so long; see RESOLVED_RETENTION_MS of the evaluator. */
const AFTERMATH_MS = 16 * 60_000;
const EVALUATIONS_PER_TURN = 64;

/** Where the routing stands: a file, or a text with the file's name for messages. */
export type Routing = Pick<AlertRouterOptions, "configFile" | "configText" | "matcherMode">;

export interface ReplayOptions {
  readonly groups: readonly QueriedGroup[];
  readonly queries: QuerySource;
  readonly routing: Routing;
  readonly silences: readonly Silence[];
  readonly fromMs: UnixMs;
  readonly toMs: UnixMs;
  readonly timeZone: string;
  readonly externalUrl: string;
  readonly signal: AbortSignal;
}

export interface Replayed extends Pick<BacktestRun, "receivers" | "muted"> {
  readonly firings: ReadonlyMap<string, Firings>;
}

export const ruleId = (place: { file: string; group: string; rule: string }) =>
  JSON.stringify([place.file, place.group, place.rule]);

const logger = createLogger({ level: "silent" });

/** State that nobody keeps. */
const noStorage: StateStorage = {
  open: () => ({
    load: async () => [],
    append: async () => {},
    snapshot: async () => {},
    appendedBytes: 0,
    close: async () => {},
  }),
};

/** Runs the evaluator and the router over answers that are known already, on simulated time. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { fromMs, toMs, routing, signal } = options;
  const clock = new SimulatedClock(fromMs);
  const told = new Told(options.timeZone);
  const router = createAlertRouter({
    ...routing,
    clock,
    logger,
    registry: new Registry(),
    externalUrl: options.externalUrl,
    integrations: told.integrations(integrations),
    storage: noStorage,
    random: () => 0.5,
    onDecision: (decision) => told.observe(decision),
  });
  await router.start();
  try {
    await addSilences(router, options.silences, fromMs);
    const evaluator = new ReplayedRules(options, clock, (alerts) => router.postAlerts(alerts));
    await evaluator.run(signal);
    await clock.advanceTo(toMs);
    return { firings: evaluator.firings, receivers: told.receivers(), muted: told.muted() };
  } finally {
    await router.stop();
  }
}

async function addSilences(router: AlertRouter, silences: readonly Silence[], fromMs: UnixMs): Promise<void> {
  for (const { matchers, startsAt, endsAt, createdBy, comment, annotations } of silences) {
    if (endsAt <= fromMs) continue;
    const request = { matchers, startsAt: Math.max(startsAt, fromMs), endsAt, createdBy, comment, annotations };
    const result = await router.setSilence(request);
    if (result.status === "invalid") throw new TocsinError("TOCSIN_BAD_REQUEST", `a silence: ${result.error}`);
  }
}

interface Scheduled {
  readonly group: RuleGroup;
  readonly queried: QueriedGroup;
  /** The slots worth evaluating: those with samples, and those in which what they began comes to its end. */
  readonly busy: Uint8Array;
  slot: number;
}

class ReplayedRules {
  readonly firings = new Map<string, Firings>();
  readonly #clock: SimulatedClock;
  readonly #options: ReplayOptions;
  readonly #groups: Scheduled[];
  /** Alerts that the evaluation at work has sent. */
  #sent: Promise<unknown>[] = [];
  readonly #post: (alerts: readonly PostableAlert[]) => Promise<unknown>;
  #failed = new Set<string>();

  constructor(
    options: ReplayOptions,
    clock: SimulatedClock,
    post: (alerts: readonly PostableAlert[]) => Promise<unknown>,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#post = post;
    this.#groups = options.groups.map((queried) => this.#schedule(queried));
  }

  async run(signal: AbortSignal): Promise<void> {
    let sinceTurn = 0;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (++sinceTurn % EVALUATIONS_PER_TURN === 0) await nextTurn();
      signal.throwIfAborted();
      const atMs = timeOf(next);
      next.slot = nextBusy(next.busy, next.slot + 1);
      await this.#clock.advanceTo(atMs);
      await next.group.evaluate(atMs);
      await Promise.all(this.#sent);
      this.#sent = [];
      if (this.#failed.size > 0) this.#endLost(next, atMs);
    }
  }

  #schedule(queried: QueriedGroup): Scheduled {
    const { config, answers, failures } = queried;
    for (const rule of config.rules) {
      const id = ruleId({ file: config.file, group: config.name, rule: rule.name });
      const firings = this.firings.get(id) ?? new Firings(this.#options.fromMs);
      this.firings.set(id, firings);
      const failure = rule.kind === "alerting" ? failures.get(rule) : undefined;
      if (failure !== undefined) firings.fail(failure);
    }
    const byQuery = new Map([...answers].map(([rule, samples]) => [rule.query, samples]));
    const { queries, externalUrl } = this.#options;
    const group = new RuleGroup(
      config,
      {
        clock: this.#clock,
        queries: {
          async instant(expr, atMs, signal) {
            const known = byQuery.get(expr);
            return known ? { type: "vector", samples: [...known.atTime(atMs)] } : queries.instant(expr, atMs, signal);
          },
        },
        output: { append: async () => {} },
        send: (alerts) => {
          if (alerts.length > 0) this.#sent.push(this.#post(alerts));
        },
        onDecision: (decision) => this.#observe(decision),
        newId: () => "",
        logger,
        metrics: undefined,
        externalLabels: {},
        externalUrl,
        resendDelayMs: 60_000,
        outageToleranceMs: 3_600_000,
        gracePeriodMs: 600_000,
      },
      { restore: false },
    );
    const busy = busySlots(queried);
    return { group, queried, busy, slot: nextBusy(busy, 0) };
  }

  #observe(decision: DecisionRecord): void {
    if (decision.kind !== "evaluation" && decision.kind !== "rule_error") return;
    const id = ruleId(decision);
    const firings = this.firings.get(id);
    if (decision.kind === "evaluation") return firings?.observe(decision);
    firings?.fail(decision.error);
    this.#failed.add(id);
  }

  #endLost({ group, queried: { config } }: Scheduled, atMs: UnixMs): void {
    for (const { rule, alerts } of group.snapshot().rules) {
      const id = ruleId({ file: config.file, group: config.name, rule: rule.name });
      if (!this.#failed.delete(id)) continue;
      const kept = new Set(alerts.map(({ labels }) => fingerprint(labels)));
      this.firings.get(id)?.keepOnly(kept, new Date(atMs).toISOString());
    }
  }

  /** The group whose turn is first; of several, the first one. */
  #next(): Scheduled | undefined {
    let first: Scheduled | undefined;
    for (const each of this.#groups)
      if (each.slot < each.busy.length && (first === undefined || timeOf(each) < timeOf(first))) first = each;
    return first;
  }
}

const timeOf = ({ queried: { slots }, slot }: Scheduled): UnixMs => slots.startMs + slot * slots.stepMs;

function nextBusy(busy: Uint8Array, from: number): number {
  const found = busy.indexOf(1, from);
  return found === -1 ? busy.length : found;
}

function busySlots({ config, slots, answers }: QueriedGroup): Uint8Array {
  const busy = new Uint8Array(slots.count);
  for (const [rule, samples] of answers) {
    const aftermath = 1 + Math.ceil((rule.keepFiringForMs + AFTERMATH_MS) / config.intervalMs);
    for (let slot = 0; slot < slots.count; slot++)
      if (samples.at(slot).length > 0) busy.fill(1, slot, Math.min(slots.count, slot + aftermath + 1));
  }
  return busy;
}
