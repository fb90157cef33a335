import type { DrillRun, DrillStep } from "@tocsin/model";

/** When each step happens, in milliseconds after the press. */
const BREAK_AT = { injected: 40, seen: 4200, pending: 6100, firing: 11_300, sent: 13_900 } as const;
const UNBREAK_AT = { unbroken: 30, resolved: 9200 } as const;

const DRILLS = [
  {
    name: "sms-outage",
    title: "SMS provider outage",
    description: "Provider alpha refuses four of five messages; the service fails over to beta.",
    service: "sms",
    alert: "SmsProviderOutage",
  },
  {
    name: "gateway-latency",
    title: "Slow gateway",
    description: "Every second answer of the API gateway takes 1.5 s longer.",
    service: "api",
    alert: "GatewayLatencyHigh",
  },
  {
    name: "limiter-misconfigured",
    title: "Rate limiter misconfigured",
    description: "The bucket refills at a tenth of its rate, so that honest callers are turned away.",
    service: "rate-limiter",
    alert: "RateLimiterRejecting",
  },
];

interface State {
  id: string;
  startedMs: number;
  undoneMs?: number;
}

/** Drills that run on the clock: what has happened is worked out from the time of the press. */
export class FakeDrills {
  readonly #states = new Map<string, State>();
  #count = 0;

  list(now: number) {
    return { items: DRILLS.map((drill) => ({ ...drill, run: this.run(drill.name, now) })) };
  }

  start(name: string, now: number): DrillRun | null {
    this.#states.set(name, { id: `run-${++this.#count}`, startedMs: now });
    return this.run(name, now);
  }

  undo(name: string, now: number): DrillRun | null {
    const state = this.#states.get(name);
    if (state !== undefined) this.#states.set(name, { ...state, undoneMs: now });
    return this.run(name, now);
  }

  run(name: string, now: number): DrillRun | null {
    const state = this.#states.get(name);
    if (state === undefined) return null;
    const { startedMs, undoneMs } = state;
    const step = (stepName: DrillStep["name"], from: number | undefined, after: number): DrillStep => {
      const happened = from !== undefined && now >= from + after;
      return {
        name: stepName,
        at: happened ? new Date(from + after).toISOString() : null,
        elapsedMs: happened ? after : null,
        detail: happened ? `${stepName} after ${after} ms` : "",
      };
    };
    const steps = [
      ...entries(BREAK_AT).map(([each, after]) => step(each, startedMs, after)),
      ...entries(UNBREAK_AT).map(([each, after]) => step(each, undoneMs, after)),
    ];
    const is = (each: DrillStep["name"]) => steps.some(({ name: stepName, at }) => stepName === each && at !== null);
    const runState =
      undoneMs === undefined ? (is("sent") ? "sent" : "breaking") : is("resolved") ? "done" : "resolving";
    return {
      id: state.id,
      drill: name,
      state: runState,
      startedAt: new Date(startedMs).toISOString(),
      steps,
      messages: [...(is("sent") ? ["m-4"] : []), ...(is("resolved") ? ["m-1"] : [])],
    };
  }
}

function entries<K extends string>(record: Readonly<Record<K, number>>): [K, number][] {
  return Object.entries(record) as [K, number][];
}
