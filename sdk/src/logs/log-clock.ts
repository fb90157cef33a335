/**
 * Turns the wall clock's milliseconds into nanoseconds that never repeat: lines of one millisecond are a microsecond
 * apart, so that they keep their order in a store that sorts by time.
 */
export function createLogClock(now: () => number): () => bigint {
  let lastMs = 0;
  let within = 0;
  return () => {
    const ms = now();
    within = ms === lastMs ? Math.min(within + 1, 999) : 0;
    lastMs = ms;
    return BigInt(ms) * 1_000_000n + BigInt(within * 1000);
  };
}
