// The adapter of the promqltest runner: glue over the package's public API.
import { createEngine, createMemorySource, resultToJson } from "@tocsin/promql";

const number = (value) => ({ NaN, "+Inf": Infinity, "-Inf": -Infinity, "-0": -0 })[value] ?? Number(value);
const numbers = (values) => (values ?? []).map(number);
const HINTS = { unknown: "unknown", reset: "reset", not_reset: "notReset", gauge: "gauge" };

function nativeHistogram(h) {
  return {
    schema: h.schema,
    count: number(h.count),
    sum: number(h.sum),
    zeroThreshold: number(h.zeroThreshold),
    zeroCount: number(h.zeroCount),
    positiveOffset: h.posOffset,
    positiveBuckets: numbers(h.pos),
    negativeOffset: h.negOffset,
    negativeBuckets: numbers(h.neg),
    customValues: numbers(h.custom),
    counterReset: HINTS[h.hint] ?? "unknown",
  };
}

/** The engine as Prometheus runs its own scripts: with everything that is behind a flag. */
export const EXPERIMENTAL = {
  experimentalFunctions: true,
  durationExpressions: true,
  extendedRangeSelectors: true,
  fillModifiers: true,
  delayedNameRemoval: true,
  useStartTimestamps: true,
};

export function createAdapter(options = EXPERIMENTAL) {
  const source = createMemorySource();
  const engine = createEngine({ ...options, now: () => performance.now() });
  const answer = async (pending) => {
    const result = await pending;
    return { ...resultToJson(result), warnings: result.warnings, infos: result.infos };
  };
  return {
    supportsHistograms: true,
    reset: () => source.clear(),
    append(labels, timestampMs, value, { stale, histogram, startMs }) {
      source.append(labels, {
        timestampMs,
        value,
        ...(stale && { stale }),
        ...(histogram && { histogram: nativeHistogram(histogram) }),
        ...(startMs !== undefined && { startTimestampMs: startMs }),
      });
    },
    instant: (query, timestampMs) => answer(engine.instant(source, query, timestampMs)),
    range: (query, startMs, endMs, stepMs) => answer(engine.range(source, query, startMs, endMs, stepMs)),
  };
}

export default () => createAdapter();
