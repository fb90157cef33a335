import { dirname, isAbsolute, join } from "node:path";
import { type Labels, type NativeHistogram, parseDuration, type UnixMs } from "@tocsin/model";
import { ConfigError, type ConfigIssue, errorMessage, readConfigText } from "@tocsin/platform";
import { z } from "zod";
import { type NotedValue, parseHistogram, parseSeriesLabels, parseSeriesValues } from "./series-notation.ts";
import { readYamlText, validateYamlText, type YamlText } from "./yaml-text.ts";

/** A unit test file of rules, read. Times are milliseconds from the start of the test. */
export interface RuleTestFile {
  /** Paths or globs, made relative to the test file's folder. */
  ruleFiles: string[];
  evaluationIntervalMs: number;
  groupOrder: string[];
  fuzzyCompare: boolean;
  tests: RuleTest[];
}

export interface RuleTest {
  name: string;
  intervalMs: number;
  startMs: UnixMs;
  externalLabels: Labels;
  externalUrl: string;
  series: { labels: Labels; values: NotedValue[] }[];
  alertCases: { atMs: number; alertname: string; expected: { labels: Labels; annotations: Labels }[] }[];
  exprCases: { atMs: number; expr: string; expected: ExpectedSample[] }[];
}

export interface ExpectedSample {
  labels: Labels;
  value: number;
  histogram: NativeHistogram | undefined;
}

const Text = z.string().nullish();
const StringMap = z.record(z.string(), Text).nullish();

const FileYaml = z.strictObject({
  rule_files: z.array(z.string()).nullish(),
  evaluation_interval: Text,
  group_eval_order: z.array(z.string()).nullish(),
  fuzzy_compare: Text,
  tests: z
    .array(
      z.strictObject({
        interval: Text,
        name: Text,
        start_timestamp: Text,
        external_labels: StringMap,
        external_url: Text,
        input_series: z.array(z.strictObject({ series: Text, values: Text })).nullish(),
        alert_rule_test: z
          .array(
            z.strictObject({
              eval_time: Text,
              alertname: Text,
              exp_alerts: z
                .array(z.strictObject({ exp_labels: StringMap, exp_annotations: StringMap }).nullable())
                .nullish(),
            }),
          )
          .nullish(),
        promql_expr_test: z
          .array(
            z.strictObject({
              expr: Text,
              eval_time: Text,
              exp_samples: z.array(z.strictObject({ labels: Text, value: Text, histogram: Text })).nullish(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});
type FileYaml = z.infer<typeof FileYaml>;
type TestYaml = NonNullable<FileYaml["tests"]>[number];

/** Reads a unit test file. Throws a ConfigError with every mistake, each with its place. */
export function readRuleTestFile(file: string): RuleTestFile {
  const yaml = readYamlText(file, readConfigText(file));
  const reader = new Reader(file, yaml);
  const read = reader.file(validateYamlText(file, yaml, FileYaml));
  if (reader.issues.length > 0) throw new ConfigError(reader.issues);
  return read;
}

class Reader {
  readonly issues: ConfigIssue[] = [];
  readonly #file: string;
  readonly #yaml: YamlText;

  constructor(file: string, yaml: YamlText) {
    this.#file = file;
    this.#yaml = yaml;
  }

  file(data: FileYaml): RuleTestFile {
    const folder = dirname(this.#file);
    const interval = this.#duration(data.evaluation_interval, ["evaluation_interval"]) || 60_000;
    const groupOrder = data.group_eval_order ?? [];
    for (const [i, name] of groupOrder.entries())
      if (groupOrder.indexOf(name) !== i)
        this.#issue(["group_eval_order", i], `group name repeated in evaluation order: ${name}`);
    return {
      ruleFiles: (data.rule_files ?? []).map((path) => (isAbsolute(path) ? path : join(folder, path))),
      evaluationIntervalMs: interval,
      groupOrder,
      fuzzyCompare: data.fuzzy_compare === "true",
      tests: (data.tests ?? []).map((test, i) => this.#test(test, ["tests", i], interval)),
    };
  }

  #test(test: TestYaml, path: PropertyKey[], evaluationIntervalMs: number): RuleTest {
    return {
      name: test.name ?? "",
      intervalMs: this.#duration(test.interval, [...path, "interval"]) || evaluationIntervalMs,
      startMs: this.#time(test.start_timestamp, [...path, "start_timestamp"]),
      externalLabels: strings(test.external_labels),
      externalUrl: test.external_url ?? "",
      series: (test.input_series ?? []).map(({ series, values }, i) => ({
        labels: this.#read([...path, "input_series", i, "series"], () => parseSeriesLabels(series ?? ""), {}),
        values: this.#read([...path, "input_series", i, "values"], () => parseSeriesValues(values ?? ""), []),
      })),
      alertCases: (test.alert_rule_test ?? []).map((item, i) => ({
        atMs: this.#duration(item.eval_time, [...path, "alert_rule_test", i, "eval_time"]),
        alertname: this.#alertName(item.alertname ?? "", [...path, "alert_rule_test", i]),
        expected: (item.exp_alerts ?? []).map((alert) => ({
          labels: { ...strings(alert?.exp_labels), alertname: item.alertname ?? "" },
          annotations: strings(alert?.exp_annotations),
        })),
      })),
      exprCases: (test.promql_expr_test ?? []).map((item, i) => ({
        atMs: this.#duration(item.eval_time, [...path, "promql_expr_test", i, "eval_time"]),
        expr: item.expr ?? "",
        expected: (item.exp_samples ?? []).map((sample, k) => {
          const at = [...path, "promql_expr_test", i, "exp_samples", k];
          return {
            labels: this.#read([...at, "labels"], () => parseSeriesLabels(sample.labels || "{}"), {}),
            value: this.#read([...at, "value"], () => parseYamlFloat(sample.value ?? "0"), 0),
            histogram: this.#histogram(sample.histogram, [...at, "histogram"]),
          };
        }),
      })),
    };
  }

  #alertName(name: string, path: PropertyKey[]): string {
    if (name === "") this.#issue(path, "an item under alert_rule_test misses required attribute alertname");
    return name;
  }

  #histogram(text: string | null | undefined, path: PropertyKey[]): NativeHistogram | undefined {
    if (text === null || text === undefined || text === "") return undefined;
    const body = /^\{\{(.*)\}\}$/s.exec(text.trim())?.[1];
    return this.#read(
      path,
      () => {
        if (body === undefined) throw new Error("write a histogram as {{…}}");
        return parseHistogram(body);
      },
      undefined,
    );
  }

  #duration(text: string | null | undefined, path: PropertyKey[]): number {
    return this.#read(path, () => (text === null || text === undefined || text === "" ? 0 : parseDuration(text)), 0);
  }

  #time(text: string | null | undefined, path: PropertyKey[]): UnixMs {
    return this.#read(
      path,
      () => {
        if (text === null || text === undefined || text === "") return 0;
        const ms = /^-?\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : Date.parse(text);
        if (Number.isNaN(ms))
          throw new Error(`cannot parse ${JSON.stringify(text)} as a time (write RFC 3339 or Unix seconds)`);
        return ms;
      },
      0,
    );
  }

  #read<T>(path: PropertyKey[], read: () => T, fallback: T): T {
    try {
      return read();
    } catch (error) {
      this.#issue(path, errorMessage(error));
      return fallback;
    }
  }

  #issue(path: PropertyKey[], message: string): void {
    this.issues.push({ file: this.#file, ...this.#yaml.locate(path), path: path.map(String).join("."), message });
  }
}

function strings(map: z.infer<typeof StringMap>): Labels {
  return Object.fromEntries(
    Object.entries(map ?? {}).flatMap(([name, value]): [string, string][] =>
      value === null || value === undefined || value === "" ? [] : [[name, value]],
    ),
  );
}

function parseYamlFloat(text: string): number {
  const word = text.toLowerCase().replace(/^\+/, "");
  if (word === ".nan" || word === "nan") return Number.NaN;
  if (word === ".inf" || word === "inf") return Infinity;
  if (word === "-.inf" || word === "-inf") return -Infinity;
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new Error(`not a number: ${JSON.stringify(text)}`);
  return value;
}
