import type { UnixMs } from "@tocsin/model";
import { QueryError } from "@tocsin/promql";

/** Who asks: rules go first, people and dashboards wait for them. */
export type Lane = "rules" | "api";

export interface QueryLanesOptions {
  /** Queries at the same time, in each lane. */
  maxConcurrency: number;
  /** Queries waiting, in each lane. */
  maxQueued: number;
  now: () => UnixMs;
}

interface LaneState {
  running: number;
  queue: (() => void)[];
}

/**
 * Admits queries, a number at a time. As all of them share one thread, the two lanes are kept apart like this: rules
 * never wait for a slot that a dashboard holds, and an API query that pauses goes on only when no rule is running.
 */
export class QueryLanes {
  readonly #options: QueryLanesOptions;
  readonly #lanes: Record<Lane, LaneState> = { rules: { running: 0, queue: [] }, api: { running: 0, queue: [] } };
  #rulesIdle: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(options: QueryLanesOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#lanes.rules.running + this.#lanes.api.running;
  }

  get queued(): number {
    return this.#lanes.rules.queue.length + this.#lanes.api.queue.length;
  }

  /** Runs the task when there is room; it gets the seconds it waited. Rejects with QueryError when too many wait or it is aborted. */
  async run<T>(lane: Lane, signal: AbortSignal, task: (queueTime: number) => Promise<T>): Promise<T> {
    const arrivedMs = this.#options.now();
    await this.#enter(lane, signal);
    try {
      return await task((this.#options.now() - arrivedMs) / 1000);
    } finally {
      this.#leave(lane);
    }
  }

  /** What a paused query of the lane has to wait for. */
  turnOf(lane: Lane): Promise<void> | undefined {
    return lane === "api" ? this.#rulesIdle?.promise : undefined;
  }

  #enter(lane: Lane, signal: AbortSignal): Promise<void> {
    const state = this.#lanes[lane];
    if (state.running < this.#options.maxConcurrency) {
      this.#admit(lane);
      return Promise.resolve();
    }
    if (state.queue.length >= this.#options.maxQueued) {
      return Promise.reject(new QueryError("timeout", "too many queries are waiting; ask again later"));
    }
    return new Promise((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener("abort", onAbort);
        this.#admit(lane);
        resolve();
      };
      const onAbort = () => {
        state.queue.splice(state.queue.indexOf(admit), 1);
        reject(signal.reason as Error);
      };
      state.queue.push(admit);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #admit(lane: Lane): void {
    this.#lanes[lane].running++;
    if (lane === "rules") this.#rulesIdle ??= Promise.withResolvers<void>();
  }

  #leave(lane: Lane): void {
    const state = this.#lanes[lane];
    state.running--;
    state.queue.shift()?.();
    if (this.#lanes.rules.running > 0) return;
    this.#rulesIdle?.resolve();
    this.#rulesIdle = undefined;
  }
}
