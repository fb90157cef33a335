import type { DrillRun, DrillStep } from "@tocsin/model";

export type StepStatus = "done" | "running" | "waiting";

const BREAKING: readonly DrillStep["name"][] = ["injected", "seen", "pending", "firing", "sent"];
const RESOLVING: readonly DrillStep["name"][] = ["unbroken", "resolved"];

/**
 * The steps to show: those up to the message, and after the undoing also the way back. The first step without a time is
 * the one being waited for while the run is under way.
 */
export function stepsOf(run: DrillRun): (DrillStep & { status: StepStatus })[] {
  const undone = run.state === "resolving" || run.state === "done" || reached(run, "unbroken");
  const names = undone ? [...BREAKING, ...RESOLVING] : BREAKING;
  const steps = names.map(
    (name) => run.steps.find((step) => step.name === name) ?? { name, at: null, elapsedMs: null, detail: "" },
  );
  const awaited = run.state === "breaking" ? BREAKING : run.state === "resolving" ? RESOLVING : [];
  const next = steps.find(({ name, at }) => at === null && awaited.includes(name));
  return steps.map((step) => ({
    ...step,
    status: step.at !== null ? "done" : step === next ? "running" : "waiting",
  }));
}

/** Unix milliseconds from which the running step's clock counts: the injection, or the undoing. */
export function timerStart(run: DrillRun): number {
  const from = run.state === "resolving" ? "unbroken" : "injected";
  return Date.parse(run.steps.find(({ name }) => name === from)?.at ?? run.startedAt);
}

function reached(run: DrillRun, name: DrillStep["name"]): boolean {
  return run.steps.some((step) => step.name === name && step.at !== null);
}
