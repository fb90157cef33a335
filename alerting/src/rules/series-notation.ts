import type { Labels, NativeHistogram } from "@tocsin/model";
import { parseSelector } from "@tocsin/promql";

/** One step of an input series; undefined where it has no sample. */
export type NotedValue = number | NativeHistogram | "stale" | undefined;

const MAX_STEPS = 1_000_000;

/** Reads a series name with labels, such as `up{job="api"}`. Throws an Error when it is none. */
export function parseSeriesLabels(text: string): Labels {
  const labels: Record<string, string> = {};
  for (const { name, type, value } of parseSelector(text).matchers) {
    if (type !== "=") throw new Error(`a series is named with = only, not ${name}${type}`);
    if (Object.hasOwn(labels, name)) throw new Error(`label ${name} is given twice`);
    if (value !== "") labels[name] = value;
  }
  return labels;
}

const NUMBER = String.raw`(?:inf|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)`;
const FLOATS = new RegExp(`^([+-]?${NUMBER})(?:([+-]${NUMBER}))?(?:x(\\d+))?$`, "i");
const GAP = /^_(?:x(\d+))?$/;
const HISTOGRAMS = /^\{\{([^}]*)\}\}(?:([+-])\{\{([^}]*)\}\})?(?:x(\d+))?$/;
/** A histogram has spaces inside. */
const ITEM = /\{\{[^}]*\}\}(?:[+-]\{\{[^}]*\}\})?\S*|\S+/g;

/** Reads promqltest's notation of values: `1 2+3x4 _ _x3 stale NaN {{schema:0 count:1}}x2`. */
export function parseSeriesValues(text: string): NotedValue[] {
  const values: NotedValue[] = [];
  for (const [item] of text.matchAll(ITEM)) {
    const step = readItem(item);
    if (values.length + step.length > MAX_STEPS) throw new Error(`more than ${MAX_STEPS} values`);
    values.push(...step);
  }
  return values;
}

function readItem(item: string): NotedValue[] {
  if (item === "stale") return ["stale"];
  const gap = GAP.exec(item);
  if (gap !== null) return Array.from({ length: countOf(gap[1] ?? "1") }, () => undefined);
  const floats = FLOATS.exec(item);
  if (floats !== null) return readFloats(item, floats);
  const histograms = HISTOGRAMS.exec(item);
  if (histograms !== null) return readHistograms(histograms);
  throw new Error(`cannot read ${JSON.stringify(item)} as a value (write 1, 1+2x3, _, stale, NaN or {{…}})`);
}

function readFloats(item: string, [, first = "", step, times]: RegExpExecArray): NotedValue[] {
  if (times === undefined) {
    if (step !== undefined) throw new Error(`${JSON.stringify(item)} has a step but no x and number of steps`);
    return [numberOf(first)];
  }
  const by = step === undefined ? 0 : numberOf(step);
  const values: number[] = [];
  let value = numberOf(first);
  for (let i = countOf(times); i >= 0; i--) {
    values.push(value);
    if (step !== undefined) value += by;
  }
  return values;
}

function readHistograms([, first = "", sign, step, times]: RegExpExecArray): NotedValue[] {
  let histogram = parseHistogram(first);
  if (times === undefined) return [histogram];
  const by = step === undefined ? undefined : parseHistogram(step);
  const values = [histogram];
  for (let i = countOf(times); i > 0; i--) {
    if (by !== undefined) histogram = addHistogram(histogram, by, sign === "-" ? -1 : 1);
    values.push(histogram);
  }
  return values;
}

function countOf(text: string): number {
  const count = Number(text);
  if (count > MAX_STEPS) throw new Error(`more than ${MAX_STEPS} values`);
  return count;
}

function numberOf(text: string): number {
  const word = text.toLowerCase().replace(/^[+-]/, "");
  const size = word === "inf" ? Infinity : word === "nan" ? Number.NaN : Number(word);
  if (Number.isNaN(size) && word !== "nan") throw new Error(`cannot read ${JSON.stringify(text)} as a number`);
  return text.startsWith("-") ? -size : size;
}

const HINTS = { unknown: "unknown", reset: "reset", not_reset: "notReset", gauge: "gauge" } as const;
const FIELD = /([a-z_]+)\s*:\s*(\[[^\]]*\]|\S+)\s*/gy;

/** Reads `schema:1 count:3 sum:5 buckets:[1 2]`, the inside of `{{…}}`. */
export function parseHistogram(body: string): NativeHistogram {
  const fields = new Map<string, string>();
  const text = body.trim().toLowerCase();
  FIELD.lastIndex = 0;
  let end = 0;
  for (let field = FIELD.exec(text); field !== null; field = FIELD.exec(text)) {
    const [, name = "", value = ""] = field;
    if (fields.has(name)) throw new Error(`histogram field ${name} is given twice`);
    fields.set(name, value);
    end = FIELD.lastIndex;
  }
  if (end !== text.length) throw new Error(`cannot read ${JSON.stringify(text.slice(end))} in a histogram`);
  const take = (name: string): string | undefined => {
    const value = fields.get(name);
    fields.delete(name);
    return value;
  };
  const number = (name: string) => numberOf(take(name) ?? "0");
  const list = (name: string) => {
    const inside = /^\[(.*)\]$/.exec(take(name) ?? "[]")?.[1];
    if (inside === undefined) throw new Error(`histogram field ${name} is not a list in brackets`);
    return inside.trim() === "" ? [] : inside.trim().split(/\s+/).map(numberOf);
  };
  const hint = take("counter_reset_hint") ?? "unknown";
  if (!Object.hasOwn(HINTS, hint)) throw new Error(`unknown counter_reset_hint ${hint}`);
  const positiveBuckets = list("buckets");
  const negativeBuckets = list("n_buckets");
  const [positiveOffset, negativeOffset] = [number("offset"), number("n_offset")];
  const histogram: NativeHistogram = {
    schema: number("schema"),
    count: number("count"),
    sum: number("sum"),
    zeroThreshold: number("z_bucket_w"),
    zeroCount: number("z_bucket"),
    positiveOffset: positiveBuckets.length === 0 ? 0 : positiveOffset,
    positiveBuckets,
    negativeOffset: negativeBuckets.length === 0 ? 0 : negativeOffset,
    negativeBuckets,
    customValues: list("custom_values"),
    counterReset: HINTS[hint as keyof typeof HINTS],
  };
  const [unknown] = fields.keys();
  if (unknown !== undefined) throw new Error(`unknown histogram field ${unknown}`);
  return histogram;
}

function addHistogram(a: NativeHistogram, b: NativeHistogram, sign: 1 | -1): NativeHistogram {
  if (a.schema !== b.schema || a.zeroThreshold !== b.zeroThreshold || String(a.customValues) !== String(b.customValues))
    throw new Error("a sequence of histograms needs one schema, zero bucket and set of custom values");
  const positive = addBuckets(a.positiveOffset, a.positiveBuckets, b.positiveOffset, b.positiveBuckets, sign);
  const negative = addBuckets(a.negativeOffset, a.negativeBuckets, b.negativeOffset, b.negativeBuckets, sign);
  const gauge = a.counterReset === "gauge" || b.counterReset === "gauge";
  return {
    ...a,
    count: a.count + sign * b.count,
    sum: a.sum + sign * b.sum,
    zeroCount: a.zeroCount + sign * b.zeroCount,
    positiveOffset: positive.offset,
    positiveBuckets: positive.buckets,
    negativeOffset: negative.offset,
    negativeBuckets: negative.buckets,
    counterReset: a.counterReset === b.counterReset ? a.counterReset : gauge ? "gauge" : "unknown",
  };
}

function addBuckets(
  aOffset: number,
  a: readonly number[],
  bOffset: number,
  b: readonly number[],
  sign: 1 | -1,
): { offset: number; buckets: number[] } {
  if (b.length === 0) return { offset: aOffset, buckets: [...a] };
  if (a.length === 0) return { offset: bOffset, buckets: b.map((count) => sign * count) };
  const offset = Math.min(aOffset, bOffset);
  const length = Math.max(aOffset + a.length, bOffset + b.length) - offset;
  const buckets = Array.from(
    { length },
    (_, i) => (a[i + offset - aOffset] ?? 0) + sign * (b[i + offset - bOffset] ?? 0),
  );
  return { offset, buckets };
}

/** Whether two histograms say the same; empty buckets and the counter reset hint do not count. */
export function histogramsEqual(
  a: NativeHistogram,
  b: NativeHistogram,
  same: (x: number, y: number) => boolean,
): boolean {
  return (
    a.schema === b.schema &&
    same(a.count, b.count) &&
    same(a.sum, b.sum) &&
    same(a.zeroCount, b.zeroCount) &&
    (a.zeroThreshold === b.zeroThreshold || (a.zeroCount === 0 && b.zeroCount === 0)) &&
    String(a.customValues) === String(b.customValues) &&
    bucketsEqual(a.positiveOffset, a.positiveBuckets, b.positiveOffset, b.positiveBuckets, same) &&
    bucketsEqual(a.negativeOffset, a.negativeBuckets, b.negativeOffset, b.negativeBuckets, same)
  );
}

function bucketsEqual(
  aOffset: number,
  a: readonly number[],
  bOffset: number,
  b: readonly number[],
  same: (x: number, y: number) => boolean,
): boolean {
  const first = Math.min(aOffset, bOffset);
  const last = Math.max(aOffset + a.length, bOffset + b.length);
  for (let i = first; i < last; i++) if (!same(a[i - aOffset] ?? 0, b[i - bOffset] ?? 0)) return false;
  return true;
}
