import type { Labels } from "@tocsin/model";
import { createEngine, createMemorySource } from "@tocsin/promql";
import type { HistorySource } from "../src/backtest/history-source.ts";
import { parseRuleFile, type RuleGroupConfig } from "../src/rules/rule-file.ts";

/** A Saturday, noon UTC. */
export const NOON = Date.parse("2026-11-21T12:00:00Z");
export const MINUTE = 60_000;

export interface HistoryScene {
  readonly history: HistorySource;
  /** The queries that were asked, by kind. */
  readonly asked: { range: string[]; instant: string[]; select: number };
  /** One sample a minute from noon on: the value of minute `i`, or none. */
  add(labels: Labels, minutes: number, value: (minute: number) => number | undefined): void;
}

export function historyScene(): HistoryScene {
  const source = createMemorySource();
  const engine = createEngine({ now: () => 0 });
  const asked: HistoryScene["asked"] = { range: [], instant: [], select: 0 };
  const signal = new AbortController().signal;
  return {
    asked,
    history: {
      instant(expr, atMs) {
        asked.instant.push(expr);
        return engine.instant(source, expr, atMs);
      },
      range(expr, fromMs, toMs, stepMs) {
        asked.range.push(expr);
        return engine.range(source, expr, fromMs, toMs, stepMs);
      },
      async select(matchers, fromMs, toMs) {
        asked.select++;
        return source.select(matchers, fromMs, toMs, { stepMs: 0, rangeMs: 0, func: "" }, signal);
      },
    },
    add(labels, minutes, value) {
      for (let minute = 0; minute <= minutes; minute++) {
        const number = value(minute);
        if (number !== undefined) source.append(labels, { timestampMs: NOON + minute * MINUTE, value: number });
      }
    },
  };
}

/** Rule groups of a text, every one evaluated each minute. */
export function ruleGroups(text: string): RuleGroupConfig[] {
  return parseRuleFile("rules.yml", text, { evaluationIntervalMs: MINUTE, queryOffsetMs: 0 }).groups;
}
