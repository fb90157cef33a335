import type { UnixMs } from "@tocsin/model";

/** The only source of time. Tests pass a ManualClock. */
export interface Clock {
  now(): UnixMs;
  /** Calls `fn` once after `delayMs`; disposing before then cancels. Does not keep the process alive. */
  schedule(delayMs: number, fn: () => void): Disposable;
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, fn) {
    let timer: NodeJS.Timeout;
    const arm = (restMs: number) => {
      const waitMs = Math.min(restMs, MAX_TIMEOUT_MS);
      timer = setTimeout(() => (restMs > waitMs ? arm(restMs - waitMs) : fn()), waitMs);
      timer.unref();
    };
    arm(Math.max(0, delayMs));
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Resolves after `delayMs` on the clock; rejects with the signal's reason when it is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = () => {
      timer[Symbol.dispose]();
      reject(signal?.reason as Error);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Runs `task` every `intervalMs` on the clock, never overlapping itself, until disposed; errors go to `onError`. */
export function every(
  clock: Clock,
  intervalMs: number,
  task: () => void | Promise<void>,
  onError: (error: unknown) => void,
): Disposable {
  let stopped = false;
  let timer: Disposable;
  const run = () => {
    void Promise.resolve()
      .then(task)
      .catch(onError)
      .then(() => {
        if (!stopped) timer = clock.schedule(intervalMs, run);
      });
  };
  timer = clock.schedule(intervalMs, run);
  return {
    [Symbol.dispose]() {
      stopped = true;
      timer[Symbol.dispose]();
    },
  };
}
