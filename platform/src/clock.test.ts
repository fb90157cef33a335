import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { every, sleep, systemClock } from "./clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a timer fires once after its delay, also past the reach of setTimeout", () => {
  const fired: number[] = [];
  const start = systemClock.now();
  const month = 31 * 86_400_000;
  systemClock.schedule(month, () => fired.push(systemClock.now() - start));
  vi.advanceTimersByTime(month - 1);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(fired).toEqual([month]);
});

test("a disposed timer does not fire", () => {
  const fn = vi.fn();
  systemClock.schedule(10, fn)[Symbol.dispose]();
  vi.advanceTimersByTime(20);
  expect(fn).not.toHaveBeenCalled();
});

test("sleep ends with the signal's reason when aborted", async () => {
  const abort = new AbortController();
  const slept = sleep(systemClock, 1000, abort.signal);
  abort.abort(new Error("enough"));
  await expect(slept).rejects.toThrow("enough");
});

test("a repeated task never overlaps itself, survives an error and stops", async () => {
  let running = 0;
  let peak = 0;
  let runs = 0;
  const errors: unknown[] = [];
  const repeating = every(
    systemClock,
    100,
    async () => {
      peak = Math.max(peak, ++running);
      runs++;
      await sleep(systemClock, 250).finally(() => running--);
      if (runs === 1) throw new Error("first");
    },
    (error) => errors.push(error),
  );
  await vi.advanceTimersByTimeAsync(1100);
  expect({ peak, runs, errors: errors.map(String) }).toEqual({ peak: 1, runs: 3, errors: ["Error: first"] });
  repeating[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(2000);
  expect(runs).toBe(3);
});
