import { backoffMs, errorMessage, sleep } from "@tocsin/platform";
import type { TargetGroup } from "../target-group.ts";
import type { Discovery, DiscoveryDeps } from "./discovery.ts";

/** A registry on the network. */
export interface RegistrySource {
  /** `kind` in metrics and log records. */
  readonly kind: string;
  /**
   * Hands on the whole list, first at once and then whenever it changes. Resolves when it is time to begin anew, rejects
   * when the registry cannot be reached or understood, or with the signal's reason.
   */
  follow(publish: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void>;
}

const RETRY = { initialMs: 500, maxMs: 15_000, factor: 2, jitter: 0.2 };

/** Follows a registry; while it is away, the last known list stays and the registry is tried again and again. */
export class RegistryDiscovery implements Discovery {
  readonly #source: RegistrySource;
  readonly #deps: DiscoveryDeps;
  readonly #labels: { kind: string; job: string };
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(source: RegistrySource, deps: DiscoveryDeps) {
    this.#source = source;
    this.#deps = deps;
    this.#labels = { kind: source.kind, job: deps.job };
  }

  async start(): Promise<void> {
    this.#deps.metrics.failures.inc(this.#labels, 0);
    this.#deps.metrics.away.inc(this.#labels, 0);
    this.#running = this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("discovery has stopped"));
    await this.#running;
    if (this.#failures > 0) this.#deps.metrics.away.dec(this.#labels);
    this.#failures = 0;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#source.follow((groups) => this.#take(groups), signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(error);
        await sleep(this.#deps.clock, backoffMs(RETRY, this.#failures, Math.random), signal).catch(() => {});
      }
    }
  }

  #take(groups: readonly TargetGroup[]): void {
    if (this.#stop.signal.aborted) return;
    const { logger, metrics, onChange } = this.#deps;
    if (this.#failures > 0) {
      metrics.away.dec(this.#labels);
      logger.info({ ...this.#labels, failures: this.#failures }, "registry can be reached again");
    }
    this.#failures = 0;
    metrics.updates.inc(this.#labels);
    onChange(groups);
  }

  #fail(error: unknown): void {
    const { logger, metrics } = this.#deps;
    metrics.failures.inc(this.#labels);
    this.#failures += 1;
    if (this.#failures > 1) return;
    metrics.away.inc(this.#labels);
    logger.warn({ ...this.#labels, error: errorMessage(error) }, "registry is away, the last known list stays");
  }
}
