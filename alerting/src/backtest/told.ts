import type { BacktestMute, BacktestReceiver, DecisionRecord } from "@tocsin/model";
import type { AnyIntegration } from "../notify/integration.ts";
import type { Notification } from "../notify/notification.ts";
import { holds, type TimeInterval } from "../mute/time-interval.ts";

const MAX_TIMES_SHOWN = 1000;
const HOUR = 60;

/** From 22:00 to 07:00 in a time zone. */
const night = (location: string): TimeInterval => ({
  times: [
    { startMinute: 0, endMinute: 7 * HOUR },
    { startMinute: 22 * HOUR, endMinute: 24 * HOUR },
  ],
  weekdays: [],
  daysOfMonth: [],
  months: [],
  years: [],
  location,
});

/** What receivers were told, and what was kept from them. Nothing leaves the process. */
export class Told {
  readonly #night: TimeInterval;
  readonly #receivers = new Map<string, BacktestReceiver>();
  readonly #muted = new Map<string, BacktestMute>();
  /** Fingerprints of what fired when a group was last looked at; what mutes it is said right after. */
  #firing: ReadonlySet<string> = new Set();

  constructor(timeZone: string) {
    this.#night = night(timeZone);
  }

  /** The integrations with notifiers that only write down what they should tell. */
  integrations(integrations: readonly AnyIntegration[]): AnyIntegration[] {
    return integrations.map((integration) => ({
      ...integration,
      create: () => ({
        notify: async (notification) => {
          this.#hear(integration.name, notification);
          return { status: "sent" };
        },
      }),
    }));
  }

  observe(decision: DecisionRecord): void {
    if (decision.kind === "flush") this.#firing = new Set(decision.firing);
    if (decision.kind !== "muted") return;
    const { receiver, reason, by, fingerprints } = decision;
    // Ended alerts are looked at again and again; only what fires is missed by anybody.
    if (!fingerprints.some((fingerprint) => this.#firing.has(fingerprint))) return;
    const key = JSON.stringify([receiver, reason, by]);
    const known = this.#muted.get(key) ?? { receiver, reason, by, flushes: 0 };
    known.flushes++;
    this.#muted.set(key, known);
  }

  receivers(): BacktestReceiver[] {
    return [...this.#receivers.values()].sort((a, b) => b.notifications - a.notifications);
  }

  muted(): BacktestMute[] {
    return [...this.#muted.values()].sort((a, b) => b.flushes - a.flushes);
  }

  #hear(integration: string, { receiver, at, reason }: Notification): void {
    const key = JSON.stringify([receiver, integration]);
    const known = this.#receivers.get(key) ?? {
      receiver,
      integration,
      notifications: 0,
      atNight: 0,
      reasons: {},
      times: [],
    };
    this.#receivers.set(key, known);
    known.notifications++;
    if (holds(this.#night, at)) known.atNight++;
    known.reasons[reason] = (known.reasons[reason] ?? 0) + 1;
    if (known.times.length < MAX_TIMES_SHOWN) known.times.push(new Date(at).toISOString());
  }
}
