import { CompiledMatcher, METRIC_NAME, type Matcher, compareStrings } from "@tocsin/model";
import { ABSENT, ColumnBuilder, type Grid, type Series } from "../column.ts";
import type { Evaluating, Evaluation } from "../evaluation.ts";
import type { LabelSet } from "../label-set.ts";
import type { CallPlan, SelectorPlan, TimePlan } from "../plan.ts";
import { QueryError } from "../result.ts";
import { latestTimes, referenceTimes } from "../selectors.ts";
import { sharedReference } from "../shared-reference.ts";

/** The labels that tell which info series belongs to a series. */
const IDENTIFYING = ["instance", "job"] as const;
const DEFAULT_NAME: Matcher = { name: METRIC_NAME, type: "=", value: "target_info" };

/** info(): adds the labels of info series about the same instance and job. */
export function* evaluateInfo(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Series[]> {
  const [vector, selector] = plan.args;
  if (vector === undefined) return [];
  const base = yield* ev.vector(vector, grid);
  const matchers = selector?.kind === "selector" ? selector.matchers : [];
  const names = infoNames(matchers.filter((matcher) => matcher.name === METRIC_NAME));
  const dataMatchers = matchers.filter((matcher) => matcher.name !== METRIC_NAME);
  const compiledNames = names.map((matcher) => new CompiledMatcher(matcher));
  const isInfo = ({ labels }: Series) => compiledNames.every((matcher) => matcher.matches(labels.metricName));
  const enriched = base.filter((series) => !isInfo(series));
  const infos: InfoSeries[] = [];
  for (const identifying of identifyingMatchers(enriched)) {
    const time = sharedReference(vector) ?? { offsetMs: 0, atMs: undefined };
    const wanted = [...identifying, ...dataMatchers, ...names];
    infos.push(...(yield* fetchInfos(ev, wanted, time, plan, grid)));
  }
  return new Enrichment(base, infos, dataMatchers, isInfo, grid).run();
}

/** Which metrics are info metrics: those asked for; with exclusions only, everything that ends in `_info`. */
function infoNames(asked: readonly Matcher[]): readonly Matcher[] {
  if (asked.some(({ type }) => type === "=" || type === "=~")) return asked;
  return asked.length > 0 ? [{ name: METRIC_NAME, type: "=~", value: ".+_info" }, ...asked] : [DEFAULT_NAME];
}

/** For each combination of identifying labels that series have, the matchers that find their info series. */
function identifyingMatchers(all: readonly Series[]): Matcher[][] {
  const groups = new Map<string, Set<string>[]>();
  for (const { labels } of all) {
    const values = IDENTIFYING.map((name) => labels.get(name));
    const pattern = values.map((value) => (value === "" ? "0" : "1")).join("");
    if (!pattern.includes("1")) continue;
    const sets = groups.get(pattern) ?? IDENTIFYING.map(() => new Set<string>());
    groups.set(pattern, sets);
    for (const [i, value] of values.entries()) if (value !== "") sets[i]?.add(value);
  }
  return [...groups.values()].map((sets) =>
    IDENTIFYING.map((name, i) => {
      const values = [...(sets[i] ?? [])].sort(compareStrings);
      if (values.length === 0) return { name, type: "=", value: "" };
      return { name, type: "=~", value: values.map(quoteMeta).join("|") };
    }),
  );
}

const quoteMeta = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

/** An info series, with the times of its samples as values. */
interface InfoSeries {
  labels: LabelSet;
  times: Series;
}

function* fetchInfos(
  ev: Evaluation,
  matchers: readonly Matcher[],
  time: TimePlan,
  { pos }: CallPlan,
  grid: Grid,
): Evaluating<InfoSeries[]> {
  const selector: SelectorPlan = {
    kind: "selector",
    matchers,
    anchored: false,
    smoothed: false,
    statsOnly: false,
    isNamePinned: false,
    func: "info",
    ...time,
    pos,
  };
  const times = referenceTimes(selector, grid);
  const found = yield* ev.select(selector, times.firstMs - ev.lookbackMs, times.lastMs, 0, grid);
  const infos: InfoSeries[] = [];
  for (const { data, labels } of found) {
    const pick = (i: number) => {
      if (data.histograms?.[i])
        throw new QueryError("execution", `this should be an info metric, with float samples: ${labels.toString()}`);
      return data.timestamps[i] as number;
    };
    const series = latestTimes(data, labels, times, grid.count, ev.lookbackMs, pick);
    if (series) infos.push({ labels, times: series });
  }
  return infos;
}

const identity = (name: string, labels: LabelSet): string =>
  [name, ...IDENTIFYING.map((label) => labels.get(label))].join("\xff");

class Enrichment {
  private readonly base: readonly Series[];
  private readonly infos: readonly InfoSeries[];
  private readonly isInfo: (series: Series) => boolean;
  private readonly grid: Grid;
  private readonly wanted: ReadonlySet<string>;
  /** Whether series without info series stay. */
  private readonly keepsUnmatched: boolean;
  private readonly results = new Map<string, { labels: LabelSet; dropName: boolean; column: ColumnBuilder }>();

  constructor(
    base: readonly Series[],
    infos: readonly InfoSeries[],
    dataMatchers: readonly Matcher[],
    isInfo: (series: Series) => boolean,
    grid: Grid,
  ) {
    this.base = base;
    this.infos = infos;
    this.isInfo = isInfo;
    this.grid = grid;
    this.wanted = new Set(dataMatchers.map(({ name }) => name));
    this.keepsUnmatched = dataMatchers.every((matcher) => new CompiledMatcher(matcher).matches(""));
  }

  run(): Series[] {
    const names = new Set(this.infos.map(({ labels }) => labels.metricName));
    const newest = Array.from({ length: this.grid.count }, (_, step) => this.newestAt(step));
    for (const series of this.base) {
      const passes = this.isInfo(series);
      const identities = [...names].map((name) => identity(name, series.labels));
      for (let step = 0; step < this.grid.count; step++) {
        if (series.kindAt(step) === ABSENT) continue;
        const matches = passes ? [] : identities.flatMap((id) => newest[step]?.get(id) ?? []);
        if (matches.length === 0 && !passes && !this.keepsUnmatched) continue;
        this.set(series, this.enrich(series.labels, matches), step);
      }
    }
    const all: Series[] = [];
    for (const { labels, dropName, column } of this.results.values()) {
      const series = column.finish(labels, dropName);
      if (series) all.push(series);
    }
    return all;
  }

  /** Of info series about the same thing, the one with the latest sample counts. */
  private newestAt(step: number): Map<string, InfoSeries> {
    const newest = new Map<string, InfoSeries>();
    for (const info of this.infos) {
      if (info.times.kindAt(step) === ABSENT) continue;
      const id = identity(info.labels.metricName, info.labels);
      const other = newest.get(id);
      const time = info.times.values[step] as number;
      const otherTime = other?.times.values[step];
      if (otherTime === time) {
        throw new QueryError(
          "execution",
          `found duplicate series for info metric: existing ${String(other?.labels)} @ ${otherTime}, new ${info.labels.toString()} @ ${time}`,
        );
      }
      if (otherTime === undefined || otherTime < time) newest.set(id, info);
    }
    return newest;
  }

  private enrich(base: LabelSet, infos: readonly InfoSeries[]): LabelSet {
    let enriched = base;
    const added = new Map<string, string>();
    for (const { labels } of infos) {
      for (const [i, name] of labels.names.entries()) {
        if (name === METRIC_NAME || (this.wanted.size > 0 && !this.wanted.has(name))) continue;
        const value = labels.values[i] ?? "";
        const other = added.get(name);
        if (other !== undefined && other !== value) throw new QueryError("execution", `conflicting label: ${name}`);
        if (base.get(name) !== "") continue;
        added.set(name, value);
        enriched = enriched.with(name, value);
      }
    }
    return enriched;
  }

  private set(series: Series, labels: LabelSet, step: number): void {
    let result = this.results.get(labels.key);
    if (result === undefined) {
      result = { labels, dropName: series.dropName, column: new ColumnBuilder(this.grid.count) };
      this.results.set(labels.key, result);
    }
    if (result.column.has(step))
      throw new QueryError("execution", "vector cannot contain metrics with the same labelset");
    const histogram = series.histogramAt(step);
    if (histogram) result.column.setHistogram(step, histogram);
    else result.column.setFloat(step, series.values[step] as number);
  }
}
