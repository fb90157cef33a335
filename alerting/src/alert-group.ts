import type { Labels, UnixMs } from "@tocsin/model";
import { isResolved, type Alert } from "./alert-store.ts";
import { flushedAlert, type FlushedAlert } from "./notify/notification.ts";
import { compareAlertLabels, groupKey, type Route } from "./route.ts";

/** The alerts of a route that share its group labels, and when they are next told of. Time comes as an argument. */
export class AlertGroup {
  readonly route: Route;
  readonly labels: Labels;
  readonly key: string;
  readonly #alerts = new Map<string, Alert>();
  #nextFlushAt: UnixMs;
  #hasFlushed = false;
  /** Names of the time intervals that muted the last flush. */
  mutedBy: readonly string[] = [];

  constructor(route: Route, labels: Labels, at: UnixMs) {
    this.route = route;
    this.labels = labels;
    this.key = groupKey(route, labels);
    this.#nextFlushAt = at + route.options.groupWaitMs;
  }

  get size(): number {
    return this.#alerts.size;
  }

  get nextFlushAt(): UnixMs {
    return this.#nextFlushAt;
  }

  has(fingerprint: string): boolean {
    return this.#alerts.has(fingerprint);
  }

  alerts(): IterableIterator<Alert> {
    return this.#alerts.values();
  }

  /** Takes in a new or changed alert. One that has waited group_wait elsewhere already is not made to wait again. */
  insert(alert: Alert, at: UnixMs): void {
    this.#alerts.set(alert.fingerprint, alert);
    if (!this.#hasFlushed && alert.startsAt + this.route.options.groupWaitMs < at) this.#nextFlushAt = at;
  }

  /** Begins a flush: what to tell, in order. The next tick is fixed before anything is sent. */
  beginFlush(at: UnixMs): FlushedAlert[] {
    this.#hasFlushed = true;
    this.#nextFlushAt = at + this.route.options.groupIntervalMs;
    return Array.from(this.#alerts.values(), (alert) => flushedAlert(alert, at)).sort((a, b) =>
      compareAlertLabels(a.labels, b.labels),
    );
  }

  /** After a flush whose pipeline succeeded: lets go of the resolved alerts that were not heard of meanwhile. */
  endFlush(flushed: readonly FlushedAlert[], at: UnixMs): void {
    for (const { fingerprint, status, updatedAt } of flushed) {
      const alert = this.#alerts.get(fingerprint);
      if (status === "resolved" && alert && alert.updatedAt === updatedAt && isResolved(alert, at))
        this.#alerts.delete(fingerprint);
    }
  }
}
