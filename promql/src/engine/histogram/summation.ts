import { type CompensatedHistogram, add, addCompensated, divide, hasOverflow, multiply } from "./arithmetic.ts";
import type { Histogram } from "./shape.ts";

export interface HistogramSum {
  /** Undefined when exponential and custom buckets were mixed. */
  histogram: Histogram | undefined;
  /** Some said that a counter was reset, others that it was not. */
  collision: boolean;
  reconciled: boolean;
}

/** Sums histograms one by one, with compensation for rounding. */
export class HistogramAdder {
  reconciled = false;
  /** Set once something was added that does not go with the rest. */
  incompatible = false;
  private total: CompensatedHistogram | undefined;
  private sawReset = false;
  private sawNoReset = false;

  get isEmpty(): boolean {
    return this.total === undefined;
  }

  get collision(): boolean {
    return this.sawReset && this.sawNoReset;
  }

  add(h: Histogram): void {
    this.sawReset ||= h.counterReset === "reset";
    this.sawNoReset ||= h.counterReset === "notReset";
    if (this.total === undefined) {
      this.total = { sum: h, lost: undefined };
      return;
    }
    const sum = addCompensated(this.total, h);
    if (sum === undefined) {
      this.incompatible = true;
    } else {
      this.total = sum;
      this.reconciled ||= sum.reconciled;
    }
  }

  result(): Histogram | undefined {
    return this.total && !this.incompatible ? settle(this.total) : undefined;
  }
}

/** The mean of histograms: of their sum while that does not overflow, then adapted with every further one. */
export class HistogramAverager {
  reconciled = false;
  incompatible = false;
  private total: CompensatedHistogram | undefined;
  private count = 0;
  private isMean = false;
  private sawReset = false;
  private sawNoReset = false;

  get isEmpty(): boolean {
    return this.total === undefined;
  }

  get collision(): boolean {
    return this.sawReset && this.sawNoReset;
  }

  add(h: Histogram): void {
    this.sawReset ||= h.counterReset === "reset";
    this.sawNoReset ||= h.counterReset === "notReset";
    this.count++;
    if (this.total === undefined) {
      this.total = { sum: h, lost: undefined };
      return;
    }
    if (!this.isMean) {
      const sum = this.combine(this.total, h);
      if (sum === undefined || !hasOverflow(sum.sum)) return;
      this.isMean = true;
      this.total = scaled(this.total, (x) => divide(x, this.count - 1));
    }
    const share = (this.count - 1) / this.count;
    this.combine(
      scaled(this.total, (x) => multiply(x, share)),
      divide(h, this.count),
    );
  }

  /** Takes the sum over unless it overflows. */
  private combine(total: CompensatedHistogram, h: Histogram): CompensatedHistogram | undefined {
    const sum = addCompensated(total, h);
    if (sum === undefined) {
      this.incompatible = true;
      return undefined;
    }
    this.reconciled ||= sum.reconciled;
    if (this.isMean || !hasOverflow(sum.sum)) this.total = sum;
    return sum;
  }

  result(): Histogram | undefined {
    if (this.total === undefined || this.incompatible) return undefined;
    return settle(this.isMean ? this.total : scaled(this.total, (x) => divide(x, this.count)));
  }
}

function scaled({ sum, lost }: CompensatedHistogram, by: (h: Histogram) => Histogram): CompensatedHistogram {
  return { sum: by(sum), lost: lost && by(lost) };
}

const settle = ({ sum, lost }: CompensatedHistogram): Histogram | undefined =>
  lost === undefined ? sum : add(sum, lost)?.histogram;

function run(adder: HistogramAdder | HistogramAverager, histograms: readonly Histogram[]): HistogramSum {
  for (const histogram of histograms) {
    adder.add(histogram);
    if (adder.incompatible) break;
  }
  return { histogram: adder.result(), collision: adder.collision, reconciled: adder.reconciled };
}

export const sumHistograms = (histograms: readonly Histogram[]): HistogramSum => run(new HistogramAdder(), histograms);
export const averageHistograms = (histograms: readonly Histogram[]): HistogramSum =>
  run(new HistogramAverager(), histograms);
