import type { FastifyBaseLogger } from "fastify";
import type { Instance, Registry } from "./registry.ts";

export interface MembershipOptions {
  registry: Registry;
  instance: Instance;
  log: FastifyBaseLogger;
  /** Milliseconds between two announcements; well below the time after which an instance counts as gone. */
  heartbeatMs?: number;
}

/** Keeps an instance registered from construction until it is withdrawn. A registry that is away is tried again. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #state: "unknown" | "registered" | "failing" = "unknown";

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#beat(), options.heartbeatMs ?? 3000);
    this.#timer.unref();
    this.#beat();
  }

  /** Stops announcing and takes the instance out, if the registry can be reached. */
  async withdraw(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    const { registry, instance, log } = this.#options;
    try {
      await registry.withdraw(instance);
    } catch (err) {
      log.warn({ err, instance }, "instance could not be taken out of the registry");
    }
  }

  /** At most one announcement at a time. */
  #beat(): void {
    this.#running ??= this.#announce().finally(() => (this.#running = undefined));
  }

  async #announce(): Promise<void> {
    const { registry, instance, log } = this.#options;
    try {
      await registry.announce(instance);
      if (this.#state !== "registered") log.info({ instance }, "registered");
      this.#state = "registered";
    } catch (err) {
      if (this.#state !== "failing") log.warn({ err, instance }, "registry is away, trying again");
      this.#state = "failing";
    }
  }
}
