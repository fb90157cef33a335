import { labelsKey, type Labels, type UnixMs } from "@tocsin/model";
import type { Clock, Logger } from "@tocsin/platform";
import { AlertGroup } from "./alert-group.ts";
import type { Alert } from "./alert-store.ts";
import type { Flush } from "./notify/notification.ts";
import type { FlushOutcome } from "./notify/pipeline.ts";
import { groupKey, groupLabels, matchRoutes, type Route } from "./route.ts";

export interface DispatcherOptions {
  readonly route: Route;
  readonly clock: Clock;
  readonly logger: Logger;
  /** No flush happens before. */
  readonly startAt: UnixMs;
  readonly run: (flush: Flush) => Promise<FlushOutcome>;
  readonly routeLabels: (group: AlertGroup, alerts: Flush["alerts"]) => Labels;
}

/** The groups an alert is in, and whether it has just entered one of them. */
export interface Dispatched {
  readonly groups: readonly AlertGroup[];
  readonly entered: boolean;
}

interface Running {
  readonly id: string;
  readonly group: AlertGroup;
  timer: Disposable | undefined;
  timerAt: UnixMs;
  flushing: Promise<void> | undefined;
}

/** The shortest time that one run of the pipeline may take. */
const MIN_DEADLINE_MS = 10_000;

/** Puts alerts into their groups and lets each group flush when its time has come. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #groups = new Map<string, Running>();
  readonly #abort = new AbortController();
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#groups.size;
  }

  *groups(): Generator<AlertGroup> {
    for (const { group } of this.#groups.values()) yield group;
  }

  /** `admits` may keep the alert out of groups, by route and group key. */
  dispatch(alert: Alert, admits?: (route: Route, key: string) => boolean): Dispatched {
    const at = this.#options.clock.now();
    const groups: AlertGroup[] = [];
    let entered = false;
    for (const route of matchRoutes(this.#options.route, alert.labels)) {
      if (admits && !admits(route, groupKey(route, groupLabels(route, alert.labels)))) continue;
      const running = this.#groupOf(route, alert, at);
      entered ||= !running.group.has(alert.fingerprint);
      running.group.insert(alert, at);
      groups.push(running.group);
      this.#arm(running);
    }
    return { groups, entered };
  }

  /** Lets no further flush begin; those at work get `graceMs` to end, then are aborted. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    const atWork: Promise<void>[] = [];
    for (const running of this.#groups.values()) {
      running.timer?.[Symbol.dispose]();
      if (running.flushing) atWork.push(running.flushing);
    }
    const abort = () => this.#abort.abort(new Error("the router stops"));
    const grace = this.#options.clock.schedule(graceMs, abort);
    if (graceMs === 0) abort();
    await Promise.all(atWork);
    grace[Symbol.dispose]();
  }

  #groupOf(route: Route, alert: Alert, at: UnixMs): Running {
    const labels = groupLabels(route, alert.labels);
    const id = `${route.index}:${labelsKey(labels)}`;
    const known = this.#groups.get(id);
    if (known) return known;
    const group = new AlertGroup(route, labels, at);
    const running: Running = { id, group, timer: undefined, timerAt: 0, flushing: undefined };
    this.#groups.set(id, running);
    return running;
  }

  /** Sets the timer to the group's next flush; one that waits for nothing is flushed before another alert joins it. */
  #arm(running: Running): void {
    if (this.#stopped || running.flushing) return;
    const { clock, startAt } = this.#options;
    const now = clock.now();
    const dueAt = Math.max(running.group.nextFlushAt, startAt);
    if (dueAt <= now && running.group.route.options.groupWaitMs === 0) return this.#flush(running);
    if (running.timer && running.timerAt === dueAt) return;
    running.timer?.[Symbol.dispose]();
    running.timerAt = dueAt;
    running.timer = clock.schedule(dueAt - now, () => this.#flush(running));
  }

  #flush(running: Running): void {
    running.timer?.[Symbol.dispose]();
    running.timer = undefined;
    running.flushing = this.#runFlush(running).finally(() => {
      running.flushing = undefined;
      if (running.group.size > 0) this.#arm(running);
      else this.#remove(running);
    });
  }

  async #runFlush({ group }: Running): Promise<void> {
    const { clock, logger, run, routeLabels } = this.#options;
    const at = clock.now();
    const alerts = group.beginFlush(at);
    const deadline = deadlineSignal(clock, Math.max(group.route.options.groupIntervalMs, MIN_DEADLINE_MS));
    try {
      const outcome = await run({
        at,
        route: group.route,
        groupKey: group.key,
        groupLabels: group.labels,
        routeLabels: routeLabels(group, alerts),
        alerts,
        signal: AbortSignal.any([deadline.signal, this.#abort.signal]),
      });
      group.mutedBy = outcome.mutedBy;
      if (outcome.ok) group.endFlush(alerts, clock.now());
    } catch (error) {
      logger.error({ err: error, groupKey: group.key }, "flush failed");
    } finally {
      deadline[Symbol.dispose]();
    }
  }

  #remove(running: Running): void {
    running.timer?.[Symbol.dispose]();
    this.#groups.delete(running.id);
  }
}

/** Aborts with a TimeoutError after `ms` on the clock. */
function deadlineSignal(clock: Clock, ms: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = clock.schedule(ms, () => controller.abort(new DOMException("the flush took too long", "TimeoutError")));
  return { signal: controller.signal, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
