import { z } from "zod";
import { fingerprint, type Labels, type UnixMs } from "@tocsin/model";

/** An alert as the router keeps it. It fires while `endsAt` is in the future. */
export interface Alert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: UnixMs;
  readonly endsAt: UnixMs;
  readonly updatedAt: UnixMs;
  /** Whether `endsAt` is only this router's resolve_timeout, not the sender's word. */
  readonly timeout: boolean;
  readonly generatorURL: string;
}

/** How alerts are written down; `removed` says that one is gone. */
export const AlertRecord = z.union([
  z.object({ removed: z.string() }),
  z.object({
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    startsAt: z.number(),
    endsAt: z.number(),
    updatedAt: z.number(),
    timeout: z.boolean(),
    generatorURL: z.string(),
  }),
]);

/** The alerts that records leave, by fingerprint. */
export function alertsFromRecords(records: readonly unknown[]): Map<string, Alert> {
  const alerts = new Map<string, Alert>();
  for (const raw of records) {
    const record = AlertRecord.parse(raw);
    if ("removed" in record) alerts.delete(record.removed);
    else {
      const alert = { ...record, fingerprint: fingerprint(record.labels) };
      alerts.set(alert.fingerprint, alert);
    }
  }
  return alerts;
}

/** The fingerprint follows from the labels and is not written. */
export function alertRecord(alert: Alert): z.input<typeof AlertRecord> {
  const { labels, annotations, startsAt, endsAt, updatedAt, timeout, generatorURL } = alert;
  return { labels, annotations, startsAt, endsAt, updatedAt, timeout, generatorURL };
}

export const isResolved = (alert: Pick<Alert, "endsAt">, at: UnixMs): boolean => alert.endsAt <= at;

/**
 * What is kept when an alert arrives again. Overlapping intervals are one alert with the earliest start; others
 * replace the stored one. A stored end outlives a newer firing report only if the sender had set it.
 */
export function mergeAlerts(stored: Alert, received: Alert, at: UnixMs): Alert {
  if (!overlaps(stored, received)) return received;
  const [older, newer] = received.updatedAt < stored.updatedAt ? [received, stored] : [stored, received];
  return {
    ...newer,
    startsAt: Math.min(older.startsAt, newer.startsAt),
    endsAt: keepsOldEnd(older, newer, at) ? older.endsAt : newer.endsAt,
  };
}

function overlaps(stored: Alert, received: Alert): boolean {
  const inside = (t: UnixMs) => t > stored.startsAt && t < stored.endsAt;
  return inside(received.endsAt) || inside(received.startsAt);
}

function keepsOldEnd(older: Alert, newer: Alert, at: UnixMs): boolean {
  if (older.endsAt <= newer.endsAt) return false;
  return isResolved(newer, at) ? isResolved(older, at) : !older.timeout;
}

export interface AlertStoreOptions {
  /** Alerts of one alertname kept at a time; 0 is no limit. */
  readonly perNameLimit: number;
  /** Called for every alert that is gone for good. */
  readonly onRemove: (alert: Alert) => void;
}

/** The alerts by fingerprint: every sender's latest word, until the garbage collection after they resolved. */
export class AlertStore {
  readonly #options: AlertStoreOptions;
  readonly #alerts = new Map<string, Alert>();
  /** Per alertname, the fingerprints that count against the limit and when they end. */
  readonly #byName = new Map<string, Map<string, UnixMs>>();

  constructor(options: AlertStoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#alerts.size;
  }

  get(fingerprint: string): Alert | undefined {
    return this.#alerts.get(fingerprint);
  }

  values(): IterableIterator<Alert> {
    return this.#alerts.values();
  }

  /** Takes an alert in; returns what is kept of it, or undefined when its alertname is at its limit. */
  put(received: Alert, at: UnixMs): Alert | undefined {
    if (!this.#admit(received, at)) return undefined;
    const stored = this.#alerts.get(received.fingerprint);
    const alert = stored === undefined ? received : mergeAlerts(stored, received, at);
    this.#alerts.set(alert.fingerprint, alert);
    return alert;
  }

  /** Removes what has resolved; returns how many. */
  collectGarbage(at: UnixMs): number {
    let removed = 0;
    for (const alert of this.#alerts.values()) {
      if (!isResolved(alert, at)) continue;
      this.#alerts.delete(alert.fingerprint);
      this.#forget(alert);
      this.#options.onRemove(alert);
      removed++;
    }
    return removed;
  }

  #admit(alert: Alert, at: UnixMs): boolean {
    const limit = this.#options.perNameLimit;
    if (limit === 0) return true;
    const name = alert.labels["alertname"] ?? "";
    const bucket = this.#byName.get(name) ?? new Map<string, UnixMs>();
    this.#byName.set(name, bucket);
    if (!bucket.has(alert.fingerprint) && bucket.size >= limit) {
      const expired = bucket.entries().find(([, endsAt]) => endsAt <= at);
      if (!expired) return false;
      bucket.delete(expired[0]);
    }
    bucket.set(alert.fingerprint, alert.endsAt);
    return true;
  }

  #forget(alert: Alert): void {
    const name = alert.labels["alertname"] ?? "";
    const bucket = this.#byName.get(name);
    if (bucket?.delete(alert.fingerprint) && bucket.size === 0) this.#byName.delete(name);
  }
}
