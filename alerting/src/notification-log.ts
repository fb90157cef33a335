import { z } from "zod";
import type { UnixMs } from "@tocsin/model";
import type { StateLog } from "./state/state-log.ts";

/** What a receiver's integration was last told about a group. */
export interface LogEntry {
  /** Group key, receiver, integration and its index: `{}:{}:team/email/0`. */
  readonly key: string;
  readonly at: UnixMs;
  /** Fingerprints of the alerts that fired, and that were resolved, in the last accepted notification. */
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly expiresAt: UnixMs;
  /** What the receiver gave back for later updates, such as a message's id. */
  readonly receiverData?: Readonly<Record<string, string>> | undefined;
}

const EntryRecord = z.object({
  key: z.string(),
  at: z.number(),
  firing: z.array(z.string()),
  resolved: z.array(z.string()),
  expiresAt: z.number(),
  receiverData: z.record(z.string(), z.string()).optional(),
});

/** Remembers what was sent to whom, so that groups are not told twice; survives restarts. */
export class NotificationLog {
  readonly #log: StateLog;
  readonly #entries = new Map<string, LogEntry>();
  /** By key, the flush that is at work; the next one for the same key waits for it. */
  readonly #busy = new Map<string, Promise<void>>();

  constructor(log: StateLog) {
    this.#log = log;
  }

  get size(): number {
    return this.#entries.size;
  }

  async load(at: UnixMs): Promise<void> {
    for (const record of await this.#log.load()) {
      const entry = EntryRecord.parse(record);
      if (entry.expiresAt > at) this.#entries.set(entry.key, entry);
      else this.#entries.delete(entry.key);
    }
  }

  get(key: string): LogEntry | undefined {
    return this.#entries.get(key);
  }

  /**
   * Remembers a notification that was accepted. It counts at once; the promise rejects when it could not be written
   * and so would be forgotten by a restart.
   */
  record(entry: LogEntry): Promise<void> {
    this.#entries.set(entry.key, entry);
    return this.#log.append([entry]);
  }

  /** Runs `work` when no other work for the key is under way: a reload must not send what is just being sent. */
  async exclusively<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    const mine = (before ?? Promise.resolve()).then(() => promise);
    this.#busy.set(key, mine);
    try {
      await before;
      return await work();
    } finally {
      resolve();
      if (this.#busy.get(key) === mine) this.#busy.delete(key);
    }
  }

  collectGarbage(at: UnixMs): number {
    let removed = 0;
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt > at) continue;
      this.#entries.delete(key);
      removed++;
    }
    return removed;
  }

  snapshot(): Promise<void> {
    return this.#log.snapshot(this.#entries.values());
  }
}

/** Why a notification is sent. */
export type NotifyReason =
  | "first notification"
  | "new alerts added"
  | "all alerts resolved"
  | "some alerts resolved"
  | "repeat interval elapsed";

/** Why none is sent. */
type SkipReason = "nothing to report" | "nothing new";

export type DedupDecision =
  | { readonly notify: true; readonly reason: NotifyReason }
  | { readonly notify: false; readonly reason: SkipReason };

export interface DedupQuestion {
  readonly entry: LogEntry | undefined;
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
  readonly sendResolved: boolean;
  readonly repeatIntervalMs: number;
  /** The tick's time. */
  readonly at: UnixMs;
}

/** Whether a group's state is worth a notification, given what was last sent. */
export function decideNotification(question: DedupQuestion): DedupDecision {
  const { entry, firing, resolved } = question;
  if (!entry) {
    return firing.length > 0
      ? { notify: true, reason: "first notification" }
      : { notify: false, reason: "nothing to report" };
  }
  if (!isSubset(firing, entry.firing))
    return { notify: true, reason: entry.firing.length === 0 ? "first notification" : "new alerts added" };
  // Also when resolved messages are off: the entry has to forget the firing alerts.
  if (firing.length === 0) {
    return entry.firing.length > 0
      ? { notify: true, reason: "all alerts resolved" }
      : { notify: false, reason: "nothing to report" };
  }
  if (question.sendResolved && !isSubset(resolved, entry.resolved))
    return { notify: true, reason: "some alerts resolved" };
  if (entry.at < question.at - question.repeatIntervalMs) return { notify: true, reason: "repeat interval elapsed" };
  return { notify: false, reason: "nothing new" };
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  const set = new Set(whole);
  return part.every((item) => set.has(item));
}
