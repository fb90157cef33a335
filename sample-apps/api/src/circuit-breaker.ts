export interface CircuitBreakerOptions {
  /** So many failures in a row open it. */
  failuresToOpen: number;
  /** How long it stays open before one call may try again. */
  openMs: number;
  now: () => number;
}

/** Stops calling an upstream that keeps failing, and lets one call through now and then to see whether it is back. */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failures = 0;
  /** Undefined while closed. */
  #retryAtMs: number | undefined;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get open(): boolean {
    return this.#retryAtMs !== undefined;
  }

  /** Whether a call may go out now. While open, only the first call after the pause may. */
  allows(): boolean {
    if (this.#retryAtMs === undefined) return true;
    const now = this.#options.now();
    if (now < this.#retryAtMs) return false;
    this.#retryAtMs = now + this.#options.openMs;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#retryAtMs = undefined;
  }

  failed(): void {
    this.#failures += 1;
    if (this.#failures >= this.#options.failuresToOpen) this.#retryAtMs = this.#options.now() + this.#options.openMs;
  }
}
