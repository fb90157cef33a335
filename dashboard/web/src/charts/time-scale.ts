import type { UnixMs } from "@tocsin/model";

const STEPS_MS = [
  1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000,
  10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
];

/** Round points in time, `most` at most, inside the span; round in UTC, which is round enough for an axis. */
export function timeTicks(fromMs: UnixMs, toMs: UnixMs, most: number): UnixMs[] {
  const step = STEPS_MS.find((each) => (toMs - fromMs) / each <= most) ?? toMs - fromMs;
  const ticks: UnixMs[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) ticks.push(at);
  return ticks;
}

/** Where a point in time lies, 0…1. */
export function fractionOf(at: UnixMs, fromMs: UnixMs, toMs: UnixMs): number {
  return toMs === fromMs ? 0 : (at - fromMs) / (toMs - fromMs);
}

/** The span between two places on an axis (0…1, in either order); undefined when they are too close to be meant. */
export function brushedSpan(
  a: number,
  b: number,
  fromMs: UnixMs,
  toMs: UnixMs,
): { fromMs: UnixMs; toMs: UnixMs } | undefined {
  const clamp = (x: number) => Math.min(1, Math.max(0, x));
  const left = clamp(Math.min(a, b));
  const right = clamp(Math.max(a, b));
  if (right - left < 0.01) return undefined;
  const at = (x: number) => Math.round(fromMs + x * (toMs - fromMs));
  return { fromMs: at(left), toMs: at(right) };
}

/** A round number not below `value`: 1, 2 or 5 times a power of ten. */
export function niceCeil(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}
