import { type Decision, type Policy, TokenBucket } from "./token-bucket.ts";

/** The clients that have a bucket of their own; all others share `other`. */
export const DEFAULT_POLICIES = {
  web: { capacity: 60, refillPerSecond: 20 },
  ios: { capacity: 60, refillPerSecond: 20 },
  android: { capacity: 60, refillPerSecond: 20 },
  partner: { capacity: 20, refillPerSecond: 5 },
  other: { capacity: 10, refillPerSecond: 2 },
} as const satisfies Record<string, Policy>;

/** One bucket per client. A policy override (a misconfiguration, say) replaces all policies until it is lifted. */
export class Limiter {
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #now: () => number;
  #override: Policy | undefined;
  #buckets = new Map<string, TokenBucket>();

  /** `now` is in milliseconds. */
  constructor(policies: Record<string, Policy> & { other: Policy }, now: () => number) {
    this.#policies = new Map(Object.entries(policies));
    this.#now = now;
    this.#fill();
  }

  check(client: string, cost: number): Decision & { client: string } {
    const name = this.bucketName(client);
    return { ...this.#bucket(name).take(cost, this.#now()), client: name };
  }

  /** The bucket a client falls into: its own or `other`. */
  bucketName(client: string): string {
    return this.#policies.has(client) ? client : "other";
  }

  buckets(): { client: string; capacity: number; refillPerSecond: number; tokens: number }[] {
    const now = this.#now();
    return [...this.#buckets].map(([client, bucket]) => ({ client, ...bucket.policy, tokens: bucket.tokens(now) }));
  }

  /** Puts every client under one policy, or back under its own. Either way the buckets start full again. */
  override(policy: Policy | undefined): void {
    if (policy?.capacity === this.#override?.capacity && policy?.refillPerSecond === this.#override?.refillPerSecond)
      return;
    this.#override = policy;
    this.#fill();
  }

  #fill(): void {
    const now = this.#now();
    this.#buckets = new Map(
      [...this.#policies].map(([client, policy]) => [client, new TokenBucket(this.#override ?? policy, now)]),
    );
  }

  #bucket(name: string): TokenBucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new Error(`no bucket for client ${JSON.stringify(name)}`);
    return bucket;
  }
}
