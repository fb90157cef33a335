import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Driver } from "./driver.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const options = {
  rhythm: { baseRps: 10, swing: 0, peakHour: 12 },
  // The median gap: 69 ms at 10/s.
  random: () => 0.5,
  now: () => new Date(0),
};

test("starts visits at the rhythm's rate until it is stopped", async () => {
  const driver = new Driver({ ...options, maxConcurrent: 5, visit: async () => {} });
  driver.start();
  await vi.advanceTimersByTimeAsync(700);
  expect(driver.counts).toEqual({ started: 10, failed: 0, leftOut: 0 });
  driver.stop();
  expect(vi.getTimerCount()).toBe(0);
});

test("leaves visits out rather than piling them up, and counts those that fail", async () => {
  const fails: (() => void)[] = [];
  const visit = () => new Promise<void>((_, reject) => fails.push(() => reject(new Error("away"))));
  const driver = new Driver({ ...options, maxConcurrent: 2, visit });
  driver.start();
  await vi.advanceTimersByTimeAsync(350);
  expect(driver.counts).toEqual({ started: 2, failed: 0, leftOut: 3 });
  for (const fail of fails.splice(0)) fail();
  await vi.advanceTimersByTimeAsync(70);
  expect(driver.counts).toEqual({ started: 3, failed: 2, leftOut: 3 });
  driver.stop();
});
