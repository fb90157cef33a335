import { FLOAT, type Series } from "../column.ts";

/** Sorts the series of an instant query by value; NaN comes last either way, histograms are left out. */
export function sortByValue(all: readonly Series[], descending: boolean): Series[] {
  const floats = all.filter((series) => series.kindAt(0) === FLOAT);
  const sign = descending ? -1 : 1;
  return floats.sort((a, b) => {
    const [x, y] = [a.values[0] as number, b.values[0] as number];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return x === y ? 0 : sign * (x < y ? -1 : 1);
  });
}

/** Sorts by the values of labels, numbers within them as numbers; equal ones by all their labels. */
export function sortByLabels(all: readonly Series[], names: readonly string[], descending: boolean): Series[] {
  const sign = descending ? -1 : 1;
  return all.toSorted((a, b) => {
    for (const name of names) {
      const [x, y] = [a.labels.get(name), b.labels.get(name)];
      if (x !== y) return sign * (isNaturallyBefore(x, y) ? -1 : 1);
    }
    return sign * a.labels.compare(b.labels);
  });
}

/** Compares runs of digits as numbers and everything else as text. */
function isNaturallyBefore(a: string, b: string): boolean {
  const chunksA = chunks(a);
  const chunksB = chunks(b);
  for (const [i, x] of chunksA.entries()) {
    const y = chunksB[i];
    if (y === undefined) return false;
    const [m, n] = [toNumber(x), toNumber(y)];
    if (m !== undefined && n !== undefined) {
      if (m === n) {
        if (i === chunksA.length - 1) return true;
        if (i === chunksB.length - 1) return false;
        continue;
      }
      return m < n;
    }
    if (x === y) {
      if (i === chunksA.length - 1) return true;
      if (i === chunksB.length - 1) return false;
      continue;
    }
    return x < y;
  }
  return false;
}

const chunks = (text: string): string[] => text.match(/\d+|\D+/g) ?? [];
const toNumber = (chunk: string): number | undefined => (/^\d+$/.test(chunk) ? Number(chunk) : undefined);
