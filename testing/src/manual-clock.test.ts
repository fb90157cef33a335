import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";

test("runs due timers in order of time, then of scheduling, each at its own time", async () => {
  const clock = new ManualClock(1000);
  const log: string[] = [];
  const note = (name: string) => () => log.push(`${name}@${clock.now()}`);
  clock.schedule(20, note("b"));
  clock.schedule(10, note("a"));
  clock.schedule(20, note("c"));
  clock.schedule(30, note("late"));
  await clock.advance(20);
  expect(log).toEqual(["a@1010", "b@1020", "c@1020"]);
  expect([clock.now(), clock.pending]).toEqual([1020, 1]);
});

test("a timer set by a timer or by a settled promise runs in the same advance", async () => {
  const clock = new ManualClock();
  const log: number[] = [];
  clock.schedule(10, () => {
    void Promise.resolve().then(() => clock.schedule(10, () => log.push(clock.now())));
  });
  await clock.advance(100);
  expect(log).toEqual([20]);
});

test("a disposed timer does not run", async () => {
  const clock = new ManualClock();
  const log: number[] = [];
  clock.schedule(10, () => log.push(1))[Symbol.dispose]();
  await clock.advance(20);
  expect(log).toEqual([]);
});
