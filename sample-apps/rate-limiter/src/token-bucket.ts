/** How many requests a client may send: a burst of `capacity`, then `refillPerSecond`. */
export interface Policy {
  capacity: number;
  refillPerSecond: number;
}

export type Decision =
  | { decision: "allowed"; tokens: number }
  /** `retryAfterMs` is null when no waiting will help. */
  | { decision: "limited"; tokens: number; retryAfterMs: number | null };

/** A token bucket. Time comes in with each call, so it owns no timer. */
export class TokenBucket {
  readonly policy: Policy;
  #tokens: number;
  #updatedMs: number;

  /** Starts full. */
  constructor(policy: Policy, nowMs: number) {
    this.policy = policy;
    this.#tokens = policy.capacity;
    this.#updatedMs = nowMs;
  }

  tokens(nowMs: number): number {
    // A clock that was set back must not take tokens away.
    const elapsedMs = Math.max(0, nowMs - this.#updatedMs);
    this.#tokens = Math.min(this.policy.capacity, this.#tokens + (elapsedMs / 1000) * this.policy.refillPerSecond);
    this.#updatedMs = nowMs;
    return this.#tokens;
  }

  take(cost: number, nowMs: number): Decision {
    const tokens = this.tokens(nowMs);
    if (tokens >= cost) {
      this.#tokens -= cost;
      return { decision: "allowed", tokens: this.#tokens };
    }
    const { capacity, refillPerSecond } = this.policy;
    const reachable = cost <= capacity && refillPerSecond > 0;
    const retryAfterMs = reachable ? Math.ceil(((cost - tokens) / refillPerSecond) * 1000) : null;
    return { decision: "limited", tokens, retryAfterMs };
  }
}
