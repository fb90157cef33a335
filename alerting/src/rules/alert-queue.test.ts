import { expect, test } from "vitest";
import type { PostableAlert } from "@tocsin/model";
import { Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import type { AlertSink } from "../query-source.ts";
import { AlertQueue } from "./alert-queue.ts";
import { createAlertQueueMetrics } from "./rule-metrics.ts";

const alerts = (from: number, to: number): PostableAlert[] =>
  Array.from({ length: to - from }, (_, i) => ({ labels: { alertname: `a${from + i}` } }));

function setUp(sink: AlertSink) {
  const clock = new ManualClock();
  const registry = new Registry();
  const options = { sink, clock, logger: silentLogger, random: () => 0.5, capacity: 10, batchSize: 4, attempts: 3 };
  const queue = new AlertQueue({ ...options, metrics: createAlertQueueMetrics(registry) });
  const metric = async (name: string) => {
    const text = await registry.getSingleMetricAsString(`prometheus_notifications_${name}`);
    return Number(text.trim().split(" ").at(-1));
  };
  return { clock, queue, metric };
}

test("when it is full the oldest are dropped and counted", async () => {
  const got: string[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const { clock, queue, metric } = setUp({
    async send(batch) {
      await gate;
      got.push(...batch.map(({ labels }) => labels["alertname"] ?? ""));
    },
  });
  queue.enqueue(alerts(0, 4));
  queue.enqueue(alerts(4, 17));
  open();
  await clock.advance(0);
  expect(got).toEqual(["a0", "a1", "a2", "a3", ...alerts(7, 17).map(({ labels }) => labels["alertname"])]);
  expect([await metric("dropped_total"), await metric("sent_total"), await metric("queue_length")]).toEqual([3, 14, 0]);
  await queue.stop();
});

test("a batch that fails for good is dropped and counted, the next one goes on", async () => {
  let calls = 0;
  const { clock, queue, metric } = setUp({
    async send() {
      if (++calls <= 3) throw new Error("away");
    },
  });
  queue.enqueue(alerts(0, 5));
  await clock.advance(60_000);
  expect([await metric("errors_total"), await metric("dropped_total"), await metric("sent_total")]).toEqual([3, 4, 1]);
  await queue.stop();
});

test("stop sends what is queued, but does not wait for a sink that hangs", async () => {
  const { clock, queue, metric } = setUp({ send: () => new Promise(() => undefined) });
  queue.enqueue(alerts(0, 6));
  let stopped = false;
  const stopping = queue.stop().then(() => (stopped = true));
  await clock.advance(2999);
  expect(stopped).toBe(false);
  await clock.advance(1);
  await stopping;
  expect([await metric("dropped_total"), clock.pending]).toEqual([6, 0]);
});
