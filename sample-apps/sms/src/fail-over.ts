import type { Sms, SmsProvider } from "./provider.ts";

export interface FailOverOptions {
  /** So many failures in a row mark a provider down. */
  failuresToDown: number;
  /** How long a provider that is down is left alone before one message tries it again. */
  retryAfterMs: number;
  now: () => number;
}

export type Delivery =
  | { outcome: "delivered"; provider: string }
  /** `provider` is the last that was tried. */
  | { outcome: "failed"; provider: string; error: unknown };

/** What happens on the way, for metrics and logs. */
export interface FailOverEvents {
  attempt(provider: SmsProvider, sms: Sms): Promise<void>;
  failedOver(from: string, to: string, error: unknown): void;
  changed(provider: string, up: boolean): void;
}

interface Health {
  provider: SmsProvider;
  failures: number;
  /** Undefined while the provider is up. */
  retryAtMs: number | undefined;
}

/** Sends by the first provider that takes the message, in order of preference. */
export class FailOver {
  readonly #health: Health[];
  readonly #options: FailOverOptions;
  readonly #events: FailOverEvents;

  constructor(providers: readonly [SmsProvider, ...SmsProvider[]], options: FailOverOptions, events: FailOverEvents) {
    this.#health = providers.map((provider) => ({ provider, failures: 0, retryAtMs: undefined }));
    this.#options = options;
    this.#events = events;
  }

  async send(sms: Sms): Promise<Delivery> {
    let failed: { provider: string; error: unknown } | undefined;
    for (const health of this.#candidates()) {
      const { name } = health.provider;
      if (failed !== undefined) this.#events.failedOver(failed.provider, name, failed.error);
      try {
        await this.#events.attempt(health.provider, sms);
        this.#succeeded(health);
        return { outcome: "delivered", provider: name };
      } catch (error) {
        this.#failed(health);
        failed = { provider: name, error };
      }
    }
    if (failed === undefined) throw new Error("fail-over needs at least one provider");
    return { outcome: "failed", ...failed };
  }

  up(): { provider: string; up: boolean }[] {
    return this.#health.map(({ provider, retryAtMs }) => ({ provider: provider.name, up: retryAtMs === undefined }));
  }

  /** Providers that are up or due for a new try; when all are down, all of them: trying beats giving up unheard. */
  #candidates(): Health[] {
    const now = this.#options.now();
    const due = this.#health.filter(({ retryAtMs }) => retryAtMs === undefined || retryAtMs <= now);
    // One message makes the new try; those beside it wait for its outcome.
    for (const health of due) if (health.retryAtMs !== undefined) health.retryAtMs = now + this.#options.retryAfterMs;
    return due.length > 0 ? due : [...this.#health];
  }

  #succeeded(health: Health): void {
    health.failures = 0;
    if (health.retryAtMs === undefined) return;
    health.retryAtMs = undefined;
    this.#events.changed(health.provider.name, true);
  }

  #failed(health: Health): void {
    health.failures += 1;
    if (health.failures < this.#options.failuresToDown) return;
    const wasUp = health.retryAtMs === undefined;
    health.retryAtMs = this.#options.now() + this.#options.retryAfterMs;
    if (wasUp) this.#events.changed(health.provider.name, false);
  }
}
