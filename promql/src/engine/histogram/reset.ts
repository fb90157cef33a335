import { type Dense, commonBounds, reduce, sideOf, zeroCountAt } from "./arithmetic.ts";
import { type Histogram, exponentialBound, sameNumbers, usesCustomBuckets } from "./shape.ts";

/**
 * Whether a counter was reset between two samples: its own hint decides; without one, any count that went down, or a
 * change of layout that only a reset allows.
 */
export function wasReset(h: Histogram, previous: Histogram): boolean {
  if (h.counterReset === "reset") return true;
  if (h.counterReset === "notReset") return false;
  if (h.count < previous.count) return true;
  if (usesCustomBuckets(h)) {
    if (!usesCustomBuckets(previous)) return true;
    if (!sameNumbers(h.customValues, previous.customValues)) return fellInCommonBuckets(h, previous);
  }
  if (h.schema > previous.schema || h.zeroThreshold < previous.zeroThreshold) return true;
  if (usesCustomBuckets(previous) !== usesCustomBuckets(h)) return true;
  const zero = zeroCountAt(previous, h.zeroThreshold);
  if (zero.threshold !== h.zeroThreshold || h.zeroCount < zero.count) return true;
  return fell(h, previous, "positive") || fell(h, previous, "negative");
}

function fell(h: Histogram, previous: Histogram, which: "positive" | "negative"): boolean {
  const now = sideOf(h, which);
  const before = reduce(sideOf(previous, which), previous.schema, h.schema);
  const skipsZero = !usesCustomBuckets(h) && h.zeroThreshold > 0;
  let inZero = skipsZero;
  for (const [i, count] of before.counts.entries()) {
    const index = before.offset + i;
    inZero = inZero && exponentialBound(index, h.schema) <= h.zeroThreshold;
    if (inZero || count === 0) continue;
    // A populated bucket that is gone tells of a reset even where counts are negative.
    const current = countAt(now, index);
    if (current === 0 || current < count) return true;
  }
  return false;
}

const countAt = ({ counts, offset }: Dense, index: number): number => counts[index - offset] ?? 0;

function fellInCommonBuckets(h: Histogram, previous: Histogram): boolean {
  const bounds = [...commonBounds(h.customValues, previous.customValues), Infinity];
  const now = rollUp(h, bounds);
  const before = rollUp(previous, bounds);
  return now.some((count, i) => count < (before[i] ?? 0));
}

/** The counts between common bounds. What lies beyond the last finite bound falls into the last one. */
function rollUp(h: Histogram, bounds: readonly number[]): number[] {
  const sums = bounds.map(() => 0);
  for (const [i, count] of h.positiveBuckets.entries()) {
    const upper = h.customValues[h.positiveOffset + i] ?? Infinity;
    const target = bounds.findIndex((bound) => upper <= bound);
    sums[target] = (sums[target] ?? 0) + count;
  }
  return sums;
}
