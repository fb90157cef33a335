import type { PositionRange } from "../../parser/ast.ts";
import type { Annotations } from "../annotations.ts";
import type { ColumnBuilder } from "../column.ts";
import type { Histogram } from "../histogram/shape.ts";
import type { LabelSet } from "../label-set.ts";
import type { FloatSamples, HistogramSamples } from "../source-series.ts";
import { upperBound } from "../selectors.ts";

/** What a range function is called with beside its window. */
export interface RangeCall {
  notes: Annotations;
  /** Where the range vector argument stands. */
  pos: PositionRange;
  rangeMs: number;
  /** How many windows there will be. */
  steps: number;
  anchored: boolean;
  smoothed: boolean;
  useStartTimestamps: boolean;
  /** The other arguments: their values by step, and where they stand. */
  scalars: { values: Float64Array; pos: PositionRange }[];
}

/** Computes the value for one window, which has at least one sample, and sets it in the column; or leaves it out. */
export type RangeFunction = (window: Window, column: ColumnBuilder, step: number) => void;

/**
 * The window of a range selector sliding over one series. Samples lo ≤ i < hi of the float columns and hlo ≤ i < hhi of
 * the histogram columns lie in it; moving on only moves the edges.
 */
export class Window {
  readonly call: RangeCall;
  readonly labels: LabelSet;
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly starts: Float64Array | undefined;
  readonly ht: Float64Array;
  readonly h: readonly Histogram[];
  readonly histogramStarts: Float64Array | undefined;
  lo = 0;
  hi = 0;
  hlo = 0;
  hhi = 0;
  /** The step's own time. */
  atMs = 0;
  /** The range, start excluded; with anchored or smoothed the window reaches beyond it. */
  startMs = 0;
  endMs = 0;
  private resetIndex: Int32Array | undefined;
  private nextReset = 0;

  constructor(call: RangeCall, labels: LabelSet, floats: FloatSamples, histograms: HistogramSamples) {
    this.call = call;
    this.labels = labels;
    this.t = floats.timestamps;
    this.v = floats.values;
    this.ht = histograms.timestamps;
    this.h = histograms.histograms;
    this.starts = call.useStartTimestamps ? floats.startTimestamps : undefined;
    this.histogramStarts = call.useStartTimestamps ? histograms.startTimestamps : undefined;
  }

  get floatCount(): number {
    return this.hi - this.lo;
  }

  get histogramCount(): number {
    return this.hhi - this.hlo;
  }

  get metric(): string {
    return this.labels.metricName;
  }

  /** Moves the edges so that the samples in `from < t <= to` are in the window. Neither ever goes back. */
  moveTo(fromMs: number, toMs: number): void {
    const { t, ht } = this;
    if (this.hi === 0) this.hi = this.lo = upperBound(t, fromMs);
    while (this.lo < t.length && (t[this.lo] as number) <= fromMs) this.lo++;
    if (this.hi < this.lo) this.hi = this.lo;
    while (this.hi < t.length && (t[this.hi] as number) <= toMs) this.hi++;
    if (ht.length === 0) return;
    while (this.hlo < ht.length && (ht[this.hlo] as number) <= fromMs) this.hlo++;
    if (this.hhi < this.hlo) this.hhi = this.hlo;
    while (this.hhi < ht.length && (ht[this.hhi] as number) <= toMs) this.hhi++;
  }

  /**
   * The sum of what a counter had reached at each reset in the window, added to a base one by one. Resets are found
   * once per series.
   */
  addResets(base: number): number {
    const { v } = this;
    if (this.call.steps === 1) return this.addResetsWithin(base);
    this.resetIndex ??= findResets(v);
    const resets = this.resetIndex;
    if (resets.length === 0) return base;
    while (this.nextReset < resets.length && (resets[this.nextReset] as number) <= this.lo) this.nextReset++;
    let sum = base;
    for (let i = this.nextReset; i < resets.length; i++) {
      const at = resets[i] as number;
      if (at >= this.hi) break;
      sum += v[at - 1] as number;
    }
    return sum;
  }

  /** For a single window, where an index would cost more than it saves. */
  private addResetsWithin(base: number): number {
    const { v, lo, hi } = this;
    let sum = base;
    for (let i = lo + 1; i < hi; i++) if ((v[i] as number) < (v[i - 1] as number)) sum += v[i - 1] as number;
    return sum;
  }

  warn(text: string): void {
    this.call.notes.warn(text, this.call.pos);
  }

  info(text: string): void {
    this.call.notes.info(text, this.call.pos);
  }
}

/** The indexes of samples that are smaller than the one before. */
function findResets(values: Float64Array): Int32Array {
  let count = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) < (values[i - 1] as number)) count++;
  const resets = new Int32Array(count);
  for (let i = 1, n = 0; n < count; i++) if ((values[i] as number) < (values[i - 1] as number)) resets[n++] = i;
  return resets;
}
