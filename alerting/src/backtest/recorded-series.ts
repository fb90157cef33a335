import { compileMatchers, labelsKey, matchesAll, METRIC_NAME, type Matcher, type UnixMs } from "@tocsin/model";
import {
  type MatrixSeries,
  type SeriesData,
  type SeriesSource,
  type VectorSelector,
  vectorSelectors,
} from "@tocsin/promql";
import { recordedSeries } from "../rules/evaluate.ts";
import type { RecordingRule, Rule } from "../rules/rule-file.ts";
import type { HistorySource } from "./history-source.ts";
import type { Slots } from "./slot-samples.ts";

/** Whether a selector can find the series that a recording rule writes. */
function mayFind(selector: VectorSelector, recorded: string): boolean {
  const onName = compileMatchers(selector.matchers.filter(({ name }) => name === METRIC_NAME));
  return matchesAll(onName, { [METRIC_NAME]: recorded });
}

/** The recording rules among `rules` whose series the rule may read. */
export function readRules(rule: Rule, rules: readonly RecordingRule[]): RecordingRule[] {
  const selectors = vectorSelectors(rule.expr);
  return rules.filter(({ name }) => selectors.some((selector) => mayFind(selector, name)));
}

/** Stored history in which what the replayed recording rules write stands in the place of what was written then. */
export class RecordedSeries implements SeriesSource {
  readonly #history: HistorySource;
  readonly #fromMs: UnixMs;
  readonly #names = new Set<string>();
  readonly #series = new Map<string, SeriesData>();

  /** `fromMs`: the start of the replay; what was stored before stands. */
  constructor(history: HistorySource, fromMs: UnixMs) {
    this.#history = history;
    this.#fromMs = fromMs;
  }

  /** Takes what a rule's query gave over its slots. Throws for two results with one label set. */
  add(rule: RecordingRule, matrix: readonly MatrixSeries[], slots: Slots): void {
    this.#names.add(rule.name);
    const written = recordedSeries(
      rule,
      matrix.map(({ labels }) => ({ labels, value: 0, timestampMs: 0 })),
      0,
    );
    for (const [i, { labels }] of written.entries()) {
      const data = matrix[i];
      if (data === undefined) continue;
      const added = { labels, ...withEnds(data, slots) };
      const key = labelsKey(labels);
      const before = this.#series.get(key);
      this.#series.set(key, before === undefined ? added : merged(before, added));
    }
  }

  async select(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs): Promise<SeriesData[]> {
    const compiled = compileMatchers(matchers);
    const found = new Map<string, SeriesData>();
    for (const stored of await this.#history.select(matchers, fromMs, toMs)) {
      const replaced = this.#names.has(stored.labels[METRIC_NAME] ?? "");
      found.set(labelsKey(stored.labels), replaced ? before(stored, this.#fromMs) : stored);
    }
    for (const [key, series] of this.#series) {
      if (!matchesAll(compiled, series.labels)) continue;
      const past = found.get(key);
      found.set(key, past === undefined ? series : merged(past, series));
    }
    return [...found.values()];
  }
}

/** Floats with a staleness marker where a slot has none after one that had. */
function withEnds({ timestamps, values }: MatrixSeries, { startMs, stepMs, count }: Slots): Omit<SeriesData, "labels"> {
  const lastMs = startMs + (count - 1) * stepMs;
  const times: number[] = [];
  const floats: number[] = [];
  const stale: number[] = [];
  const put = (time: number, value: number, ends: 0 | 1) => {
    times.push(time);
    floats.push(value);
    stale.push(ends);
  };
  for (const [i, time] of timestamps.entries()) {
    put(time, values[i] ?? Number.NaN, 0);
    const next = time + stepMs;
    if (next <= lastMs && timestamps[i + 1] !== next) put(next, Number.NaN, 1);
  }
  return { timestamps: Float64Array.from(times), values: Float64Array.from(floats), stale: Uint8Array.from(stale) };
}

/** The part of a series before a time. */
function before({ labels, timestamps, values, stale }: SeriesData, atMs: UnixMs): SeriesData {
  const kept = timestamps.findLastIndex((time) => time < atMs) + 1;
  return {
    labels,
    timestamps: timestamps.slice(0, kept),
    values: values.slice(0, kept),
    ...(stale && { stale: stale.slice(0, kept) }),
  };
}

/** Two parts of one series, in order of time; of two samples at one time the second part's counts. */
function merged(a: SeriesData, b: SeriesData): SeriesData {
  const all = new Map<number, [value: number, stale: number]>();
  for (const part of [a, b])
    for (const [i, time] of part.timestamps.entries())
      all.set(time, [part.values[i] ?? Number.NaN, part.stale?.[i] ?? 0]);
  const sorted = [...all].sort(([x], [y]) => x - y);
  return {
    labels: a.labels,
    timestamps: Float64Array.from(sorted, ([time]) => time),
    values: Float64Array.from(sorted, ([, [value]]) => value),
    stale: Uint8Array.from(sorted, ([, [, stale]]) => stale),
  };
}
