import { type Labels, labelsKey } from "@tocsin/model";
import { ConfigError, type ConfigIssue, readConfigText } from "@tocsin/platform";
import { parseRuleFile, requireRuleFiles } from "./rule-file.ts";

export interface RuleFileCheck {
  file: string;
  groups: number;
  rules: number;
  /** Rules with the name and labels of an earlier one: they load, but write the same series. */
  duplicates: { name: string; labels: Labels }[];
  warnings: string[];
}

const DEFAULTS = { evaluationIntervalMs: 60_000, queryOffsetMs: 0 };

/**
 * Checks rule files, globs allowed, as `promtool check rules` does. Throws a ConfigError with every mistake of every
 * file, and TOCSIN_CONFIG_UNREADABLE for a file that is not there or cannot be read.
 */
export async function checkRules(patterns: readonly string[]): Promise<RuleFileCheck[]> {
  const checks: RuleFileCheck[] = [];
  const issues: ConfigIssue[] = [];
  for (const file of await requireRuleFiles(patterns)) {
    try {
      checks.push(checkFile(file));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return checks;
}

function checkFile(file: string): RuleFileCheck {
  const { groups, warnings } = parseRuleFile(file, readConfigText(file), DEFAULTS);
  const rules = groups.flatMap((group) => group.rules);
  const seen = new Set<string>();
  const duplicates = rules.filter(({ kind, name, labels }) => {
    const key = `${kind}\xff${name}\xff${labelsKey(labels)}`;
    const known = seen.has(key);
    seen.add(key);
    return known;
  });
  return {
    file,
    groups: groups.length,
    rules: rules.length,
    duplicates: duplicates.map(({ name, labels }) => ({ name, labels })),
    warnings,
  };
}
