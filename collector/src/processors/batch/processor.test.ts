import { createSelfMetrics } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { decodeLogs, type Batch } from "@tocsin/model";
import { expect, test } from "vitest";
import type { Outcome } from "../../component.ts";
import { Payload } from "../../payload.ts";
import { log, requests } from "../../testing/records.ts";
import { BatchConfig } from "./config.ts";
import { batch } from "./processor.ts";

function setUp(config: object = {}, outcome: Outcome | Promise<Outcome> = { status: "ok" }) {
  const clock = new ManualClock();
  const sent: Payload[] = [];
  const next = {
    async consume(payload: Payload) {
      sent.push(payload);
      return outcome;
    },
  };
  const deps = { clock, logger: silentLogger, registry: createSelfMetrics("test") };
  const processor = batch.create(BatchConfig.parse(config), deps, next);
  const bodies = () => sent.map(({ bytes }) => decodeLogs(bytes).map(({ body }) => body));
  return { clock, sent, processor, bodies };
}

const logs = (service: string, ...bodies: string[]) => {
  const resource = { attributes: { "service.name": service } };
  const records: Batch = { signal: "logs", records: bodies.map((body) => log(body, { resource })) };
  return Payload.ofBatch(records);
};

test("joins what comes within the timeout, by service, and answers every sender with the batch's outcome", async () => {
  const { clock, sent, processor, bodies } = setUp(
    { timeout: "200ms" },
    { status: "retry", afterMs: 9, error: "full" },
  );
  const outcomes = Promise.all([
    processor.consume(logs("a", "1")),
    processor.consume(logs("b", "2")),
    processor.consume(logs("a", "3", "4")),
  ]);
  await clock.advance(199);
  expect(sent).toEqual([]);
  await clock.advance(1);
  expect(bodies()).toEqual([["1", "3", "4"], ["2"]]);
  expect(sent.map(({ records, service }) => [records, service])).toEqual([
    [3, "a"],
    [1, "b"],
  ]);
  expect(await outcomes).toEqual(Array.from({ length: 3 }, () => ({ status: "retry", afterMs: 9, error: "full" })));
});

test("does not join signals", async () => {
  const { clock, sent, processor } = setUp();
  void processor.consume(Payload.ofBytes("logs", requests.logs, { records: 1, service: "sms" }));
  void processor.consume(Payload.ofBytes("traces", requests.traces, { records: 1, service: "sms" }));
  await clock.advance(200);
  expect(sent.map(({ signal }) => signal)).toEqual(["logs", "traces"]);
});

test("goes on at once when the batch is full, by records or by bytes", async () => {
  const byRecords = setUp({ send_batch_size: 3 });
  void byRecords.processor.consume(logs("a", "1", "2"));
  await byRecords.processor.consume(logs("a", "3"));
  expect(byRecords.bodies()).toEqual([["1", "2", "3"]]);
  expect(byRecords.clock.pending).toBe(0);

  const byBytes = setUp({ send_batch_bytes: 1000 });
  void byBytes.processor.consume(logs("a", "x".repeat(500)));
  await byBytes.processor.consume(logs("a", "y".repeat(500)));
  expect(byBytes.sent.map(({ records }) => records)).toEqual([2]);
});

test("passes on what is large already, untouched", async () => {
  const { sent, processor } = setUp({ send_batch_size: 2 });
  const large = logs("a", "1", "2");
  await processor.consume(large);
  expect(sent[0]).toBe(large);
});

test("on stop sends what waits and waits for the answer", async () => {
  const held = Promise.withResolvers<Outcome>();
  const { clock, processor, bodies } = setUp({}, held.promise);
  const waiting = processor.consume(logs("a", "1"));
  let stopped = false;
  const stopping = processor.stop().then(() => (stopped = true));
  await clock.advance(0);
  expect([bodies(), stopped, clock.pending]).toEqual([[["1"]], false, 0]);
  held.resolve({ status: "ok" });
  await stopping;
  expect(await waiting).toEqual({ status: "ok" });
});
