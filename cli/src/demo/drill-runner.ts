import { randomUUID } from "node:crypto";
import type { DecisionRecord, DrillList, DrillRun, DrillStep, InboxItem } from "@tocsin/model";
import { errorMessage, every, TocsinError, type Clock, type Logger } from "@tocsin/platform";
import { DRILLS, type DrillSpec } from "./drills.ts";

const STEPS: DrillStep["name"][] = ["injected", "seen", "pending", "firing", "sent", "unbroken", "resolved"];
const LOOK_EVERY_MS = 500;
const GIVE_UP_MS = 180_000;

export interface DrillRunnerOptions {
  clock: Clock;
  logger: Logger;
  setFault: (service: string, fault: string, active: boolean) => Promise<void>;
  /** Whether an instant query has any result now. */
  hasResult: (expr: string) => Promise<boolean>;
  /** Names of the alerts that fire now for a service. */
  isFiring: (alert: string, service: string) => boolean;
  onChange: (run: DrillRun) => void;
}

interface ActiveRun {
  spec: DrillSpec;
  run: DrillRun;
  /** The run's clock starts here; moved when the fault is undone. */
  originMs: number;
  kinds: Set<InboxItem["kind"]>;
}

/** Breaks sample services on purpose and follows what comes of it, from the fault to the message in the inbox. */
export class DrillRunner {
  readonly #options: DrillRunnerOptions;
  readonly #runs = new Map<string, ActiveRun>();
  readonly #timer: Disposable;

  constructor(options: DrillRunnerOptions) {
    this.#options = options;
    this.#timer = every(
      options.clock,
      LOOK_EVERY_MS,
      () => this.#look(),
      (error) => options.logger.warn({ err: error }, "drill cannot look at the samples"),
    );
  }

  list(): DrillList {
    return {
      items: DRILLS.map(({ name, title, description, service, alert }) => ({
        name,
        title,
        description,
        service,
        alert,
        run: this.#runs.get(name)?.run ?? null,
      })),
    };
  }

  get(name: string): DrillRun {
    const active = this.#runs.get(find(name).name);
    if (!active) throw new TocsinError("TOCSIN_NOT_FOUND", `the drill ${name} has not run yet`);
    return active.run;
  }

  /** Injects the fault. Throws TOCSIN_CONFLICT while the drill runs or its alert still fires. */
  async break(name: string): Promise<DrillRun> {
    const spec = find(name);
    const { clock, setFault, isFiring } = this.#options;
    const last = this.#runs.get(name)?.run.state;
    if (last === "breaking" || last === "sent" || last === "resolving") {
      throw new TocsinError("TOCSIN_CONFLICT", `the drill ${name} is under way; undo it first`);
    }
    if (isFiring(spec.alert, spec.service)) {
      throw new TocsinError(
        "TOCSIN_CONFLICT",
        `${spec.alert} fires for ${spec.service} already; wait until it is resolved`,
      );
    }
    const originMs = clock.now();
    const run: DrillRun = {
      id: randomUUID(),
      drill: name,
      state: "breaking",
      startedAt: new Date(originMs).toISOString(),
      steps: STEPS.map((step) => ({ name: step, at: null, elapsedMs: null, detail: "" })),
      messages: [],
    };
    const active: ActiveRun = { spec, run, originMs, kinds: new Set() };
    this.#runs.set(name, active);
    try {
      await setFault(spec.service, spec.fault, true);
    } catch (error) {
      this.#fail(active, errorMessage(error));
      throw error;
    }
    this.#reach(active, "injected", `${spec.service}: ${spec.fault}`);
    return run;
  }

  /** Takes the fault back; the resolved message is what remains to be seen. */
  async unbreak(name: string): Promise<DrillRun> {
    const spec = find(name);
    const active = this.#runs.get(name);
    await this.#options.setFault(spec.service, spec.fault, false);
    if (!active) throw new TocsinError("TOCSIN_NOT_FOUND", `the drill ${name} has not run yet`);
    if (active.run.state !== "breaking" && active.run.state !== "sent") return active.run;
    // Another evaluator than ours, a Prometheus, is seen only by its messages.
    const fired = reached(active, "firing") || reached(active, "sent");
    active.originMs = this.#options.clock.now();
    active.kinds.clear();
    active.run.state = fired ? "resolving" : "done";
    this.#reach(active, "unbroken", fired ? "" : "taken back before the alert fired");
    return active.run;
  }

  /** Feeds in what the rules decided. */
  observeDecision(decision: DecisionRecord): void {
    if (decision.kind !== "evaluation") return;
    for (const active of this.#runs.values()) {
      if (active.run.state !== "breaking" || !concerns(active.spec, decision.labels)) continue;
      const detail = `value ${decision.value ?? "unknown"}`;
      if (decision.to !== "inactive") this.#reach(active, "seen", detail);
      if (decision.to === "pending" || decision.to === "firing") this.#reach(active, "pending", detail);
      if (decision.to === "firing") this.#reach(active, "firing", detail);
    }
  }

  /** Feeds in what reached the inbox. A run needs both the mail and the webhook. */
  observeMessage(item: InboxItem): void {
    for (const active of this.#runs.values()) {
      const { state } = active.run;
      const status = messageStatus(item, active.spec);
      const awaited =
        (state === "breaking" && status === "firing" && reached(active, "injected")) ||
        (state === "resolving" && status === "resolved");
      if (!awaited || active.kinds.has(item.kind)) continue;
      active.kinds.add(item.kind);
      active.run.messages.push(item.id);
      if (active.kinds.size < 2) {
        this.#options.onChange(active.run);
        continue;
      }
      active.run.state = state === "breaking" ? "sent" : "done";
      this.#reach(active, state === "breaking" ? "sent" : "resolved", item.subject);
    }
  }

  stop(): void {
    this.#timer[Symbol.dispose]();
  }

  async #look(): Promise<void> {
    for (const active of this.#runs.values()) {
      const { state } = active.run;
      if (state !== "breaking" && state !== "resolving") continue;
      if (this.#options.clock.now() - active.originMs > GIVE_UP_MS) {
        this.#fail(
          active,
          `no ${state === "breaking" ? "alert" : "resolved"} message in the inbox after ${GIVE_UP_MS / 1000} s`,
        );
      } else if (
        state === "breaking" &&
        !reached(active, "seen") &&
        (await this.#options.hasResult(active.spec.seen))
      ) {
        this.#reach(active, "seen", active.spec.seen);
      }
    }
  }

  #reach(active: ActiveRun, name: DrillStep["name"], detail: string): void {
    const step = active.run.steps.find((candidate) => candidate.name === name);
    if (!step || step.at !== null) return;
    const now = this.#options.clock.now();
    step.at = new Date(now).toISOString();
    step.elapsedMs = now - active.originMs;
    step.detail = detail;
    this.#options.onChange(active.run);
  }

  #fail(active: ActiveRun, error: string): void {
    active.run.state = "failed";
    active.run.error = error;
    this.#options.onChange(active.run);
  }
}

function find(name: string): DrillSpec {
  const spec = DRILLS.find((candidate) => candidate.name === name);
  if (spec) return spec;
  const known = DRILLS.map((drill) => drill.name).join(", ");
  throw new TocsinError("TOCSIN_NOT_FOUND", `there is no drill ${name}; there are ${known}`);
}

function reached(active: ActiveRun, name: DrillStep["name"]): boolean {
  return active.run.steps.some((step) => step.name === name && step.at !== null);
}

/** Whether an alert's labels are those of the drill's alert. */
export function concerns(spec: Pick<DrillSpec, "alert" | "service">, labels: Record<string, string>): boolean {
  return labels["alertname"] === spec.alert && (labels["service"] ?? labels["job"]) === spec.service;
}

/** What a message says of the drill's alert; undefined when it is about something else. */
function messageStatus(item: InboxItem, spec: DrillSpec): "firing" | "resolved" | undefined {
  if (item.kind === "email") {
    if (!item.subject.includes(spec.alert) || !item.subject.includes(spec.service)) return undefined;
    return item.subject.startsWith("[RESOLVED") ? "resolved" : "firing";
  }
  const payload = JSON.parse(item.body) as {
    alerts?: { status: "firing" | "resolved"; labels: Record<string, string> }[];
  };
  const own = (payload.alerts ?? []).filter((alert) => concerns(spec, alert.labels));
  if (own.length === 0) return undefined;
  return own.every((alert) => alert.status === "resolved") ? "resolved" : "firing";
}
