import type { ServiceDetail, ServiceSummary } from "@tocsin/model";
import type { TimeRange } from "../log-store.ts";
import type { RedStats, ServiceRow } from "../trace-store.ts";

const STARTING_MS = 60_000;
const GONE_MS = 15 * 60_000;
const DEGRADED_ERROR_RATIO = 0.05;

type Red = Pick<ServiceSummary, "rate" | "errorRatio" | "p50Ms" | "p95Ms" | "p99Ms">;

/** Counts as a rate per second of the range and a share of errors. */
export function redSummary(stats: RedStats | undefined, { fromMs, toMs }: TimeRange): Red {
  if (!stats) return { rate: 0, errorRatio: 0, p50Ms: null, p95Ms: null, p99Ms: null };
  const { count, errors, p50Ms, p95Ms, p99Ms } = stats;
  const digits = (ms: number | null) => (ms === null ? null : Number(ms.toPrecision(4)));
  return {
    rate: (count * 1000) / (toMs - fromMs),
    errorRatio: count === 0 ? 0 : errors / count,
    p50Ms: digits(p50Ms),
    p95Ms: digits(p95Ms),
    p99Ms: digits(p99Ms),
  };
}

export function redPoints(steps: readonly RedStats[], { fromMs, toMs }: TimeRange): ServiceDetail["red"] {
  const stepMs = (toMs - fromMs) / steps.length;
  return steps.map((step, i) => {
    const startMs = fromMs + i * stepMs;
    return { timeMs: Math.round(startMs), ...redSummary(step, { fromMs: startMs, toMs: startMs + stepMs }) };
  });
}

/** Silence comes before health: what a service did while it still spoke says nothing about now. */
export function serviceState(
  { firstMs, lastMs }: ServiceRow,
  errorRatio: number,
  now: number,
  silentAfterMs: number,
): ServiceSummary["state"] {
  if (now - lastMs > GONE_MS) return "gone";
  if (now - lastMs > silentAfterMs) return "silent";
  if (now - firstMs < STARTING_MS) return "starting";
  return errorRatio >= DEGRADED_ERROR_RATIO ? "degraded" : "healthy";
}
