import { Counter, type Registry } from "@tocsin/platform";
import type { Signal } from "@tocsin/model";
import type { Dropped, Outcome } from "./component.ts";

export const SIGNALS = ["logs", "traces", "metrics"] as const satisfies readonly Signal[];

/** Records by where they went. `received` is the sum of all the others. */
export interface SignalAccount {
  signal: Signal;
  received: number;
  /** Refused, by reason: malformed requests (one each, since their records cannot be counted) and what was pushed back. */
  rejected: Record<string, number>;
  /** Handed to the exporters, answer open. */
  queued: number;
  /** Held durably. */
  written: number;
  /** Left out of requests that otherwise went on, by reason. */
  dropped: Record<string, number>;
}

/** Books every record into exactly one place. */
export class Accounts {
  readonly #accounts: Record<Signal, SignalAccount>;
  readonly #received: Counter;
  readonly #settled: Counter;

  constructor(registry: Registry) {
    const open = (signal: Signal): SignalAccount => ({
      signal,
      received: 0,
      rejected: {},
      queued: 0,
      written: 0,
      dropped: {},
    });
    this.#accounts = { logs: open("logs"), traces: open("traces"), metrics: open("metrics") };
    const registers = [registry];
    this.#received = new Counter({
      name: "tocsin_collector_received_records_total",
      help: "Log records, spans and metric points received; a request that cannot be read counts as one.",
      labelNames: ["signal", "receiver"],
      registers,
    });
    this.#settled = new Counter({
      name: "tocsin_collector_settled_records_total",
      help: "Where received records went: written, rejected or dropped, with the reason.",
      labelNames: ["signal", "fate", "reason"],
      registers,
    });
  }

  list(): SignalAccount[] {
    return SIGNALS.map((signal) => structuredClone(this.#accounts[signal]));
  }

  received(signal: Signal, source: string, records: number): void {
    this.#accounts[signal].received += records;
    this.#received.inc({ signal, receiver: source }, records);
  }

  rejected(signal: Signal, reason: string, records: number): void {
    const { rejected } = this.#accounts[signal];
    rejected[reason] = (rejected[reason] ?? 0) + records;
    this.#settled.inc({ signal, fate: "rejected", reason }, records);
  }

  dropped(signal: Signal, { reason, records }: Dropped): void {
    const { dropped } = this.#accounts[signal];
    dropped[reason] = (dropped[reason] ?? 0) + records;
    this.#settled.inc({ signal, fate: "dropped", reason }, records);
  }

  queued(signal: Signal, records: number): void {
    this.#accounts[signal].queued += records;
  }

  /** Takes what was queued out again, to where the outcome says. */
  settled(signal: Signal, records: number, outcome: Outcome): void {
    const account = this.#accounts[signal];
    account.queued -= records;
    if (outcome.status !== "ok") {
      this.rejected(signal, outcome.status === "retry" ? "pushed_back" : "refused", records);
      return;
    }
    if (outcome.dropped) this.dropped(signal, outcome.dropped);
    const written = records - (outcome.dropped?.records ?? 0);
    account.written += written;
    this.#settled.inc({ signal, fate: "written", reason: "" }, written);
  }
}
