import { createSelfMetrics } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { expect, test } from "vitest";
import { Payload } from "../payload.ts";
import { SendingQueue, type Push, type PushResult, type SendingQueueOptions } from "./sending-queue.ts";

function setUp(push: Push, options: Partial<SendingQueueOptions> = {}) {
  const clock = new ManualClock();
  const registry = createSelfMetrics("test");
  const queue = new SendingQueue({
    name: "tee",
    push,
    maxBytes: 100,
    consumers: 1,
    timeoutMs: 1000,
    maxElapsedMs: 10_000,
    drainMs: 2000,
    clock,
    logger: silentLogger,
    registry,
    random: () => 0.5,
    ...options,
  });
  const dropped = async () => {
    const metric = await registry.getSingleMetric("tocsin_collector_tee_dropped_records_total")?.get();
    return Object.fromEntries(metric?.values.map(({ labels, value }) => [labels["reason"], value]) ?? []) as Record<
      string,
      number
    >;
  };
  return { clock, queue, dropped };
}

const payload = (bytes: number, records = 1) =>
  Payload.ofBytes("logs", new Uint8Array(bytes), { records, service: "" });
const ok: PushResult = { status: "ok" };

test("sends in order, as many at one time as it may", async () => {
  const sent: number[] = [];
  const finish: (() => void)[] = [];
  const push: Push = ({ records }) => {
    sent.push(records);
    return new Promise((resolve) => finish.push(() => resolve(ok)));
  };
  const { queue, clock } = setUp(push, { consumers: 2 });
  for (const records of [1, 2, 3]) queue.offer(payload(10, records));
  await clock.advance(0);
  expect(sent).toEqual([1, 2]);
  finish[0]?.();
  await clock.advance(0);
  expect(sent).toEqual([1, 2, 3]);
});

test("drops and counts what does not fit, and has room again when something has gone", async () => {
  const held = Promise.withResolvers<PushResult>();
  const { queue, clock, dropped } = setUp(() => held.promise);
  expect([queue.offer(payload(60)), queue.offer(payload(41, 5)), queue.offer(payload(40))]).toEqual([
    true,
    false,
    true,
  ]);
  expect(await dropped()).toEqual({ queue_full: 5 });
  held.resolve(ok);
  await clock.advance(0);
  expect(queue.offer(payload(100))).toBe(true);
});

test("tries again with growing pauses, or the pause it is told, until the time is up", async () => {
  const at: number[] = [];
  const clock = new ManualClock();
  const push: Push = async () => {
    at.push(clock.now());
    return at.length === 2 ? { status: "retry", afterMs: 4000, error: "busy" } : { status: "retry", error: "away" };
  };
  const { queue, dropped } = setUp(push, { clock });
  queue.offer(payload(10, 3));
  await clock.advance(60_000);
  // Pauses of 1 s, 4 s as told, then 2.25 s; the next, 3.375 s, would end after ten seconds.
  expect(at).toEqual([0, 1000, 5000, 7250]);
  expect(await dropped()).toEqual({ retries_exhausted: 3 });
});

test("does not try again what is refused for good", async () => {
  let pushes = 0;
  const { queue, clock, dropped } = setUp(async () => {
    pushes++;
    return { status: "permanent", error: "bad request" };
  });
  queue.offer(payload(10, 2));
  await clock.advance(60_000);
  expect([pushes, await dropped()]).toEqual([1, { refused: 2 }]);
});

test("ends a push that takes too long", async () => {
  const reasons: unknown[] = [];
  const { queue, clock } = setUp(
    (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          reasons.push((signal.reason as Error).message);
          resolve(ok);
        });
      }),
  );
  queue.offer(payload(10));
  await clock.advance(1000);
  expect(reasons).toEqual(["no answer within 1000 ms"]);
});

test("on stop goes on for the drain time, then drops what is left", async () => {
  const { queue, clock, dropped } = setUp(async () => ({ status: "retry", error: "away" }));
  queue.offer(payload(10, 1));
  queue.offer(payload(10, 2));
  const stopping = queue.stop();
  expect(queue.offer(payload(10, 4))).toBe(false);
  await clock.advance(2000);
  await stopping;
  expect(await dropped()).toEqual({ stopped: 7 });
  expect(clock.pending).toBe(0);
});

test("on stop waits for what is sent in time", async () => {
  const { queue, clock, dropped } = setUp(async () => ok);
  queue.offer(payload(10));
  await queue.stop();
  expect([clock.pending, await dropped()]).toEqual([0, {}]);
});
