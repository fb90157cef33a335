import { randomUUID } from "node:crypto";
import {
  compareStrings,
  formatDuration,
  formatLabels,
  type Labels,
  labelsKey,
  type Sample,
  type UnixMs,
} from "@tocsin/model";
import { ConfigError, createLogger, errorMessage, systemClock, TocsinError } from "@tocsin/platform";
import { createEngine, createMemorySource, type MemorySource } from "@tocsin/promql";
import { createEngineQuerySource, type QuerySample, type QuerySource } from "../query-source.ts";
import { ruleSamples } from "./evaluate.ts";
import { loadRuleFiles, requireRuleFiles, type RuleGroupConfig } from "./rule-file.ts";
import { RuleGroup } from "./rule-group.ts";
import { histogramsEqual, type NotedValue } from "./series-notation.ts";
import { type ExpectedSample, readRuleTestFile, type RuleTest, type RuleTestFile } from "./test-file.ts";

export interface RuleTestResult {
  file: string;
  /** Tests in the file. */
  tests: number;
  /** What was expected and what came, each over several lines, the test's name first. */
  failures: string[];
}

/**
 * Runs unit test files of rules, globs allowed, in promtool's format; each result says what failed. Throws
 * TOCSIN_CONFIG_UNREADABLE for a pattern that names no file.
 */
export async function runRuleTests(patterns: readonly string[]): Promise<RuleTestResult[]> {
  const results: RuleTestResult[] = [];
  for (const file of await requireRuleFiles(patterns)) results.push(await runFile(file));
  return results;
}

async function runFile(file: string): Promise<RuleTestResult> {
  try {
    const suite = readRuleTestFile(file);
    const groups = inOrder(
      loadRuleFiles(await requireRuleFiles(suite.ruleFiles), {
        evaluationIntervalMs: suite.evaluationIntervalMs,
        queryOffsetMs: 0,
      }),
      suite.groupOrder,
    );
    const failures: string[] = [];
    for (const test of suite.tests)
      for (const message of await runTest(test, suite, groups))
        failures.push(test.name === "" ? message : `${test.name}: ${message}`);
    return { file, tests: suite.tests.length, failures };
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof TocsinError)) throw error;
    return { file, tests: 0, failures: [error.message] };
  }
}

/** The named groups first, in the order given; the rest as they stand. */
function inOrder(groups: readonly RuleGroupConfig[], order: readonly string[]): RuleGroupConfig[] {
  const rank = ({ name }: RuleGroupConfig) => (order.includes(name) ? order.indexOf(name) : order.length);
  return groups.toSorted((a, b) => rank(a) - rank(b));
}

async function runTest(test: RuleTest, suite: RuleTestFile, configs: readonly RuleGroupConfig[]): Promise<string[]> {
  const store = createMemorySource();
  const engine = createEngine({ now: () => performance.now(), defaultSubqueryStepMs: suite.evaluationIntervalMs });
  const queries = createEngineQuerySource(engine, store);
  const groups = configs.map((config) => testGroup(config, test, queries, store));
  const input = new InputSeries(test, store);
  const failures: string[] = [];
  const lastMs = Math.max(0, ...test.alertCases.map(({ atMs }) => atMs), ...test.exprCases.map(({ atMs }) => atMs));
  for (let atMs = 0; atMs <= lastMs; atMs += suite.evaluationIntervalMs) {
    input.addUntil(atMs);
    const errors: string[] = [];
    for (const group of groups) {
      await group.evaluate(test.startMs + atMs);
      for (const { rule, lastError } of group.snapshot().rules)
        if (lastError !== undefined)
          errors.push(`rule: ${rule.name}, time: ${formatDuration(atMs)}, err: ${lastError}`);
    }
    if (errors.length > 0) return [...failures, ...errors];
    for (const item of test.alertCases)
      if (item.atMs >= atMs && item.atMs < atMs + suite.evaluationIntervalMs)
        failures.push(...checkAlerts(item, groups));
  }
  input.addUntil(lastMs);
  for (const item of test.exprCases)
    failures.push(...(await checkExpression(item, test.startMs, queries, suite.fuzzyCompare)));
  return failures;
}

function testGroup(config: RuleGroupConfig, test: RuleTest, queries: QuerySource, store: MemorySource): RuleGroup {
  return new RuleGroup(
    config,
    {
      // Only asked for the time of metrics, of which a test has none.
      clock: systemClock,
      queries,
      output: {
        async append({ series }) {
          for (const { labels, samples } of series) for (const sample of samples) store.append(labels, sample);
        },
      },
      send: () => undefined,
      onDecision: () => undefined,
      newId: randomUUID,
      logger: createLogger({ level: "silent" }),
      metrics: undefined,
      externalLabels: test.externalLabels,
      externalUrl: test.externalUrl,
      resendDelayMs: 60_000,
      outageToleranceMs: 0,
      gracePeriodMs: 0,
    },
    { restore: false },
  );
}

/** Puts the test's samples into the store when their time has come, for a query may look ahead. */
class InputSeries {
  readonly #test: RuleTest;
  readonly #store: MemorySource;
  #step = 0;

  constructor(test: RuleTest, store: MemorySource) {
    this.#test = test;
    this.#store = store;
  }

  addUntil(atMs: number): void {
    for (; this.#step * this.#test.intervalMs <= atMs; this.#step++) {
      const timestampMs = this.#test.startMs + this.#step * this.#test.intervalMs;
      for (const { labels, values } of this.#test.series) {
        const value = values[this.#step];
        if (value !== undefined) this.#store.append(labels, sampleOf(value, timestampMs));
      }
    }
  }
}

function sampleOf(value: Exclude<NotedValue, undefined>, timestampMs: UnixMs): Sample {
  if (value === "stale") return { timestampMs, value: Number.NaN, stale: true };
  return typeof value === "number" ? { timestampMs, value } : { timestampMs, value: 0, histogram: value };
}

interface ShownAlert {
  labels: Labels;
  annotations: Labels;
}

function checkAlerts(item: RuleTest["alertCases"][number], groups: readonly RuleGroup[]): string[] {
  const firing = groups
    .flatMap((group) => group.snapshot().rules)
    .filter(({ rule }) => rule.kind === "alerting" && rule.name === item.alertname)
    .flatMap(({ alerts }) => alerts.filter(({ state }) => state === "firing"));
  const got = sortAlerts(firing.map(({ labels, annotations }) => ({ labels, annotations: nonEmpty(annotations) })));
  const expected = sortAlerts(item.expected);
  if (got.map(alertKey).join() === expected.map(alertKey).join()) return [];
  return [
    `alertname: ${item.alertname}, time: ${formatDuration(item.atMs)}\nexp:${showAlerts(expected)}\ngot:${showAlerts(got)}`,
  ];
}

/** An annotation that expands to nothing counts as none, in what is expected too. */
const nonEmpty = (annotations: Labels): Labels =>
  Object.fromEntries(Object.entries(annotations).filter(([, value]) => value !== ""));

const alertKey = ({ labels, annotations }: ShownAlert) => `${labelsKey(labels)}\xfe${labelsKey(annotations)}\xfe`;
const sortAlerts = (alerts: readonly ShownAlert[]): ShownAlert[] =>
  alerts.toSorted((a, b) => compareStrings(alertKey(a), alertKey(b)));

function showAlerts(alerts: readonly ShownAlert[]): string {
  if (alerts.length === 0) return "[]";
  const lines = alerts.map(
    ({ labels, annotations }, i) =>
      `\n  ${i}:\n    Labels:${formatLabels(labels)}\n    Annotations:${formatLabels(annotations)}`,
  );
  return `[${lines.join("")}\n]`;
}

async function checkExpression(
  item: RuleTest["exprCases"][number],
  startMs: UnixMs,
  queries: QuerySource,
  fuzzy: boolean,
): Promise<string[]> {
  const head = `expr: ${JSON.stringify(item.expr)}, time: ${formatDuration(item.atMs)}`;
  let samples: QuerySample[];
  try {
    samples = ruleSamples(await queries.instant(item.expr, startMs + item.atMs, new AbortController().signal));
  } catch (error) {
    return [`${head}, err: ${errorMessage(error)}`];
  }
  const same = fuzzy ? nearlyEqual : Object.is;
  const got = samples.toSorted(byLabels);
  const expected = item.expected.toSorted(byLabels);
  const equal =
    got.length === expected.length &&
    got.every((sample, i) => {
      const wanted = expected[i];
      return wanted !== undefined && sampleEquals(sample, wanted, same);
    });
  return equal ? [] : [`${head}\nexp: ${showSamples(expected)}\ngot: ${showSamples(got)}`];
}

type Shown = Pick<ExpectedSample, "labels" | "value"> & { histogram?: ExpectedSample["histogram"] };

const byLabels = (a: { labels: Labels }, b: { labels: Labels }) =>
  compareStrings(labelsKey(a.labels), labelsKey(b.labels));

function sampleEquals(a: Shown, b: Shown, same: (x: number, y: number) => boolean): boolean {
  if (labelsKey(a.labels) !== labelsKey(b.labels)) return false;
  if (a.histogram !== undefined && b.histogram !== undefined) return histogramsEqual(a.histogram, b.histogram, same);
  return a.histogram === b.histogram && (a.value === b.value || same(a.value, b.value));
}

/** Equal but for one unit in the last place. */
function nearlyEqual(a: number, b: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const view = new DataView(new ArrayBuffer(16));
  view.setFloat64(0, a);
  view.setFloat64(8, b);
  const distance = view.getBigInt64(0) - view.getBigInt64(8);
  return distance === 1n || distance === -1n;
}

function showSamples(samples: readonly Shown[]): string {
  if (samples.length === 0) return "nil";
  return samples
    .map(
      ({ labels, value, histogram }) =>
        `${formatLabels(labels)} ${histogram === undefined ? value.toExponential().toUpperCase() : JSON.stringify(histogram)}`,
    )
    .join(", ");
}
