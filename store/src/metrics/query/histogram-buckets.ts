import type { NativeHistogram } from "@tocsin/model";

export interface HistogramBucket {
  lower: number;
  upper: number;
  lowerInclusive: boolean;
  upperInclusive: boolean;
  count: number;
}

const CUSTOM_BUCKETS = -53;

/** The populated buckets from the lowest up, the zero bucket among them. */
export function histogramBuckets(histogram: NativeHistogram): HistogramBucket[] {
  return [...negative(histogram).toReversed(), ...zero(histogram), ...positive(histogram)].filter(
    ({ count }) => count > 0,
  );
}

function positive(histogram: NativeHistogram): HistogramBucket[] {
  const custom = histogram.schema === CUSTOM_BUCKETS;
  return histogram.positiveBuckets.map((count, i) => {
    const index = histogram.positiveOffset + i;
    const lower = bound(histogram, index - 1);
    return {
      lower,
      upper: bound(histogram, index),
      lowerInclusive: custom && index === 0,
      upperInclusive: true,
      count,
    };
  });
}

function negative(histogram: NativeHistogram): HistogramBucket[] {
  return histogram.negativeBuckets.map((count, i) => {
    const index = histogram.negativeOffset + i;
    const upper = -bound(histogram, index - 1);
    return { lower: -bound(histogram, index), upper, lowerInclusive: true, upperInclusive: false, count };
  });
}

function zero({ zeroThreshold, zeroCount }: NativeHistogram): HistogramBucket[] {
  return [
    { lower: -zeroThreshold, upper: zeroThreshold, lowerInclusive: true, upperInclusive: true, count: zeroCount },
  ];
}

/** The upper bound of a bucket. Index 0 of an exponential histogram ends at 1, the last one at the largest number. */
function bound({ schema, customValues }: NativeHistogram, index: number): number {
  if (schema === CUSTOM_BUCKETS) return index < 0 ? -Infinity : (customValues[index] ?? Infinity);
  const exponent = schema <= 0 ? index * 2 ** -schema : index / 2 ** schema;
  if (exponent === 1024) return Number.MAX_VALUE;
  const octave = Math.floor(exponent);
  return 2 ** (exponent - octave) * 2 ** octave;
}
