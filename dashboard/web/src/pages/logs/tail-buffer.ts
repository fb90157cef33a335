import type { LogItem } from "@tocsin/model";

/** The live rows of a list: `shown` on top of the searched ones, `held` while the reader must not be disturbed; newest first. */
export interface TailBuffer {
  readonly shown: readonly LogItem[];
  readonly held: readonly LogItem[];
  /** How many held rows were given up because there were too many. */
  readonly dropped: number;
}

export const EMPTY_TAIL: TailBuffer = { shown: [], held: [], dropped: 0 };

const MOST_HELD = 2000;
const MOST_SHOWN = 5000;

/** New rows (oldest first) go on top when nobody is reading further down, else into the waiting room. */
export function addToTail(buffer: TailBuffer, arrived: readonly LogItem[], hold: boolean): TailBuffer {
  const known = new Set([...buffer.shown, ...buffer.held].map(({ id }) => id));
  const fresh = arrived.filter(({ id }) => !known.has(id)).toReversed();
  if (fresh.length === 0 && (hold || buffer.held.length === 0)) return buffer;
  const waiting = [...fresh, ...buffer.held];
  if (!hold) return { shown: [...waiting, ...buffer.shown].slice(0, MOST_SHOWN), held: [], dropped: 0 };
  return {
    shown: buffer.shown,
    held: waiting.slice(0, MOST_HELD),
    dropped: buffer.dropped + Math.max(0, waiting.length - MOST_HELD),
  };
}

/** The waiting rows on top of the list, at the reader's request. */
export function releaseTail(buffer: TailBuffer): TailBuffer {
  return addToTail(buffer, [], false);
}

/** Live rows over the searched ones, each record once. */
export function mergeRows(shown: readonly LogItem[], searched: readonly LogItem[]): LogItem[] {
  const live = new Set(shown.map(({ id }) => id));
  return [...shown, ...searched.filter(({ id }) => !live.has(id))];
}
