export const VERIFICATIONS = ["ok", "wrong", "expired", "exhausted", "unknown"] as const;
export type Verification = (typeof VERIFICATIONS)[number];

export interface CodesOptions {
  ttlMs: number;
  maxAttempts: number;
  /** The most codes kept; the oldest goes first. */
  maxCodes: number;
  now: () => number;
  /** An integer from 0 up to and without `max`. */
  randomInt: (max: number) => number;
}

interface Issued {
  code: string;
  expiresAtMs: number;
  attempts: number;
}

/** Six-digit codes, one per phone at a time, each good for one use. */
export class VerificationCodes {
  readonly #options: CodesOptions;
  readonly #issued = new Map<string, Issued>();

  constructor(options: CodesOptions) {
    this.#options = options;
  }

  /** A new code for the phone; an earlier one stops working. */
  issue(phone: string): { code: string; expiresAtMs: number } {
    const { ttlMs, maxCodes, now, randomInt } = this.#options;
    const code = String(randomInt(1_000_000)).padStart(6, "0");
    const expiresAtMs = now() + ttlMs;
    this.#issued.delete(phone);
    this.#issued.set(phone, { code, expiresAtMs, attempts: 0 });
    for (const oldest of this.#issued.keys()) {
      if (this.#issued.size <= maxCodes) break;
      this.#issued.delete(oldest);
    }
    return { code, expiresAtMs };
  }

  verify(phone: string, code: string): Verification {
    const issued = this.#issued.get(phone);
    if (issued === undefined) return "unknown";
    if (this.#options.now() >= issued.expiresAtMs) {
      this.#issued.delete(phone);
      return "expired";
    }
    if (issued.attempts >= this.#options.maxAttempts) return "exhausted";
    issued.attempts += 1;
    if (issued.code !== code) return "wrong";
    this.#issued.delete(phone);
    return "ok";
  }
}
