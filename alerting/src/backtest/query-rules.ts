import type { UnixMs } from "@tocsin/model";
import { type Clock, errorMessage, TocsinError } from "@tocsin/platform";
import { createEngine, type MatrixSeries } from "@tocsin/promql";
import { toQueryAnswer, type QuerySource } from "../query-source.ts";
import type { AlertingRule, RecordingRule, Rule, RuleGroupConfig } from "../rules/rule-file.ts";
import type { HistorySource } from "./history-source.ts";
import { RecordedSeries, readRules } from "./recorded-series.ts";
import { SlotSamples, type Slots } from "./slot-samples.ts";

/** Steps of one range query; longer replays ask several times, so that no answer outgrows memory. */
const STEPS_PER_QUERY = 11_000;

export interface QueryRulesOptions {
  readonly groups: readonly RuleGroupConfig[];
  readonly history: HistorySource;
  readonly fromMs: UnixMs;
  readonly toMs: UnixMs;
  /** For the time limit of queries that run in this process. */
  readonly clock: Clock;
  /** Points that one rule's answer may have. */
  readonly maxPoints: number;
  readonly signal: AbortSignal;
}

/** A group with its alerting rules only, and what their queries give at each of its slots. */
export interface QueriedGroup {
  readonly config: RuleGroupConfig;
  readonly slots: Slots;
  readonly answers: ReadonlyMap<AlertingRule, SlotSamples>;
  /** Rules whose query failed, with its error. */
  readonly failures: ReadonlyMap<AlertingRule, string>;
}

export interface QueriedRules {
  readonly groups: readonly QueriedGroup[];
  /** What templates query. */
  readonly queries: QuerySource;
  readonly notes: readonly string[];
}

interface Placed<R extends Rule = Rule> {
  readonly rule: R;
  readonly slots: Slots;
  readonly offsetMs: number;
}

/** The times at which a replay evaluates a group. */
export function slotsOf({ intervalMs }: RuleGroupConfig, fromMs: UnixMs, toMs: UnixMs): Slots {
  return { startMs: fromMs, stepMs: intervalMs, count: Math.floor((toMs - fromMs) / intervalMs) + 1 };
}

/**
 * Asks for the answers of every alerting rule over the whole time at once, instead of slot by slot. Recording rules of
 * the same groups that they read are replayed first, and read in the place of the stored series of that name.
 */
export async function queryRules(options: QueryRulesOptions): Promise<QueriedRules> {
  const { groups, history, fromMs, toMs, clock, signal } = options;
  const placed = groups.flatMap((config) =>
    config.rules.map((rule): Placed => ({
      rule,
      slots: slotsOf(config, fromMs, toMs),
      offsetMs: config.queryOffsetMs,
    })),
  );
  const recording = placed.flatMap(({ rule }) => (rule.kind === "recording" ? [rule] : []));
  const replayed = new RecordedSeries(history, fromMs);
  const engine = createEngine({ now: () => clock.now() });
  const known = new Set<RecordingRule>();
  const notes: string[] = [];

  const matrices = async function* ({ rule, slots, offsetMs }: Placed): AsyncGenerator<MatrixSeries[]> {
    requireReplayable(rule);
    const needsReplayed = readRules(rule, [...known]).length > 0;
    for (let first = 0; first < slots.count; first += STEPS_PER_QUERY) {
      const last = Math.min(first + STEPS_PER_QUERY, slots.count) - 1;
      const at = (slot: number) => slots.startMs + slot * slots.stepMs - offsetMs;
      const result = needsReplayed
        ? await engine.range(replayed, rule.expr, at(first), at(last), slots.stepMs, { signal })
        : await history.range(rule.query, at(first), at(last), slots.stepMs, { signal });
      requireFewPoints(rule, result.series, options.maxPoints);
      yield result.series;
    }
  };

  for (const each of inOrder(placed, recording, notes)) {
    const { rule, slots, offsetMs } = each;
    try {
      for await (const matrix of matrices(each)) {
        if (matrix.some(({ histograms }) => histograms.length > 0))
          notes.push(`${rule.name} records native histograms, which are not replayed`);
        replayed.add(rule, matrix, { ...slots, startMs: slots.startMs - offsetMs });
      }
      known.add(rule);
    } catch (error) {
      if (signal.aborted || error instanceof TocsinError) throw error;
      notes.push(`recording rule ${rule.name} cannot be replayed, its stored series stand: ${errorMessage(error)}`);
    }
  }

  const queried: QueriedGroup[] = [];
  for (const config of groups) {
    const rules = config.rules.filter((rule) => rule.kind === "alerting");
    if (rules.length === 0) continue;
    const slots = slotsOf(config, fromMs, toMs);
    const answers = new Map<AlertingRule, SlotSamples>();
    const failures = new Map<AlertingRule, string>();
    for (const rule of rules) {
      const samples = new SlotSamples({ ...slots, startMs: slots.startMs - config.queryOffsetMs });
      answers.set(rule, samples);
      try {
        for await (const matrix of matrices({ rule, slots, offsetMs: config.queryOffsetMs })) samples.add(matrix);
      } catch (error) {
        if (signal.aborted || error instanceof TocsinError) throw error;
        failures.set(rule, errorMessage(error));
      }
    }
    queried.push({ config: { ...config, rules }, slots, answers, failures });
  }
  return { groups: queried, notes, queries: templateQueries(history) };
}

/** The recording rules that alerting rules need, those first that others read. */
function inOrder(
  placed: readonly Placed[],
  recording: readonly RecordingRule[],
  notes: string[],
): Placed<RecordingRule>[] {
  const isRecording = (each: Placed): each is Placed<RecordingRule> => each.rule.kind === "recording";
  const byRule = new Map(placed.filter(isRecording).map((each) => [each.rule, each]));
  const ordered = new Set<Placed<RecordingRule>>();
  const visit = (rule: Rule, way: readonly Rule[]) => {
    for (const read of readRules(rule, recording)) {
      const each = byRule.get(read);
      if (each === undefined || ordered.has(each)) continue;
      if (way.includes(read)) {
        notes.push(`${rule.name} reads ${read.name}, which depends on it: the stored series of ${read.name} stand`);
        continue;
      }
      visit(read, [...way, read]);
      ordered.add(each);
    }
  };
  for (const { rule } of placed) if (rule.kind === "alerting") visit(rule, [rule]);
  return [...ordered];
}

/** A rule is evaluated at single points in time; over a range, `@ start()` would mean something else. */
function requireReplayable(rule: Rule): void {
  if (/@ (?:start|end)\(\)/.test(rule.query))
    throw new Error("@ start() and @ end() cannot be replayed; a rule does not need them");
}

function requireFewPoints(rule: Rule, series: readonly MatrixSeries[], maxPoints: number): void {
  const points = series.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
  if (points > maxPoints)
    throw new TocsinError(
      "TOCSIN_TOO_LARGE",
      `${rule.name} gives ${points} points, and a backtest takes ${maxPoints} of one rule: shorten the time or narrow the expression`,
    );
}

function templateQueries(history: HistorySource): QuerySource {
  return {
    instant: async (expr, atMs, signal) => toQueryAnswer(await history.instant(expr, atMs, { signal })),
  };
}
