import { type Labels, labelsKey } from "@tocsin/model";
import { ConfigError, type ConfigIssue, errorMessage, readConfigText, TocsinError } from "@tocsin/platform";
import { parseRuleFile } from "./rule-file.ts";

export interface RuleFileCheck {
  file: string;
  /** Rules found; 0 when the file has a mistake. */
  rules: number;
  /** What keeps the file from loading. */
  issues: ConfigIssue[];
  /** Recording rules that write the same series as an earlier one: they load, but overwrite each other. */
  duplicates: { name: string; labels: Labels }[];
  warnings: string[];
}

const DEFAULTS = { evaluationIntervalMs: 60_000, queryOffsetMs: 0 };

/** Checks rule files one by one, as `promtool check rules` does. */
export function checkRules(files: readonly string[]): RuleFileCheck[] {
  return files.map((file) => {
    const check: RuleFileCheck = { file, rules: 0, issues: [], duplicates: [], warnings: [] };
    try {
      const { groups, warnings } = parseRuleFile(file, readConfigText(file), DEFAULTS);
      const rules = groups.flatMap((group) => group.rules);
      const seen = new Set<string>();
      for (const { kind, name, labels } of rules) {
        const key = `${kind}\xff${name}\xff${labelsKey(labels)}`;
        if (seen.has(key)) check.duplicates.push({ name, labels });
        seen.add(key);
      }
      return { ...check, rules: rules.length, warnings };
    } catch (error) {
      if (error instanceof ConfigError) return { ...check, issues: [...error.issues] };
      if (!(error instanceof TocsinError)) throw error;
      return { ...check, issues: [{ file, line: 1, column: 1, path: "", message: errorMessage(error) }] };
    }
  });
}
