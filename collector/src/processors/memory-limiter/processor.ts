import { every } from "@tocsin/platform";
import { defineProcessor, type Consumer, type Outcome, type PartDeps, type Processor } from "../../component.ts";
import type { Payload } from "../../payload.ts";
import { MemoryLimiterConfig } from "./config.ts";

/** Pushes everything back while the process holds too much memory, so that senders keep what we could lose. */
export const memoryLimiter = defineProcessor({
  name: "memory_limiter",
  config: MemoryLimiterConfig,
  create: (config, deps, next) => new MemoryLimiter(config, deps, next),
});

/** What the process holds: heap, and buffers outside it. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export class MemoryLimiter implements Processor {
  readonly name = "processor memory_limiter";
  readonly #config: MemoryLimiterConfig;
  readonly #deps: PartDeps;
  readonly #next: Consumer;
  readonly #measure: () => number;
  #timer: Disposable | undefined;
  #refusing = false;

  constructor(config: MemoryLimiterConfig, deps: PartDeps, next: Consumer, measure = usedBytes) {
    this.#config = config;
    this.#deps = deps;
    this.#next = next;
    this.#measure = measure;
  }

  async start(): Promise<void> {
    const { clock, logger } = this.#deps;
    const onError = (err: unknown) => logger.error({ err }, "memory cannot be measured");
    this.#timer = every(clock, this.#config.check_interval, () => this.#check(), onError);
  }

  async stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
  }

  async consume(payload: Payload): Promise<Outcome> {
    if (!this.#refusing) return this.#next.consume(payload);
    return { status: "retry", afterMs: this.#config.check_interval, error: "the collector is short of memory" };
  }

  #check(): void {
    const { limit, recover = limit * 0.9 } = this.#config;
    const bytes = this.#measure();
    const refusing = this.#refusing ? bytes >= recover : bytes >= limit;
    if (refusing === this.#refusing) return;
    this.#refusing = refusing;
    if (refusing) this.#deps.logger.warn({ bytes, limit }, "short of memory, pushing back");
    else this.#deps.logger.info({ bytes, limit }, "memory is enough again");
  }
}
