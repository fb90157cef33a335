/** The SDK's only source of time. Tests pass a manual one. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Calls `fn` once after `delayMs`; disposing before then cancels. Does not keep the process alive. */
  schedule(delayMs: number, fn: () => void): Disposable;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, fn) {
    const timer = setTimeout(fn, Math.max(0, delayMs)).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
