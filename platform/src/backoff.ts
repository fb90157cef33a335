export interface BackoffOptions {
  initialMs: number;
  maxMs: number;
  /** Growth per attempt, e.g. 1.5. */
  factor: number;
  /** Half-width of the random spread, 0…1: 0.5 gives 50–150 %. */
  jitter: number;
}

/** The pause before attempt `attempt` (1 = the first retry); `random` is in [0, 1). */
export function backoffMs(options: BackoffOptions, attempt: number, random: () => number): number {
  const base = Math.min(options.maxMs, options.initialMs * options.factor ** (attempt - 1));
  return base * (1 - options.jitter + 2 * options.jitter * random());
}
