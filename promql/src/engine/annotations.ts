import type { PositionRange } from "../parser/ast.ts";
import { formatPrecision, formatShortest, quoteString } from "../parser/go-format.ts";
import type { Grid } from "./column.ts";
import { formatPosition } from "../parser/parse-error.ts";

/** How many of each kind an answer lists. */
const MAX_LISTED = 10;

interface Note {
  level: "warning" | "info";
  pos: PositionRange;
  /** The text in the end, without the position. */
  describe(): string;
}

/** What was changed in one classic histogram at one step so that its counts rise. */
export interface ForcedMonotonicity {
  timeMs: number;
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
}

/** The forced changes that share one note. */
interface MonotonicityNote {
  fromMs: number;
  toMs: number;
  minBucket: number;
  maxBucket: number;
  maxDiff: number;
  count: bigint;
}

/**
 * The warnings and infos of one query. The same text counts once, with the last position that caused it, as Prometheus
 * has it.
 */
export class Annotations {
  private readonly notes = new Map<string, Note>();

  warn(text: string, pos: PositionRange): void {
    this.notes.set(`w${text}`, { level: "warning", pos, describe: () => text });
  }

  info(text: string, pos: PositionRange): void {
    this.notes.set(`i${text}`, { level: "info", pos, describe: () => text });
  }

  /** Notes all forced changes that one evaluation of histogram_quantile made, over a number of steps. */
  forcedMonotonicity(metric: string, pos: PositionRange, changes: readonly ForcedMonotonicity[], grid: Grid): void {
    const text = `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(metric)}`;
    const sum = this.monotonicity.get(text) ?? {
      fromMs: Infinity,
      toMs: -Infinity,
      minBucket: Infinity,
      maxBucket: -Infinity,
      maxDiff: 0,
      count: 0n,
    };
    for (const { timeMs, minBucket, maxBucket, maxDiff } of changes) {
      sum.fromMs = Math.min(sum.fromMs, timeMs);
      sum.toMs = Math.max(sum.toMs, timeMs);
      sum.minBucket = Math.min(sum.minBucket, minBucket);
      sum.maxBucket = Math.max(sum.maxBucket, maxBucket);
      sum.maxDiff = Math.max(sum.maxDiff, maxDiff);
    }
    sum.count += countAsReference(changes, grid);
    this.monotonicity.set(text, sum);
    const describe = () =>
      `${text}, from buckets ${formatShortest(sum.minBucket)} to ${formatShortest(sum.maxBucket)}, with a max diff of ${formatPrecision(sum.maxDiff, 2)}, over ${BigInt.asIntN(64, sum.count)} samples from ${formatSecond(sum.fromMs)} to ${formatSecond(sum.toMs)}`;
    this.notes.set(`i${text}`, { level: "info", pos, describe });
  }

  startTimeOverlap(metric: string, pos: PositionRange): void {
    const text = `sample has start time that overlaps with previous sample timestamp for metric ${quoteString(metric)}`;
    const count = (this.overlaps.get(text) ?? 0) + 1;
    this.overlaps.set(text, count);
    const describe = () => (count > 1 ? `${text} (${count} occurrences)` : text);
    this.notes.set(`w${text}`, { level: "warning", pos, describe });
  }

  private readonly monotonicity = new Map<string, MonotonicityNote>();
  private readonly overlaps = new Map<string, number>();

  /** The texts with their positions in the query; sorted, and cut after ten of each kind. */
  list(query: string): { warnings: string[]; infos: string[] } {
    return { warnings: this.texts("warning", query), infos: this.texts("info", query) };
  }

  private texts(level: Note["level"], query: string): string[] {
    const texts = [...this.notes.values()]
      .filter((note) => note.level === level)
      .map((note) => {
        const text = `PromQL ${level}: ${note.describe()}`;
        return query === "" ? text : `${text} (${formatPosition(note.pos.start, query)})`;
      })
      .sort();
    const left = texts.length - MAX_LISTED;
    return left > 0 ? [...texts.slice(0, MAX_LISTED), `${left} more ${level} annotations omitted`] : texts;
  }
}

/**
 * How many samples the reference says were changed. It adds up what it has counted so far once more with every step of
 * a range query, so that the number is right for instant queries only; the wording is the same for all that.
 */
function countAsReference(changes: readonly ForcedMonotonicity[], { startMs, stepMs, count: steps }: Grid): bigint {
  const perStep = new Map<number, bigint>();
  for (const { timeMs } of changes) perStep.set(timeMs, (perStep.get(timeMs) ?? 0n) + 1n);
  let count = 0n;
  for (let step = 0; step < steps; step++) {
    const here = perStep.get(startMs + step * stepMs) ?? 0n;
    count = count === 0n ? here : 2n * (count + here);
  }
  return count;
}

const formatSecond = (ms: number): string =>
  new Date(Math.trunc(ms / 1000) * 1000).toISOString().replace(/\.\d+Z$/, "Z");

/** ` for metric name "x"`, or nothing where names are not known. */
export const forMetric = (metric: string): string => (metric === "" ? "" : ` for metric name ${quoteString(metric)}`);

export type HistogramOperation = "addition" | "subtraction" | "aggregation";

/** The wording of every note that more than one part of the engine makes. */
export const notes = {
  mixedFloatsHistograms: (metric: string) =>
    `encountered a mix of histograms and floats for metric name ${quoteString(metric)}`,
  mixedFloatsHistogramsInAggregation: "encountered a mix of histograms and floats for aggregation",
  mixedSchemas: (metric: string) =>
    `vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quoteString(metric)}`,
  notCounter: (metric: string) => `this native histogram metric is not a counter: ${quoteString(metric)}`,
  notGauge: (metric: string) => `this native histogram metric is not a gauge: ${quoteString(metric)}`,
  counterResetCollision: (operation: HistogramOperation) => `conflicting counter resets during histogram ${operation}`,
  mismatchedBuckets: (operation: HistogramOperation) => `mismatched custom buckets were reconciled during ${operation}`,
  histogramIgnored: (aggregation: string) => `ignored histogram in ${aggregation} aggregation`,
  histogramsIgnoredInRange: (metric: string) =>
    `ignored histograms in a range containing both floats and histograms for metric name ${quoteString(metric)}`,
  invalidQuantile: (q: number) => `quantile value should be between 0 and 1, got ${formatShortest(q)}`,
  invalidRatio: (ratio: number, limit: number) =>
    `ratio value should be between -1 and 1, got ${formatShortest(ratio)}, capping to ${limit}`,
};
