import type { PositionRange } from "../../parser/ast.ts";
import { type Annotations, notes } from "../annotations.ts";
import { ABSENT, HISTOGRAM, type Series } from "../column.ts";
import { quantile } from "../quantile.ts";

/** The quantile over the floats of a group at one step; undefined when there is none. */
export function groupQuantile(
  group: readonly Series[],
  step: number,
  q: number,
  annotations: Annotations,
  pos: PositionRange,
): number | undefined {
  const values = new Float64Array(group.length);
  let count = 0;
  for (const series of group) {
    const kind = series.kindAt(step);
    if (kind === HISTOGRAM) annotations.info(notes.histogramIgnored("quantile"), pos);
    else if (kind !== ABSENT) values[count++] = series.values[step] as number;
  }
  return count === 0 ? undefined : quantile(q, values.subarray(0, count));
}

interface Ranked {
  series: Series;
  value: number;
}

/**
 * The k largest (topk) or smallest (bottomk) floats of a group at one step, best first. Ties are broken as the
 * reference's heap breaks them, NaN only makes it where numbers are too few.
 */
export function rank(
  group: readonly Series[],
  step: number,
  k: number,
  op: "topk" | "bottomk",
  annotations: Annotations,
  pos: PositionRange,
): Series[] {
  const sign = op === "topk" ? 1 : -1;
  const isWorse = (a: Ranked, b: Ranked) => Number.isNaN(a.value) || sign * a.value < sign * b.value;
  const heap: Ranked[] = [];
  for (const series of group) {
    const kind = series.kindAt(step);
    if (kind === ABSENT) continue;
    if (kind === HISTOGRAM) {
      annotations.info(notes.histogramIgnored(op), pos);
      continue;
    }
    const item = { series, value: series.values[step] as number };
    const worst = heap[0];
    if (heap.length < k || worst === undefined) {
      heap.push(item);
      // The reference puts the first element of bottomk on a heap of the other order, where it is alone.
      siftUp(heap, isWorse);
    } else if (sign * worst.value < sign * item.value || (Number.isNaN(worst.value) && !Number.isNaN(item.value))) {
      heap[0] = item;
      siftDown(heap, isWorse);
    }
  }
  return sortBestFirst(heap, isWorse).map(({ series }) => series);
}

function siftUp(heap: Ranked[], less: (a: Ranked, b: Ranked) => boolean): void {
  for (let child = heap.length - 1; child > 0;) {
    const parent = (child - 1) >>> 1;
    if (!less(heap[child] as Ranked, heap[parent] as Ranked)) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function siftDown(heap: Ranked[], less: (a: Ranked, b: Ranked) => boolean): void {
  for (let parent = 0; ;) {
    let child = 2 * parent + 1;
    if (child >= heap.length) return;
    if (child + 1 < heap.length && less(heap[child + 1] as Ranked, heap[child] as Ranked)) child++;
    if (!less(heap[child] as Ranked, heap[parent] as Ranked)) return;
    swap(heap, parent, child);
    parent = child;
  }
}

/** Short lists are sorted by insertion, as Go's sort does, whose treatment of NaN shows. */
function sortBestFirst(heap: Ranked[], isWorse: (a: Ranked, b: Ranked) => boolean): Ranked[] {
  if (heap.length > 12) return heap.sort((a, b) => (isWorse(b, a) ? (isWorse(a, b) ? 0 : -1) : isWorse(a, b) ? 1 : 0));
  for (let i = 1; i < heap.length; i++) {
    for (let j = i; j > 0 && isWorse(heap[j - 1] as Ranked, heap[j] as Ranked); j--) swap(heap, j, j - 1);
  }
  return heap;
}

function swap(items: Ranked[], i: number, j: number): void {
  const item = items[i] as Ranked;
  items[i] = items[j] as Ranked;
  items[j] = item;
}
