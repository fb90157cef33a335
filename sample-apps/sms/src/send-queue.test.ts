import { expect, test } from "vitest";
import { SendQueue } from "./send-queue.ts";

test("runs as many jobs as it may, lets the next wait, and refuses what does not fit", async () => {
  const queue = new SendQueue({ concurrency: 1, capacity: 1 });
  const gate = Promise.withResolvers<string>();
  const running = queue.run(() => gate.promise);
  const waiting = queue.run(async () => "second");
  expect(queue.depth).toBe(1);
  expect(await queue.run(async () => "third")).toEqual({ accepted: false });
  gate.resolve("first");
  expect(await running).toEqual({ accepted: true, value: "first" });
  expect(await waiting).toEqual({ accepted: true, value: "second" });
  expect(queue.depth).toBe(0);
});

test("frees its place when a job fails", async () => {
  const queue = new SendQueue({ concurrency: 1, capacity: 0 });
  await expect(queue.run(async () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await queue.run(async () => "next")).toEqual({ accepted: true, value: "next" });
});
