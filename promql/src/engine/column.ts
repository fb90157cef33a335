import type { Histogram } from "./histogram/shape.ts";
import type { LabelSet } from "./label-set.ts";

/** The points in time at which an expression is evaluated. */
export interface Grid {
  startMs: number;
  /** 1 where there is only one point. */
  stepMs: number;
  count: number;
  /** Whether it comes from a range of time, even if only one step falls into that. */
  isRange: boolean;
}

/** The time of every step. */
export function timesOf({ startMs, stepMs, count }: Grid): Float64Array {
  const times = new Float64Array(count);
  for (let step = 0; step < count; step++) times[step] = startMs + step * stepMs;
  return times;
}

export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** One series of an instant vector over all steps of a grid. Its columns belong to whoever holds it. */
export class Series {
  labels: LabelSet;
  /** With delayed name removal: the name goes at the end of the query. */
  dropName: boolean;
  readonly values: Float64Array;
  /** ABSENT, FLOAT or HISTOGRAM for every step; undefined when all are floats, which is the common case. */
  readonly kinds: Uint8Array | undefined;
  readonly histograms: (Histogram | undefined)[] | undefined;

  constructor(
    labels: LabelSet,
    dropName: boolean,
    values: Float64Array,
    kinds?: Uint8Array,
    histograms?: (Histogram | undefined)[],
  ) {
    this.labels = labels;
    this.dropName = dropName;
    this.values = values;
    this.kinds = kinds;
    this.histograms = histograms;
  }

  kindAt(step: number): number {
    return this.kinds === undefined ? FLOAT : (this.kinds[step] ?? ABSENT);
  }

  histogramAt(step: number): Histogram | undefined {
    return this.kinds !== undefined && this.kinds[step] === HISTOGRAM ? this.histograms?.[step] : undefined;
  }

  /** A histogram that shares its step with a float, which is possible only after labels were made equal. */
  shadowAt(step: number): Histogram | undefined {
    return this.kinds?.[step] === FLOAT ? this.histograms?.[step] : undefined;
  }

  get hasHistograms(): boolean {
    return this.histograms !== undefined;
  }

  /** The same columns under other labels. */
  relabelled(labels: LabelSet, dropName: boolean): Series {
    return new Series(labels, dropName, this.values, this.kinds, this.histograms);
  }
}

/** Collects the steps of one series. Steps left out are absent. */
export class ColumnBuilder {
  private readonly steps: number;
  private values: Float64Array;
  private kinds: Uint8Array;
  private histograms: (Histogram | undefined)[] | undefined;
  private present = 0;

  constructor(steps: number) {
    this.steps = steps;
    this.values = new Float64Array(steps);
    this.kinds = new Uint8Array(steps);
  }

  setFloat(step: number, value: number): void {
    this.values[step] = value;
    this.kinds[step] = FLOAT;
    this.present++;
  }

  setHistogram(step: number, histogram: Histogram): void {
    this.histograms ??= Array.from({ length: this.steps });
    this.histograms[step] = histogram;
    this.kinds[step] = HISTOGRAM;
    this.present++;
  }

  /** Takes values for all steps at once; nothing may have been set before. */
  fill(values: Float64Array): void {
    this.values = values;
    this.kinds.fill(FLOAT);
    this.present = this.steps;
  }

  get isEmpty(): boolean {
    return this.present === 0;
  }

  has(step: number): boolean {
    return this.kinds[step] !== ABSENT;
  }

  /** The series, or undefined when no step has a value. The builder must not be used afterwards. */
  finish(labels: LabelSet, dropName: boolean): Series | undefined {
    if (this.present === 0) return undefined;
    const allFloats = this.present === this.steps && this.histograms === undefined;
    return new Series(labels, dropName, this.values, allFloats ? undefined : this.kinds, this.histograms);
  }
}
