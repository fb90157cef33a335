import type { Clock } from "@tocsin/platform";
import type { KafkaRecord, PartitionBatch } from "./driver.ts";

export interface HandleBatchOptions {
  /** Records handed over and not yet handled, at most. */
  concurrency: number;
  /** A long batch is committed as it goes: after so much time or so many records. */
  commitIntervalMs: number;
  commitRecords: number;
  clock: Clock;
  /**
   * Resolves when the record is written or set aside. Rejects with the signal's reason when that is aborted first. `held` is
   * called with true when the record has to be tried again, and with false when it has been handled at last.
   */
  handle(record: KafkaRecord, signal: AbortSignal, held: (isHeld: boolean) => void): Promise<void>;
}

/** How long handlers may go on when the batch is aborted; what they write later is written twice. */
const GRACE_MS = 5000;

/**
 * Hands the records of a batch over in order, several at a time, and commits up to the first that is not handled. While a
 * record has to be tried again, none after it is handed over. Resolves when all are handled and committed; when the signal is
 * aborted, as soon as the handlers that run have ended, and what they have done is committed. Throws what a commit throws.
 */
export async function handleBatch(batch: PartitionBatch, options: HandleBatchOptions): Promise<void> {
  const { records, signal } = batch;
  const handled = records.map(() => false);
  const running = new Set<Promise<void>>();
  let front = 0;
  let committed = 0;
  let held = 0;
  let lastCommitMs = options.clock.now();

  const hand = async (record: KafkaRecord, i: number) => {
    try {
      await options.handle(record, signal, (isHeld) => (held += isHeld ? 1 : -1));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    handled[i] = true;
    while (handled[front]) front++;
  };
  const commit = async () => {
    const last = records[front - 1];
    if (front === committed || !last) return;
    const upTo = front;
    lastCommitMs = options.clock.now();
    await batch.commit(last.offset + 1n);
    committed = upTo;
  };
  const mayHandOver = () => running.size < options.concurrency && held === 0;
  using aborted = abortedFor(options.clock, GRACE_MS, signal);

  for (const [i, record] of records.entries()) {
    while (!mayHandOver() && !signal.aborted) await Promise.race([...running, aborted.promise]);
    if (signal.aborted) break;
    const run = hand(record, i).finally(() => running.delete(run));
    run.catch(() => {});
    running.add(run);
    const isDue = options.clock.now() - lastCommitMs >= options.commitIntervalMs;
    if (isDue || front - committed >= options.commitRecords) await commit();
  }
  await Promise.race([Promise.all(running), aborted.promise]);
  await commit();
}

/** A promise that resolves when the signal has been aborted for so long. */
function abortedFor(clock: Clock, ms: number, signal: AbortSignal): Disposable & { promise: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let timer: Disposable | undefined;
  const onAbort = () => (timer = clock.schedule(ms, resolve));
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    promise,
    [Symbol.dispose]() {
      signal.removeEventListener("abort", onAbort);
      timer?.[Symbol.dispose]();
    },
  };
}
