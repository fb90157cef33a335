import type { DrillRun } from "@tocsin/model";
import { expect, test } from "vitest";
import { stepsOf, timerStart } from "./drill-steps.ts";

const START = Date.parse("2026-11-21T12:00:00.000Z");

function run(state: DrillRun["state"], ...happened: [DrillRun["steps"][number]["name"], number][]): DrillRun {
  return {
    id: "r",
    drill: "sms-outage",
    state,
    startedAt: new Date(START).toISOString(),
    steps: happened.map(([name, ms]) => ({ name, at: new Date(START + ms).toISOString(), elapsedMs: ms, detail: "" })),
    messages: [],
  };
}

const shown = (of: DrillRun) => stepsOf(of).map(({ name, status }) => `${name} ${status}`);

test("while breaking, the first step that has not happened is the one being waited for", () => {
  expect(shown(run("breaking", ["injected", 0], ["seen", 4000]))).toEqual([
    "injected done",
    "seen done",
    "pending running",
    "firing waiting",
    "sent waiting",
  ]);
});

test("a step that was passed over does not stop the ones after it", () => {
  expect(shown(run("sent", ["injected", 0], ["seen", 1], ["firing", 2], ["sent", 3]))).toEqual([
    "injected done",
    "seen done",
    "pending waiting",
    "firing done",
    "sent done",
  ]);
});

test("after the undoing the way back is shown, with its own clock", () => {
  const resolving = run(
    "resolving",
    ["injected", 0],
    ["seen", 1],
    ["pending", 2],
    ["firing", 3],
    ["sent", 4],
    ["unbroken", 60_000],
  );
  expect(shown(resolving).slice(5)).toEqual(["unbroken done", "resolved running"]);
  expect(timerStart(resolving)).toBe(START + 60_000);
  expect(timerStart(run("breaking", ["injected", 40]))).toBe(START + 40);
});

test("a failed run waits for nothing", () => {
  expect(shown(run("failed", ["injected", 0])).filter((each) => each.endsWith("running"))).toEqual([]);
});
