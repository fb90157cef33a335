import { createHash } from "node:crypto";
import { glob } from "node:fs/promises";
import { type Labels, METRIC_NAME, parseDuration } from "@tocsin/model";
import { ConfigError, type ConfigIssue, errorMessage, readConfigText, TocsinError } from "@tocsin/platform";
import { type Expr, formatExpr, parseExpr } from "@tocsin/promql";
import { z } from "zod";
import { templateProblem } from "./rule-templates.ts";
import { readYamlText, validateYamlText, type YamlText } from "./yaml-text.ts";

export interface RecordingRule {
  readonly kind: "recording";
  readonly name: string;
  readonly expr: Expr;
  /** The expression printed anew. */
  readonly query: string;
  /** With the group's labels in it. */
  readonly labels: Labels;
}

export interface AlertingRule {
  readonly kind: "alerting";
  readonly name: string;
  readonly expr: Expr;
  readonly query: string;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  /** As configured, before expansion, with the group's labels in it. */
  readonly labels: Labels;
  readonly annotations: Labels;
}

export type Rule = RecordingRule | AlertingRule;

/** A group as its file has it; file and name together are its identity. */
export interface RuleGroupConfig {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
  /** Alerts or series a rule may make; 0 for any number. */
  readonly limit: number;
  readonly rules: readonly Rule[];
  /** Changes exactly when the group's text does. */
  readonly digest: string;
}

export interface RuleDefaults {
  /** Interval of groups that name none. */
  evaluationIntervalMs: number;
  queryOffsetMs: number;
}

const Text = z.string().nullish();
const StringMap = z.record(z.string(), Text).nullish();

const RuleYaml = z.strictObject({
  record: Text,
  alert: Text,
  expr: Text,
  for: Text,
  keep_firing_for: Text,
  labels: StringMap,
  annotations: StringMap,
});
type RuleYaml = z.infer<typeof RuleYaml>;

const GroupYaml = z.strictObject({
  name: Text,
  interval: Text,
  query_offset: Text,
  limit: Text,
  labels: StringMap,
  rules: z.array(RuleYaml).nullish(),
});
type GroupYaml = z.infer<typeof GroupYaml>;

const FileYaml = z.strictObject({ groups: z.array(GroupYaml).nullish() });

/** The files that the patterns name, sorted, each once. A plain path that does not exist is an error on reading. */
export async function findRuleFiles(patterns: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    if (!/[*?[\]{}]/.test(pattern)) {
      files.add(pattern);
      continue;
    }
    for await (const file of glob(pattern)) files.add(file);
  }
  return [...files].sort();
}

/** As findRuleFiles, but throws TOCSIN_CONFIG_UNREADABLE for a pattern that names no file. */
export async function requireRuleFiles(patterns: readonly string[]): Promise<string[]> {
  const found = await Promise.all(patterns.map((pattern) => findRuleFiles([pattern])));
  const unmatched = patterns.find((_, i) => found[i]?.length === 0);
  if (unmatched !== undefined) throw new TocsinError("TOCSIN_CONFIG_UNREADABLE", `no file matches ${unmatched}`);
  return [...new Set(found.flat())].sort();
}

/** Loads all files or none: throws a ConfigError with every mistake of every file. */
export function loadRuleFiles(files: readonly string[], defaults: RuleDefaults): RuleGroupConfig[] {
  const issues: ConfigIssue[] = [];
  const groups: RuleGroupConfig[] = [];
  for (const file of files) {
    try {
      groups.push(...parseRuleFile(file, readConfigText(file), defaults).groups);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return groups;
}

/** Reads one rule file. Throws a ConfigError with every mistake, each with its place. */
export function parseRuleFile(
  file: string,
  text: string,
  defaults: RuleDefaults,
): { groups: RuleGroupConfig[]; warnings: string[] } {
  const yaml = readYamlText(file, text);
  const data = validateYamlText(file, yaml, FileYaml);
  const reader = new FileReader(file, yaml, defaults);
  const groups = (data.groups ?? []).map((group, i) => reader.group(group, i));
  if (reader.issues.length > 0) throw new ConfigError(reader.issues);
  return { groups, warnings: yaml.moreDocuments ? [`${file}: only the first YAML document is read`] : [] };
}

class FileReader {
  readonly issues: ConfigIssue[] = [];
  readonly #file: string;
  readonly #yaml: YamlText;
  readonly #defaults: RuleDefaults;
  readonly #names = new Set<string>();

  constructor(file: string, yaml: YamlText, defaults: RuleDefaults) {
    this.#file = file;
    this.#yaml = yaml;
    this.#defaults = defaults;
  }

  group(group: GroupYaml, i: number): RuleGroupConfig {
    const path = ["groups", i];
    const name = group.name ?? "";
    if (name === "") this.#issue([...path, "name"], "groupname must not be empty");
    else if (this.#names.has(name))
      this.#issue([...path, "name"], `groupname: ${JSON.stringify(name)} is repeated in the same file`);
    this.#names.add(name);
    const groupLabels = this.#labels(group.labels, [...path, "labels"], `group ${JSON.stringify(name)}`);
    const rules = (group.rules ?? []).flatMap((rule, k) => {
      const read = this.#rule(rule, [...path, "rules", k], name, k + 1, groupLabels);
      return read === undefined ? [] : [read];
    });
    return {
      file: this.#file,
      name,
      intervalMs:
        this.#duration(group.interval, [...path, "interval"], "interval") || this.#defaults.evaluationIntervalMs,
      queryOffsetMs:
        group.query_offset === null || group.query_offset === undefined
          ? this.#defaults.queryOffsetMs
          : this.#duration(group.query_offset, [...path, "query_offset"], "query_offset"),
      limit: this.#limit(group.limit, [...path, "limit"]),
      rules,
      digest: createHash("sha256")
        .update(JSON.stringify([group, this.#defaults]))
        .digest("hex"),
    };
  }

  #rule(rule: RuleYaml, path: PropertyKey[], group: string, number: number, groupLabels: Labels): Rule | undefined {
    const before = this.issues.length;
    const record = rule.record ?? "";
    const alert = rule.alert ?? "";
    const name = record || alert;
    const where = `group ${JSON.stringify(group)}, rule ${number}, ${JSON.stringify(name)}`;
    const issue = (key: string | undefined, message: string) =>
      this.#issue(key === undefined ? path : [...path, key], `${where}: ${message}`);

    if (record !== "" && alert !== "") issue(undefined, "only one of 'record' and 'alert' must be set");
    if (record === "" && alert === "") issue(undefined, "one of 'record' or 'alert' must be set");
    const expr = this.#expression(rule.expr ?? "", path, where);
    const labels = this.#labels(rule.labels, [...path, "labels"], where);
    const all = { ...groupLabels, ...labels };
    if (record !== "") {
      for (const key of ["annotations", "for", "keep_firing_for"] as const)
        if (rule[key] !== undefined && rule[key] !== null) issue(key, `invalid field '${key}' in recording rule`);
      if (/[{}]/.test(record))
        issue("record", `braces present in the recording rule name; should it be in expr?: ${record}`);
      else if (!record.isWellFormed()) issue("record", `invalid recording rule name: ${record}`);
      if (expr === undefined || this.issues.length > before) return undefined;
      return { kind: "recording", name: record, expr, query: formatExpr(expr), labels: all };
    }
    const annotations = stringsOf(rule.annotations);
    for (const key of Object.keys(annotations))
      if (!isLabelName(key)) this.#issue([...path, "annotations", key], `${where}: invalid annotation name: ${key}`);
    for (const [kind, texts] of [
      ["label", labels],
      ["annotation", annotations],
    ] as const)
      for (const [key, text] of Object.entries(texts)) {
        const problem = templateProblem(alert, text);
        if (problem !== undefined)
          this.#issue([...path, `${kind}s`, key], `${where}: ${kind} ${JSON.stringify(key)}: ${problem}`);
      }
    const forMs = this.#duration(rule.for, [...path, "for"], `${where}: for`);
    const keepFiringForMs = this.#duration(
      rule.keep_firing_for,
      [...path, "keep_firing_for"],
      `${where}: keep_firing_for`,
    );
    if (expr === undefined || this.issues.length > before) return undefined;
    return {
      kind: "alerting",
      name: alert,
      expr,
      query: formatExpr(expr),
      forMs,
      keepFiringForMs,
      labels: all,
      annotations,
    };
  }

  #expression(text: string, path: PropertyKey[], where: string): Expr | undefined {
    if (text === "") {
      this.#issue([...path, "expr"], `${where}: field 'expr' must be set in rule`);
      return undefined;
    }
    try {
      return parseExpr(text);
    } catch (error) {
      const place = this.#yaml.locateValue([...path, "expr"]);
      this.#issueAt(place, [...path, "expr"], `${where}: could not parse expression: ${errorMessage(error)}`);
      return undefined;
    }
  }

  #labels(map: z.infer<typeof StringMap>, path: PropertyKey[], where: string): Labels {
    const labels = stringsOf(map);
    for (const [name, value] of Object.entries(labels)) {
      if (!isLabelName(name) || name === METRIC_NAME)
        this.#issue([...path, name], `${where}: invalid label name: ${name}`);
      if (!value.isWellFormed()) this.#issue([...path, name], `${where}: invalid label value: ${value}`);
    }
    return labels;
  }

  #duration(text: string | null | undefined, path: PropertyKey[], what: string): number {
    if (text === null || text === undefined || text === "") return 0;
    try {
      return parseDuration(text);
    } catch (error) {
      this.#issue(path, `${what}: ${errorMessage(error)}`);
      return 0;
    }
  }

  #limit(text: string | null | undefined, path: PropertyKey[]): number {
    if (text === null || text === undefined) return 0;
    if (/^-?\d+$/.test(text)) return Math.max(Number(text), 0);
    this.#issue(path, `limit: not a whole number: ${JSON.stringify(text)}`);
    return 0;
  }

  #issue(path: PropertyKey[], message: string): void {
    this.#issueAt(this.#yaml.locate(path), path, message);
  }

  #issueAt(place: { line: number; column: number }, path: PropertyKey[], message: string): void {
    this.issues.push({ file: this.#file, ...place, path: path.map(String).join("."), message });
  }
}

const isLabelName = (name: string) => name !== "" && name.isWellFormed();

function stringsOf(map: z.infer<typeof StringMap>): Labels {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [key, value ?? ""]));
}
