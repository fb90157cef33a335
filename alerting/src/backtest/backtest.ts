import type { BacktestAnswer, BacktestRun, UnixMs } from "@tocsin/model";
import { type Clock, TocsinError } from "@tocsin/platform";
import type { Silence } from "../mute/silence.ts";
import type { RuleGroupConfig } from "../rules/rule-file.ts";
import { Coverage } from "./coverage.ts";
import type { HistorySource } from "./history-source.ts";
import { queryRules, slotsOf } from "./query-rules.ts";
import { replay, ruleId, type Routing } from "./replay.ts";

/** Evaluations that one backtest makes at most, of all its alerting rules together. */
const MAX_EVALUATIONS = 5_000_000;
const MAX_RANGE_MS = 31 * 86_400_000;
const MAX_RULES = 500;
const MAX_POINTS = 5_000_000;

export interface BacktestOptions {
  readonly rules: readonly RuleGroupConfig[];
  /** The rules in force; those of them whose alerts have the same names are replayed as well. */
  readonly presentRules?: readonly RuleGroupConfig[];
  readonly routing: Routing;
  /** The routing that the present rules go by; default: the same. */
  readonly presentRouting?: Routing;
  /** Silences that count; those of the past in their time. */
  readonly silences?: readonly Silence[];
  readonly fromMs: UnixMs;
  readonly toMs: UnixMs;
  readonly history: HistorySource;
  /** Where people reach Tocsin: templates may show it. */
  readonly externalUrl?: string;
  /** Whose nights are counted: an IANA name. Default UTC. */
  readonly timeZone?: string;
  /** The real time, for time limits. Replayed time is a clock of its own. */
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Replays rules and routing over stored history: what would have fired, and whom it would have told. The evaluator and
 * the router are those that run live; nothing is sent and nothing is written. Throws TOCSIN_BAD_REQUEST and
 * TOCSIN_TOO_LARGE for what it cannot replay, and a ConfigError for a mistake in the routing.
 */
export async function backtest(options: BacktestOptions): Promise<BacktestAnswer> {
  const { rules, presentRules = [], routing, presentRouting = routing, fromMs, toMs } = options;
  requireWithinLimits(options);
  const notes: string[] = [];
  const candidate = await run(options, rules, routing, notes);
  const counterparts = sameAlerts(presentRules, rules);
  const present = counterparts.length === 0 ? null : await run(options, counterparts, presentRouting, notes);
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    timeZone: options.timeZone ?? "UTC",
    candidate,
    present,
    notes: [...new Set([...notes, ...historyNotes(candidate, options)])],
  };
}

async function run(
  options: BacktestOptions,
  groups: readonly RuleGroupConfig[],
  routing: Routing,
  notes: string[],
): Promise<BacktestRun> {
  const { history: source, fromMs, toMs, clock, silences = [], timeZone = "UTC", externalUrl = "" } = options;
  const signal = options.signal ?? new AbortController().signal;
  const coverage = new Coverage(groups, { history: source, fromMs, toMs, signal });
  const queried = await queryRules({ groups, history: source, fromMs, toMs, clock, maxPoints: MAX_POINTS, signal });
  notes.push(...queried.notes);
  const { groups: replayable, queries } = queried;
  // The store looks for what there was while this thread replays.
  const histories = coverage.ofAll(replayable.flatMap(({ config }) => config.rules));
  histories.catch(() => {});
  const replayed = await replay({
    groups: replayable,
    queries,
    routing,
    silences,
    fromMs,
    toMs,
    timeZone,
    externalUrl,
    signal,
  });
  const found = await histories;
  const rules = new Map<string, BacktestRun["rules"][number]>();
  for (const { config } of replayable) {
    for (const rule of config.rules) {
      const id = ruleId({ file: config.file, group: config.name, rule: rule.name });
      const firings = replayed.firings.get(id);
      const history = found.get(rule);
      // Rules of one group with one name are one.
      if (firings === undefined || history === undefined || rules.has(id)) continue;
      rules.set(id, { alert: rule.name, group: config.name, file: config.file, history, ...firings.tally(toMs) });
    }
  }
  return { rules: [...rules.values()], receivers: replayed.receivers, muted: replayed.muted };
}

/** The groups with those alerting rules only that have a namesake; recorded history stands for what they read. */
function sameAlerts(present: readonly RuleGroupConfig[], candidate: readonly RuleGroupConfig[]): RuleGroupConfig[] {
  const names = new Set(candidate.flatMap(({ rules }) => rules.map(({ kind, name }) => `${kind} ${name}`)));
  return present
    .map((group) => ({
      ...group,
      rules: group.rules.filter(({ kind, name }) => kind === "alerting" && names.has(`${kind} ${name}`)),
    }))
    .filter(({ rules }) => rules.length > 0);
}

function requireWithinLimits({ rules, fromMs, toMs }: BacktestOptions): void {
  if (!(fromMs < toMs)) throw new TocsinError("TOCSIN_BAD_REQUEST", "from must be before to");
  if (toMs - fromMs > MAX_RANGE_MS) throw new TocsinError("TOCSIN_TOO_LARGE", "a backtest covers 31 days at most");
  const alerting = rules.flatMap((group) =>
    group.rules.flatMap(({ kind }) => (kind === "alerting" ? [slotsOf(group, fromMs, toMs).count] : [])),
  );
  if (alerting.length === 0) throw new TocsinError("TOCSIN_BAD_REQUEST", "there is no alerting rule to replay");
  if (alerting.length > MAX_RULES)
    throw new TocsinError("TOCSIN_TOO_LARGE", `a backtest replays ${MAX_RULES} alerting rules at most`);
  const evaluations = alerting.reduce((sum, count) => sum + count, 0);
  if (evaluations > MAX_EVALUATIONS)
    throw new TocsinError(
      "TOCSIN_TOO_LARGE",
      `${evaluations} evaluations; a backtest makes ${MAX_EVALUATIONS} at most: shorten the time, take fewer rules or a longer interval`,
    );
}

function historyNotes({ rules }: BacktestRun, { fromMs, toMs }: BacktestOptions): string[] {
  const notes: string[] = [];
  for (const { alert, history, first } of rules) {
    if (history.firstSampleAt === null) notes.push(`${alert}: there is no history of anything it reads`);
    else if (history.share < 0.99)
      notes.push(
        `${alert}: there is history for ${(history.share * 100).toFixed(0)} % of the time, from ${history.firstSampleAt} on`,
      );
    if (first.some(({ atStart }) => atStart))
      notes.push(`${alert}: its condition held at the start already, and may have begun earlier`);
  }
  if (toMs - fromMs < 86_400_000) notes.push("less than a day says little about nights and weekends");
  return notes;
}
