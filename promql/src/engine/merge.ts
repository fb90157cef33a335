import { ABSENT, FLOAT, Series } from "./column.ts";
import type { Histogram } from "./histogram/shape.ts";
import { QueryError } from "./result.ts";

const sameLabelset = () => new QueryError("execution", "vector cannot contain metrics with the same labelset");

/** Throws when two series have the same labels. */
export function failOnSameLabels(all: readonly Series[]): void {
  if (all.length > 1 && new Set(all.map((series) => series.labels.key)).size !== all.length) throw sameLabelset();
}

/**
 * Joins series that have come to have the same labels. Where two of them have a value at the same step the query fails;
 * with `allowMixed`, only where both are floats or both histograms, and else the float stays.
 */
export function mergeSameLabels(all: Series[], allowMixed = false): Series[] {
  if (all.length < 2) return all;
  const groups = new Map<string, Series[]>();
  for (const series of all) {
    const group = groups.get(series.labels.key);
    if (group) group.push(series);
    else groups.set(series.labels.key, [series]);
  }
  return groups.size === all.length ? all : [...groups.values()].map((group) => join(group, allowMixed));
}

function join(group: readonly Series[], allowMixed: boolean): Series {
  const [first] = group;
  if (first === undefined) throw sameLabelset();
  if (group.length === 1) return first;
  const steps = first.values.length;
  const values = new Float64Array(steps);
  const kinds = new Uint8Array(steps);
  /** FLOAT, HISTOGRAM, or both. */
  const taken = new Uint8Array(steps);
  let histograms: (Histogram | undefined)[] | undefined;
  for (const series of group) {
    for (let step = 0; step < steps; step++) {
      const kind = series.kindAt(step);
      if (kind === ABSENT) continue;
      const before = taken[step] as number;
      if ((before & kind) !== 0 || (before !== 0 && !allowMixed)) throw sameLabelset();
      taken[step] = before | kind;
      // Of a float and a histogram at one step the float counts; the histogram comes along for the answer.
      if (before !== FLOAT) kinds[step] = kind;
      if (kind === FLOAT) {
        values[step] = series.values[step] as number;
      } else {
        histograms ??= Array.from({ length: steps });
        histograms[step] = series.histogramAt(step);
      }
    }
  }
  return new Series(first.labels, first.dropName, values, kinds, histograms);
}

/** With delayed name removal, the names that functions on the way have marked go at the end. */
export function cleanNames({ delayedNameRemoval }: { delayedNameRemoval: boolean }, all: Series[]): Series[] {
  if (!delayedNameRemoval) return all;
  return mergeSameLabels(
    all.map((series) => (series.dropName ? series.relabelled(series.labels.withoutMetadata(), false) : series)),
    true,
  );
}
