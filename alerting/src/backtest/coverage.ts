import type { BacktestHistory, UnixMs } from "@tocsin/model";
import { type Expr, formatExpr, type VectorSelector, vectorSelectors } from "@tocsin/promql";
import type { RecordingRule, Rule, RuleGroupConfig } from "../rules/rule-file.ts";
import type { HistorySource } from "./history-source.ts";
import { readRules } from "./recorded-series.ts";

/** An instant selector finds a sample that is up to five minutes old, so that steps of that length miss none. */
const MIN_STEP_MS = 5 * 60_000;
const MAX_STEPS = 2500;

export interface CoverageOptions {
  readonly history: HistorySource;
  readonly fromMs: UnixMs;
  readonly toMs: UnixMs;
  readonly signal: AbortSignal;
}

/** Says of each expression how much of what it reads was stored. Selectors that several have are asked for once. */
export class Coverage {
  readonly #options: CoverageOptions;
  readonly #recording: readonly RecordingRule[];
  readonly #stepMs: number;
  readonly #known = new Map<string, Promise<ReadonlySet<number>>>();

  constructor(groups: readonly RuleGroupConfig[], options: CoverageOptions) {
    this.#options = options;
    this.#recording = groups.flatMap(({ rules }) => rules.filter((rule) => rule.kind === "recording"));
    this.#stepMs = Math.max(MIN_STEP_MS, Math.ceil((options.toMs - options.fromMs) / MAX_STEPS));
  }

  /** One query after the other: the store has others to serve. */
  async ofAll(rules: readonly Rule[]): Promise<ReadonlyMap<Rule, BacktestHistory>> {
    const found = new Map<Rule, BacktestHistory>();
    for (const rule of rules) found.set(rule, await this.#of(rule));
    return found;
  }

  async #of(rule: Rule): Promise<BacktestHistory> {
    const { fromMs, toMs } = this.#options;
    const selectors = [...new Set(this.#selectors(rule.expr, rule, []))];
    if (selectors.length === 0) return { firstSampleAt: new Date(fromMs).toISOString(), share: 1, missing: [] };
    const times = new Set<number>();
    const missing: string[] = [];
    for (const selector of selectors) {
      const found = await this.#timesOf(selector);
      if (found.size === 0) missing.push(selector);
      for (const time of found) times.add(time);
    }
    const steps = Math.floor((toMs - fromMs) / this.#stepMs) + 1;
    const first = times.size === 0 ? null : new Date(Math.min(...times)).toISOString();
    return { firstSampleAt: first, share: times.size / steps, missing };
  }

  /** What the expression reads of the store, through the recording rules that are replayed with it. */
  #selectors(expr: Expr, rule: Rule, way: readonly string[]): string[] {
    const replayed = readRules(rule, this.#recording).filter(({ name }) => !way.includes(name));
    const names = new Set(replayed.map(({ name }) => name));
    const own = vectorSelectors(expr)
      .filter(({ name }) => !names.has(name))
      .map(plainSelector);
    return [...own, ...replayed.flatMap((read) => this.#selectors(read.expr, read, [...way, read.name]))];
  }

  #timesOf(selector: string): Promise<ReadonlySet<number>> {
    const known = this.#known.get(selector) ?? this.#ask(selector);
    this.#known.set(selector, known);
    return known;
  }

  async #ask(selector: string): Promise<ReadonlySet<number>> {
    const { history, fromMs, toMs, signal } = this.#options;
    const { series } = await history.range(`group(${selector})`, fromMs, toMs, this.#stepMs, { signal });
    return new Set(series.flatMap(({ timestamps }) => [...timestamps]));
  }
}

/** The selector without what moves it in time. */
function plainSelector({ type, name, matchers, pos }: VectorSelector): string {
  return formatExpr({ type, name, matchers, pos, offsetMs: 0, anchored: false, smoothed: false });
}
