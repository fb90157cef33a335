import { expect, test } from "vitest";
import { QueryLanes } from "./query-lanes.ts";

const never = new AbortController().signal;
const lanes = (options = {}) => new QueryLanes({ maxConcurrency: 1, maxQueued: 1, now: () => 0, ...options });

/** A task that runs until it is told to end. */
function task() {
  const end = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const run = async () => {
    begun.resolve();
    await end.promise;
    return "done";
  };
  return { run, begun: begun.promise, end: end.resolve };
}

test("one more query than there is room for waits until another ends", async () => {
  const subject = lanes();
  const [first, second] = [task(), task()];
  const a = subject.run("api", never, first.run);
  const b = subject.run("api", never, second.run);
  await first.begun;
  expect([subject.running, subject.queued]).toEqual([1, 1]);
  first.end();
  expect(await a).toBe("done");
  await second.begun;
  second.end();
  expect(await b).toBe("done");
  expect([subject.running, subject.queued]).toEqual([0, 0]);
});

test("when too many wait, another is refused at once", async () => {
  const subject = lanes();
  const first = task();
  const running = [subject.run("api", never, first.run), subject.run("api", never, async () => "second")];
  await expect(subject.run("api", never, async () => "third")).rejects.toThrow("too many queries are waiting");
  first.end();
  expect(await Promise.all(running)).toEqual(["done", "second"]);
});

test("a query that is aborted while it waits leaves the queue", async () => {
  const subject = lanes();
  const first = task();
  const running = subject.run("api", never, first.run);
  const controller = new AbortController();
  const waiting = subject.run("api", controller.signal, async () => "second");
  controller.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  expect(subject.queued).toBe(0);
  first.end();
  await running;
});

test("rules don't wait for dashboards, and paused dashboards wait for rules", async () => {
  const subject = lanes();
  const [dashboard, rule] = [task(), task()];
  const a = subject.run("api", never, dashboard.run);
  expect(subject.turnOf("api")).toBeUndefined();
  const b = subject.run("rules", never, rule.run);
  await rule.begun;
  expect(subject.turnOf("rules")).toBeUndefined();
  const turn = subject.turnOf("api");
  expect(turn).toBeDefined();
  rule.end();
  await turn;
  expect(subject.turnOf("api")).toBeUndefined();
  dashboard.end();
  expect(await Promise.all([a, b])).toEqual(["done", "done"]);
});

test("a failing query frees its place", async () => {
  const subject = lanes();
  await expect(subject.run("api", never, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await subject.run("api", never, async () => "next")).toBe("next");
});
