import type { Labels, NativeHistogram, Sample } from "@tocsin/model";
import type { Random } from "./random.ts";

export interface GeneratedSeries {
  labels: Labels;
  samples: Sample[];
}

const HOUR = 3_600_000;
/** Data begins here and lasts three hours. */
export const DATA_START = 1_700_000_000_000;
export const DATA_END = DATA_START + 3 * HOUR;

/** Counters, gauges, classic and native histograms, with resets, gaps, NaN, infinities and staleness markers. */
export function generateData(random: Random): GeneratedSeries[] {
  const all: GeneratedSeries[] = [];
  for (const job of ["api", "db"]) {
    for (const instance of ["a", "b", "c"]) {
      const labels = { job, instance };
      for (const code of ["200", "500"])
        all.push({ labels: { __name__: "requests_total", ...labels, code }, samples: counter(random) });
      all.push({ labels: { __name__: "temperature", ...labels }, samples: gauge(random) });
      all.push({ labels: { __name__: "odd", ...labels }, samples: oddGauge(random) });
      all.push(...classicHistogram(random, { __name__: "latency_bucket", ...labels }));
      all.push({ labels: { __name__: "native", ...labels }, samples: nativeCounter(random, exponential(random)) });
      all.push({ labels: { __name__: "custom", ...labels }, samples: nativeCounter(random, custom(random)) });
      all.push({ labels: { __name__: "mixed", ...labels }, samples: mixed(random) });
    }
    all.push({ labels: { __name__: "limits", job }, samples: gauge(random) });
  }
  return all.filter(({ samples }) => samples.length > 0);
}

/** Sample times: mostly every 15 or 30 seconds, jittered, with gaps that some series mark as stale. */
function* times(random: Random): Generator<{ timestampMs: number; stale: boolean }> {
  const interval = random.pick([15_000, 30_000, 60_000]);
  const marksGaps = random.chance(0.5);
  let at = DATA_START + random.int(0, interval);
  while (at < DATA_END) {
    if (random.chance(0.01)) {
      if (marksGaps) yield { timestampMs: at, stale: true };
      at += random.int(1, 20) * interval;
      continue;
    }
    yield { timestampMs: at, stale: false };
    at += interval + (random.chance(0.2) ? random.int(-500, 500) : 0);
  }
}

function samples(random: Random, make: () => Partial<Sample>): Sample[] {
  const all: Sample[] = [];
  for (const { timestampMs, stale } of times(random))
    all.push(stale ? { timestampMs, value: 0, stale } : { timestampMs, value: 0, ...make() });
  return all.map((sample) => (sample.histogram ? { ...sample, histogram: trimmed(sample.histogram) } : sample));
}

/** Without empty buckets at the ends, as storages give histograms. */
function trimmed(h: NativeHistogram): NativeHistogram {
  const positive = trimSide(h.positiveBuckets, h.positiveOffset);
  const negative = trimSide(h.negativeBuckets, h.negativeOffset);
  return {
    ...h,
    positiveBuckets: positive.buckets,
    positiveOffset: positive.offset,
    negativeBuckets: negative.buckets,
    negativeOffset: negative.offset,
  };
}

function trimSide(buckets: readonly number[], offset: number): { buckets: number[]; offset: number } {
  const first = buckets.findIndex((count) => count !== 0);
  if (first < 0) return { buckets: [], offset: 0 };
  return { buckets: buckets.slice(first, buckets.findLastIndex((count) => count !== 0) + 1), offset: offset + first };
}

function counter(random: Random): Sample[] {
  let value = random.int(0, 1000);
  const isWhole = random.chance(0.7);
  return samples(random, () => {
    if (random.chance(0.01)) value = 0;
    value += isWhole ? random.int(0, 50) : random.next() * 50;
    return { value };
  });
}

function gauge(random: Random): Sample[] {
  let value = random.next() * 100;
  return samples(random, () => ({ value: (value += random.next() * 10 - 5) }));
}

function oddGauge(random: Random): Sample[] {
  const odd = [Number.NaN, Infinity, -Infinity, 0, -0, 1e300, -1e300, 1e-300];
  return samples(random, () => ({ value: random.chance(0.15) ? random.pick(odd) : random.int(-3, 3) }));
}

function classicHistogram(random: Random, labels: Labels): GeneratedSeries[] {
  const bounds = ["0.1", "0.5", "1", "5", "+Inf"];
  const counts = bounds.map(() => 0);
  const columns: Sample[][] = bounds.map(() => []);
  const breaksOrder = random.chance(0.2);
  for (const { timestampMs, stale } of times(random)) {
    let below = 0;
    for (const [i, samples] of columns.entries()) {
      counts[i] = (counts[i] ?? 0) + random.int(0, 5);
      below += counts[i] ?? 0;
      const value = breaksOrder && random.chance(0.05) ? below - random.int(0, 20) : below;
      samples.push(stale ? { timestampMs, value: 0, stale } : { timestampMs, value });
    }
  }
  return bounds.map((le, i) => ({ labels: { ...labels, le }, samples: columns[i] ?? [] }));
}

function exponential(random: Random): NativeHistogram {
  const zeroThreshold = random.pick([0, 1e-128, 0.001, 0.25]);
  // No bucket may lie within the zero bucket, whatever the resolution: from index 1 on they begin at 1.
  const lowest = zeroThreshold > 1e-100 ? 1 : -4;
  return {
    schema: random.int(-1, 3),
    count: 0,
    sum: 0,
    zeroThreshold,
    zeroCount: 0,
    positiveOffset: random.int(lowest, 3),
    positiveBuckets: Array.from({ length: random.int(1, 6) }, () => 0),
    negativeOffset: random.int(lowest, 3),
    negativeBuckets: Array.from({ length: random.chance(0.4) ? random.int(1, 4) : 0 }, () => 0),
    customValues: [],
    counterReset: random.chance(0.2) ? "gauge" : "unknown",
  };
}

function custom(random: Random): NativeHistogram {
  const bounds = random.pick([
    [1, 2, 5, 10],
    [1, 2, 5, 10],
    [1, 5, 10, 20],
    [-1, 0, 5],
  ]);
  return {
    ...exponential(random),
    schema: -53,
    zeroThreshold: 0,
    positiveOffset: 0,
    positiveBuckets: bounds.map(() => 0).concat(0),
    negativeBuckets: [],
    negativeOffset: 0,
    customValues: bounds,
  };
}

/** A histogram that grows, is reset at times, and changes its resolution now and then. */
function nativeCounter(random: Random, start: NativeHistogram): Sample[] {
  let state = start;
  return samples(random, () => {
    if (random.chance(0.01)) state = empty(state);
    else if (random.chance(0.005) && state.schema > -4) state = { ...empty(state), schema: state.schema - 1 };
    state = grow(random, state);
    const hinted = start.counterReset === "unknown" && random.chance(0.05);
    const counterReset = hinted ? random.pick(["reset", "notReset"] as const) : start.counterReset;
    return { histogram: { ...state, counterReset } };
  });
}

function empty(h: NativeHistogram): NativeHistogram {
  return {
    ...h,
    count: 0,
    sum: 0,
    zeroCount: 0,
    positiveBuckets: h.positiveBuckets.map(() => 0),
    negativeBuckets: h.negativeBuckets.map(() => 0),
  };
}

function grow(random: Random, h: NativeHistogram): NativeHistogram {
  const more = () => (random.chance(0.5) ? random.int(0, 4) : 0);
  const positiveBuckets = h.positiveBuckets.map((count) => count + more());
  const negativeBuckets = h.negativeBuckets.map((count) => count + more());
  const zeroCount = h.schema === -53 ? 0 : h.zeroCount + more();
  const total = [...positiveBuckets, ...negativeBuckets, zeroCount].reduce((a, b) => a + b, 0);
  return { ...h, positiveBuckets, negativeBuckets, zeroCount, count: total, sum: h.sum + random.int(0, 30) };
}

/** Floats first, histograms then, or both in turns. */
function mixed(random: Random): Sample[] {
  const histograms = nativeCounter(random, random.chance(0.7) ? exponential(random) : custom(random));
  const floats = counter(random);
  const turn = DATA_START + random.int(1, 3) * HOUR * 0.7;
  const alternates = random.chance(0.3);
  const takesHistogram = (at: number) => (alternates ? Math.floor(at / 600_000) % 2 === 0 : at > turn);
  const chosen = new Map<number, Sample>();
  for (const sample of floats) if (!takesHistogram(sample.timestampMs)) chosen.set(sample.timestampMs, sample);
  for (const sample of histograms) if (takesHistogram(sample.timestampMs)) chosen.set(sample.timestampMs, sample);
  return [...chosen.values()].sort((a, b) => a.timestampMs - b.timestampMs);
}
