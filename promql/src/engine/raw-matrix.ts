import { type Grid, timesOf } from "./column.ts";
import type { Evaluating } from "./evaluation.ts";
import type { Evaluator } from "./evaluator.ts";
import { cleanNames } from "./merge.ts";
import { matrixSeries } from "./matrix-series.ts";
import type { LabelSet } from "./label-set.ts";
import type { Plan, RangePlan } from "./plan.ts";
import { extendedSamples } from "./range/extended-rate.ts";
import { subqueryGrid } from "./range/range-call.ts";
import { type RangeCall, Window } from "./range/window.ts";
import { type MatrixSeries, QueryError } from "./result.ts";
import { referenceTimes } from "./selectors.ts";

/** A range vector as the answer of an instant query: the samples themselves, sorted by labels. */
export function* rawMatrix(ev: Evaluator, plan: Plan, grid: Grid): Evaluating<MatrixSeries[]> {
  if (plan.kind === "invariant") return yield* rawMatrix(ev, plan.expr, grid);
  if (plan.kind === "range") return yield* rawRange(ev, plan, grid);
  if (plan.kind !== "subquery") throw new QueryError("execution", `cannot evaluate ${plan.kind} as a range vector`);
  const inner = subqueryGrid(plan, grid);
  const all = yield* ev.vector(plan.expr, inner);
  const times = timesOf(inner);
  return cleanNames(ev, all)
    .sort((a, b) => a.labels.compare(b.labels))
    .map((series) => matrixSeries(series, times));
}

function* rawRange(ev: Evaluator, { selector, rangeMs, pos }: RangePlan, grid: Grid): Evaluating<MatrixSeries[]> {
  const { anchored, smoothed } = selector;
  const { firstMs: endMs } = referenceTimes(selector, grid);
  const startMs = endMs - rangeMs;
  const before = anchored || smoothed ? ev.lookbackMs : 0;
  const after = smoothed ? ev.lookbackMs : 0;
  const found = yield* ev.select(selector, startMs - before, endMs + after, rangeMs, grid);
  const call: RangeCall = {
    notes: ev.notes,
    pos,
    rangeMs,
    steps: 1,
    anchored,
    smoothed,
    useStartTimestamps: false,
    scalars: [],
  };
  const results: { labels: LabelSet; points: MatrixSeries }[] = [];
  for (const { labels, floats, histograms } of found) {
    yield undefined;
    const window = new Window(call, labels, floats, histograms);
    window.startMs = startMs;
    window.endMs = endMs;
    window.moveTo(startMs - before, endMs + after);
    ev.hold(window.floatCount + window.histogramCount);
    if ((anchored || smoothed) && window.histogramCount > 0) {
      const modifier = anchored ? "anchored" : "smoothed";
      throw new QueryError("execution", `${modifier} modifier is not supported with histograms`);
    }
    const { lo, hi, hlo, hhi } = window;
    const extended = anchored || smoothed ? extendedSamples(window) : undefined;
    const plain = anchored || smoothed ? { lo: 0, hi: 0 } : { lo, hi };
    const points: MatrixSeries = {
      labels: labels.toLabels(),
      timestamps: extended?.timestamps ?? floats.timestamps.slice(plain.lo, plain.hi),
      values: extended?.values ?? floats.values.slice(plain.lo, plain.hi),
      histograms: histograms.histograms.slice(hlo, hhi).map((histogram, i) => ({
        timestampMs: histograms.timestamps[hlo + i] as number,
        histogram,
      })),
    };
    const isEmpty = points.timestamps.length === 0 && points.histograms.length === 0;
    if (!isEmpty) results.push({ labels, points });
  }
  return results.sort((a, b) => a.labels.compare(b.labels)).map(({ points }) => points);
}
