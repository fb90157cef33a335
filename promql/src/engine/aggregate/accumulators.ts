import type { PositionRange } from "../../parser/ast.ts";
import { type Annotations, notes } from "../annotations.ts";
import { ABSENT, ColumnBuilder, HISTOGRAM, type Series } from "../column.ts";
import { HistogramAdder, HistogramAverager } from "../histogram/summation.ts";
import { type Histogram, compact } from "../histogram/shape.ts";
import type { LabelSet } from "../label-set.ts";

/** Takes the series of one group, one after another, and gives the group's own. */
export interface Accumulator {
  add(series: Series): void;
  finish(labels: LabelSet, dropName: boolean): Series | undefined;
}

export interface AccumulatorContext {
  steps: number;
  notes: Annotations;
  /** Where the aggregated expression stands. */
  pos: PositionRange;
}

/** Runs over the steps at which the series has a float; histograms are noted as ignored. */
function eachFloat(
  series: Series,
  name: string,
  ctx: AccumulatorContext,
  visit: (value: number, step: number) => void,
) {
  const { values, kinds } = series;
  for (let step = 0; step < ctx.steps; step++) {
    const kind = kinds === undefined ? 1 : kinds[step];
    if (kind === ABSENT) continue;
    if (kind === HISTOGRAM) ctx.notes.info(notes.histogramIgnored(name), ctx.pos);
    else visit(values[step] as number, step);
  }
}

/** Columns of numbers per step, and whether there is one. */
class FloatState {
  readonly values: Float64Array;
  readonly seen: Uint8Array;
  private readonly steps: number;

  constructor(steps: number) {
    this.steps = steps;
    this.values = new Float64Array(steps);
    this.seen = new Uint8Array(steps);
  }

  finish(labels: LabelSet, dropName: boolean, result: (step: number) => number): Series | undefined {
    const column = new ColumnBuilder(this.steps);
    for (let step = 0; step < this.steps; step++) if (this.seen[step] === 1) column.setFloat(step, result(step));
    return column.finish(labels, dropName);
  }
}

/** min and max: NaN gives way to any number. */
export class ExtremeAccumulator implements Accumulator {
  private readonly ctx: AccumulatorContext;
  private readonly state: FloatState;
  private readonly name: "min" | "max";

  constructor(ctx: AccumulatorContext, name: "min" | "max") {
    this.ctx = ctx;
    this.name = name;
    this.state = new FloatState(ctx.steps);
  }

  add(series: Series): void {
    const { values, seen } = this.state;
    const isMax = this.name === "max";
    eachFloat(series, this.name, this.ctx, (value, step) => {
      const current = values[step] as number;
      if (seen[step] === 0 || (isMax ? current < value : current > value) || Number.isNaN(current))
        values[step] = value;
      seen[step] = 1;
    });
  }

  finish(labels: LabelSet, dropName: boolean): Series | undefined {
    return this.state.finish(labels, dropName, (step) => this.state.values[step] as number);
  }
}

/** count and group. */
export class CountAccumulator implements Accumulator {
  private readonly state: FloatState;
  private readonly isGroup: boolean;

  constructor({ steps }: AccumulatorContext, isGroup: boolean) {
    this.isGroup = isGroup;
    this.state = new FloatState(steps);
  }

  add({ kinds }: Series): void {
    const { values, seen } = this.state;
    for (let step = 0; step < values.length; step++) {
      if (kinds !== undefined && kinds[step] === ABSENT) continue;
      values[step] = (values[step] as number) + 1;
      seen[step] = 1;
    }
  }

  finish(labels: LabelSet, dropName: boolean): Series | undefined {
    return this.state.finish(labels, dropName, (step) => (this.isGroup ? 1 : (this.state.values[step] as number)));
  }
}

/** stddev and stdvar, by Welford's running mean. */
export class VarianceAccumulator implements Accumulator {
  private readonly ctx: AccumulatorContext;
  private readonly state: FloatState;
  private readonly means: Float64Array;
  private readonly counts: Float64Array;
  private readonly name: "stddev" | "stdvar";

  constructor(ctx: AccumulatorContext, name: "stddev" | "stdvar") {
    this.ctx = ctx;
    this.name = name;
    this.state = new FloatState(ctx.steps);
    this.means = new Float64Array(ctx.steps);
    this.counts = new Float64Array(ctx.steps);
  }

  add(series: Series): void {
    const { means, counts } = this;
    const { values, seen } = this.state;
    eachFloat(series, this.name, this.ctx, (value, step) => {
      const count = (counts[step] ?? 0) + 1;
      counts[step] = count;
      if (seen[step] === 0) {
        seen[step] = 1;
        means[step] = value;
        values[step] = Number.isFinite(value) ? 0 : Number.NaN;
        return;
      }
      const difference = value - (means[step] as number);
      const mean = (means[step] as number) + difference / count;
      means[step] = mean;
      values[step] = (values[step] as number) + difference * (value - mean);
    });
  }

  finish(labels: LabelSet, dropName: boolean): Series | undefined {
    return this.state.finish(labels, dropName, (step) => {
      const variance = (this.state.values[step] as number) / (this.counts[step] as number);
      return this.name === "stddev" ? Math.sqrt(variance) : variance;
    });
  }
}

/** The histograms of one step of a sum or an average. */
interface HistogramStep {
  /** Undefined when a float came first: then there will be no result. */
  adder: HistogramAdder | HistogramAverager | undefined;
}

/** What sum and avg have in common: floats or histograms, but never both at one step. */
abstract class MixedAccumulator implements Accumulator {
  protected readonly ctx: AccumulatorContext;
  protected readonly floats: FloatState;
  protected readonly lost: Float64Array;
  private histograms: (HistogramStep | undefined)[] | undefined;

  constructor(ctx: AccumulatorContext) {
    this.ctx = ctx;
    this.floats = new FloatState(ctx.steps);
    this.lost = new Float64Array(ctx.steps);
  }

  protected abstract addFloat(value: number, step: number): void;
  protected abstract floatResult(step: number): number;
  protected abstract makeAdder(): HistogramAdder | HistogramAverager;

  add(series: Series): void {
    const { values, kinds } = series;
    const { steps } = this.ctx;
    for (let step = 0; step < steps; step++) {
      const kind = kinds === undefined ? 1 : kinds[step];
      if (kind === ABSENT) continue;
      if (kind === HISTOGRAM) this.addHistogram(series.histogramAt(step) as Histogram, step, series.labels.metricName);
      else if (this.histograms?.[step]?.adder?.incompatible !== true) this.addFloat(values[step] as number, step);
    }
  }

  private addHistogram(histogram: Histogram, step: number, metric: string): void {
    this.histograms ??= Array.from({ length: this.ctx.steps });
    const at = (this.histograms[step] ??= { adder: this.floats.seen[step] === 1 ? undefined : this.makeAdder() });
    const { adder } = at;
    if (adder === undefined || adder.incompatible) return;
    const { notes: annotations, pos } = this.ctx;
    adder.add(histogram);
    if (adder.incompatible) annotations.warn(notes.mixedSchemas(metric), pos);
    if (adder.reconciled) annotations.info(notes.mismatchedBuckets("aggregation"), pos);
  }

  finish(labels: LabelSet, dropName: boolean): Series | undefined {
    if (this.histograms === undefined) return this.floats.finish(labels, dropName, (step) => this.floatResult(step));
    const column = new ColumnBuilder(this.ctx.steps);
    for (let step = 0; step < this.ctx.steps; step++) {
      const histogram = this.histograms[step];
      if (histogram) this.finishHistogram(column, step, histogram);
      else if (this.floats.seen[step] === 1) column.setFloat(step, this.floatResult(step));
    }
    return column.finish(labels, dropName);
  }

  private finishHistogram(column: ColumnBuilder, step: number, { adder }: HistogramStep): void {
    const { notes: annotations, pos } = this.ctx;
    if (adder === undefined || this.floats.seen[step] === 1)
      return annotations.warn(notes.mixedFloatsHistogramsInAggregation, pos);
    const histogram = adder.result();
    if (histogram === undefined) return;
    column.setHistogram(step, compact(histogram));
    if (adder.collision) annotations.warn(notes.counterResetCollision("aggregation"), pos);
  }
}

export class SumAccumulator extends MixedAccumulator {
  override add(series: Series): void {
    if (series.kinds === undefined && !this.mixed) this.addColumn(series.values);
    else super.add(series);
  }

  private mixed = false;

  /** The common case, with nothing absent and no histograms. */
  private addColumn(values: Float64Array): void {
    const { values: sums, seen } = this.floats;
    const { lost } = this;
    for (let step = 0; step < values.length; step++) {
      const value = values[step] as number;
      if (seen[step] === 0) {
        seen[step] = 1;
        sums[step] = value;
        continue;
      }
      const sum = sums[step] as number;
      const total = sum + value;
      if (total > Number.MAX_VALUE || total < -Number.MAX_VALUE) lost[step] = 0;
      else if (Math.abs(sum) >= Math.abs(value)) lost[step] = (lost[step] as number) + (sum - total + value);
      else lost[step] = (lost[step] as number) + (value - total + sum);
      sums[step] = total;
    }
  }

  protected override addFloat(value: number, step: number): void {
    const { values, seen } = this.floats;
    if (seen[step] === 0) {
      seen[step] = 1;
      values[step] = value;
      return;
    }
    kahanStep(values, this.lost, step, value);
  }

  protected override floatResult(step: number): number {
    return (this.floats.values[step] as number) + (this.lost[step] as number);
  }

  protected override makeAdder(): HistogramAdder {
    this.mixed = true;
    return new HistogramAdder();
  }
}

/** Adds a value to one step of a column of compensated sums. */
function kahanStep(sums: Float64Array, lost: Float64Array, step: number, value: number): void {
  const sum = sums[step] as number;
  const total = sum + value;
  if (total > Number.MAX_VALUE || total < -Number.MAX_VALUE) lost[step] = 0;
  else if (Math.abs(sum) >= Math.abs(value)) lost[step] = (lost[step] as number) + (sum - total + value);
  else lost[step] = (lost[step] as number) + (value - total + sum);
  sums[step] = total;
}

/** The mean of the sum, until that would overflow; from there on the mean adapted with every value. */
export class AverageAccumulator extends MixedAccumulator {
  private readonly counts: Float64Array;
  private readonly isMean: Uint8Array;

  constructor(ctx: AccumulatorContext) {
    super(ctx);
    this.counts = new Float64Array(ctx.steps);
    this.isMean = new Uint8Array(ctx.steps);
  }

  protected override addFloat(value: number, step: number): void {
    const { values, seen } = this.floats;
    const { lost, counts } = this;
    const count = ((counts[step] as number) += 1);
    if (seen[step] === 0) {
      seen[step] = 1;
      values[step] = value;
      return;
    }
    if (this.isMean[step] === 0) {
      const sumBefore = values[step] as number;
      const lostBefore = lost[step] as number;
      kahanStep(values, lost, step, value);
      if (Math.abs(values[step] as number) !== Infinity) return;
      this.isMean[step] = 1;
      values[step] = sumBefore / (count - 1);
      lost[step] = lostBefore / (count - 1);
    }
    const share = (count - 1) / count;
    values[step] = share * (values[step] as number);
    lost[step] = share * (lost[step] as number);
    kahanStep(values, lost, step, value / count);
  }

  protected override floatResult(step: number): number {
    const sum = this.floats.values[step] as number;
    const lost = this.lost[step] as number;
    const count = this.counts[step] as number;
    return this.isMean[step] === 1 ? sum + lost : sum / count + lost / count;
  }

  protected override makeAdder(): HistogramAverager {
    return new HistogramAverager();
  }
}
