import type { BacktestFiring, BacktestRule, DecisionRecord, UnixMs } from "@tocsin/model";

type Evaluation = Extract<DecisionRecord, { kind: "evaluation" }>;
type RuleTally = Pick<
  BacktestRule,
  "firings" | "pendingOnly" | "firingSeconds" | "longestSeconds" | "first" | "errors"
>;

const MAX_FIRINGS_SHOWN = 100;
const MAX_ERRORS_SHOWN = 10;

interface Open {
  readonly activeAtMs: UnixMs;
  /** Set once it fires. */
  firing: BacktestFiring | undefined;
}

/** What one rule's alerts did, told by the evaluator's decisions. */
export class Firings {
  readonly #fromMs: UnixMs;
  readonly #open = new Map<string, Open>();
  readonly #first: BacktestFiring[] = [];
  readonly #errors = new Set<string>();
  #count = 0;
  #pendingOnly = 0;
  #totalMs = 0;
  #longestMs = 0;

  constructor(fromMs: UnixMs) {
    this.#fromMs = fromMs;
  }

  observe({ at, fingerprint, labels, to, value }: Evaluation): void {
    const atMs = Date.parse(at);
    const open = this.#open.get(fingerprint) ?? { activeAtMs: atMs, firing: undefined };
    if (to === "inactive") return this.#close(fingerprint, open, at);
    this.#open.set(fingerprint, open);
    if (to === "pending") return;
    this.#count++;
    open.firing = {
      labels,
      activeAt: new Date(open.activeAtMs).toISOString(),
      startsAt: at,
      endsAt: null,
      seconds: 0,
      value,
      atStart: open.activeAtMs === this.#fromMs,
    };
    if (this.#first.length < MAX_FIRINGS_SHOWN) this.#first.push(open.firing);
  }

  fail(error: string): void {
    if (this.#errors.size < MAX_ERRORS_SHOWN) this.#errors.add(error);
  }

  /** Ends what is not among the alerts that still exist: a rule over its limit loses them without a decision. */
  keepOnly(fingerprints: ReadonlySet<string>, at: string): void {
    for (const [fingerprint, open] of this.#open)
      if (!fingerprints.has(fingerprint)) this.#close(fingerprint, open, at);
  }

  tally(toMs: UnixMs): RuleTally {
    for (const { firing } of this.#open.values()) if (firing !== undefined) this.#addDuration(firing, toMs);
    this.#open.clear();
    return {
      firings: this.#count,
      pendingOnly: this.#pendingOnly,
      firingSeconds: this.#totalMs / 1000,
      longestSeconds: this.#longestMs / 1000,
      first: this.#first,
      errors: [...this.#errors],
    };
  }

  #close(fingerprint: string, { firing }: Open, at: string): void {
    this.#open.delete(fingerprint);
    if (firing === undefined) {
      this.#pendingOnly++;
      return;
    }
    firing.endsAt = at;
    this.#addDuration(firing, Date.parse(at));
  }

  #addDuration(firing: BacktestFiring, untilMs: UnixMs): void {
    const lastedMs = untilMs - Date.parse(firing.startsAt);
    firing.seconds = lastedMs / 1000;
    this.#totalMs += lastedMs;
    this.#longestMs = Math.max(this.#longestMs, lastedMs);
  }
}
