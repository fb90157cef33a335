import { inspect } from "node:util";
import { writeStderr } from "./stderr.ts";

export interface ProcessEndOptions {
  /** Sends what is queued; resolves within `withinMs`. */
  flush: (withinMs: number) => Promise<void>;
  /** Records a crash as the process's last log line. */
  onCrash: (error: unknown) => void;
}

const FLUSH_WITHIN_MS = 1800;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Sends what is queued before the process ends, and lets it end as it would have: an app without a handler for the
 * signal dies by that signal, an uncaught exception ends with code 1. Disposing takes the handlers away.
 */
export function flushAtProcessEnd({ flush, onCrash }: ProcessEndOptions): Disposable {
  let endsAtMs: number | undefined;

  // All flushes of one ending share its time.
  const flushOnce = async (): Promise<void> => {
    endsAtMs ??= performance.now() + FLUSH_WITHIN_MS;
    const leftMs = endsAtMs - performance.now();
    if (leftMs <= 0) return;
    // The SDK's sockets and timers keep no process alive; this does while they finish.
    const hold = setTimeout(() => {}, leftMs + 100);
    await flush(leftMs);
    clearTimeout(hold);
  };

  const onSignal = (signal: NodeJS.Signals): void => {
    const appHandlesIt = process.listenerCount(signal) > 1;
    void flushOnce().then(() => {
      if (appHandlesIt) return;
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    });
  };

  let idleFlushed = false;
  const onBeforeExit = (): void => {
    // Flushing makes work, after which Node asks again.
    if (idleFlushed) return;
    idleFlushed = true;
    void flushOnce();
  };

  const flushThenExit = async (): Promise<never> => {
    await flushOnce();
    process.exit(1);
  };

  const onUncaught = (error: unknown): void => {
    onCrash(error);
    if (process.listenerCount("uncaughtException") > 1) return;
    writeStderr(`${inspect(error)}\n\nNode.js ${process.version}\n`);
    void flushThenExit();
  };

  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("beforeExit", onBeforeExit);
  process.on("uncaughtException", onUncaught);
  return {
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off("beforeExit", onBeforeExit);
      process.off("uncaughtException", onUncaught);
    },
  };
}
