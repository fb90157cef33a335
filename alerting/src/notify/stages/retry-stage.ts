import { backoffMs, errorMessage, sleep, type Clock } from "@tocsin/platform";
import type { AttemptFacts } from "../../decisions/recorder.ts";
import type { FailureReason, Notifier, NotifyResult } from "../integration.ts";
import type { Notification } from "../notification.ts";

/** Pauses between attempts: 0.5 s, growing by half each time, spread ±50 %, at most a minute. */
const BACKOFF = { initialMs: 500, factor: 1.5, jitter: 0.5, maxMs: 60_000 };

export interface RetryDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly onAttempt: (facts: AttemptFacts) => void;
}

export type Delivery =
  | { readonly status: "sent"; readonly receiverData?: Readonly<Record<string, string>> }
  | { readonly status: "failed"; readonly reason: FailureReason; readonly error: string };

/** Tries until the destination accepts, refuses for good, or the signal is aborted. */
export async function deliver(
  notifier: Notifier,
  notification: Notification,
  signal: AbortSignal,
  { clock, random, onAttempt }: RetryDeps,
): Promise<Delivery> {
  for (let number = 1; ; number++) {
    const startedAt = clock.now();
    const result = await attempt(notifier, notification, signal);
    const facts = { number, durationMs: Math.max(0, clock.now() - startedAt) };
    if (result.status === "sent") {
      onAttempt({ ...facts, outcome: "sent" });
      return result;
    }
    const final = result.status === "failed" || signal.aborted;
    onAttempt({ ...facts, outcome: final ? "failed" : "retry", error: result.error });
    if (final)
      return { status: "failed", reason: signal.aborted ? abortReason(signal) : result.reason, error: result.error };
    try {
      await sleep(clock, Math.max(result.afterMs ?? 0, backoffMs(BACKOFF, number, random)), signal);
    } catch {
      return {
        status: "failed",
        reason: abortReason(signal),
        error: `${errorMessage(signal.reason)}; last: ${result.error}`,
      };
    }
  }
}

/** A notifier that throws has a bug or met a template's mistake: reported, not retried, and no other flush suffers. */
async function attempt(notifier: Notifier, notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
  try {
    return await notifier.notify(notification, signal);
  } catch (error) {
    return { status: "failed", reason: signal.aborted ? abortReason(signal) : "other", error: errorMessage(error) };
  }
}

/** The deadline aborts with a TimeoutError, a stop or reload with anything else. */
function abortReason(signal: AbortSignal): FailureReason {
  return signal.reason instanceof Error && signal.reason.name === "TimeoutError"
    ? "contextDeadlineExceeded"
    : "contextCanceled";
}
