import type { Annotations } from "./annotations.ts";
import type { Grid, Series } from "./column.ts";
import type { SourceSeries } from "./source-series.ts";
import type { Plan, SelectorPlan } from "./plan.ts";

/** A point where the query may be interrupted, or where it waits for the source. */
export type Pause = Promise<void> | undefined;

/** How many series may be worked through between two pauses. */
export const SERIES_PER_PAUSE = 32;

/** Evaluation runs in generators: they pause so that other work gets its turn and a query can be cancelled. */
export type Evaluating<T> = Generator<Pause, T, undefined>;

/** Series one by one, so that what consumes them at once never holds all. Pauses come in between. */
export type SeriesStream = Generator<Series | Pause, void, undefined>;

/** What every part of the engine needs of the query it works for. */
export interface Evaluation {
  readonly notes: Annotations;
  readonly lookbackMs: number;
  readonly delayedNameRemoval: boolean;
  readonly typeAndUnitLabels: boolean;
  readonly useStartTimestamps: boolean;
  /** All series of a vector expression. */
  vector(plan: Plan, grid: Grid): Evaluating<Series[]>;
  stream(plan: Plan, grid: Grid): SeriesStream;
  /** The values of a scalar expression, one for each step. */
  scalar(plan: Plan, grid: Grid): Evaluating<Float64Array>;
  /** The source's samples in `from < t <= to`. */
  select(selector: SelectorPlan, fromMs: number, toMs: number, rangeMs: number, grid: Grid): Evaluating<SourceSeries[]>;
  /** Counts samples that the query holds; throws when they are too many. */
  hold(samples: number): void;
  release(samples: number): void;
}
