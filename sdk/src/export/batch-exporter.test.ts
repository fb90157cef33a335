import { ManualClock } from "@tocsin/testing";
import { expect, test } from "vitest";
import { BatchExporter, type BatchExporterOptions } from "./batch-exporter.ts";
import type { ExportResult } from "./result.ts";

const OK: ExportResult = { status: "ok", rejected: 0, reason: "" };
const AWAY: ExportResult = { status: "retry", error: "connect ECONNREFUSED" };

/** An exporter of numbers whose batches are encoded as bytes, and a log of what happened to them. */
function exporter(
  answers: ExportResult[] | (() => Promise<ExportResult>),
  options: Partial<BatchExporterOptions<number>> = {},
) {
  const clock = new ManualClock(1_000_000);
  const sent: { at: number; batch: number[] }[] = [];
  const events: string[] = [];
  const batches = new BatchExporter<number>({
    maxQueueSize: 6,
    maxBatchSize: 3,
    delayMs: 1000,
    encode: (records) => Uint8Array.from(records),
    send: async (body) => {
      sent.push({ at: clock.now() - 1_000_000, batch: [...body] });
      return typeof answers === "function" ? answers() : (answers.shift() ?? OK);
    },
    observer: {
      exported: (records) => events.push(`exported ${records}`),
      failed: (error) => events.push(`failed ${error}`),
      dropped: (records, reason) => events.push(`dropped ${records} ${reason}`),
    },
    clock,
    random: () => 0.5,
    ...options,
  });
  const push = (...numbers: number[]): void => numbers.forEach((number) => batches.push(number));
  return { batches, clock, sent, events, push };
}

test("waits the delay for a partial batch, and sends a full one at once", async () => {
  const { clock, sent, push } = exporter([]);
  push(1, 2);
  await clock.advance(999);
  expect(sent).toEqual([]);
  await clock.advance(1);
  push(3, 4, 5);
  await clock.advance(0);
  expect(sent).toEqual([
    { at: 1000, batch: [1, 2] },
    { at: 1000, batch: [3, 4, 5] },
  ]);
});

test("backs off exponentially while the collector is away, then delivers what it kept", async () => {
  const { clock, sent, events, push } = exporter([AWAY, AWAY, AWAY]);
  push(1, 2, 3);
  await clock.advance(60_000);
  expect(sent.map(({ at }) => at)).toEqual([0, 1000, 3000, 7000]);
  expect(events.at(-1)).toBe("exported 3");
});

test("waits as long as the collector asks with Retry-After", async () => {
  const { clock, sent, push } = exporter([{ status: "retry", afterMs: 17_000, error: "HTTP 429" }]);
  push(1, 2, 3);
  await clock.advance(30_000);
  expect(sent.map(({ at }) => at)).toEqual([0, 17_000]);
});

test("keeps quiet for a long Retry-After although it gives the batch up", async () => {
  const { clock, sent, events, push } = exporter([{ status: "retry", afterMs: 90_000, error: "HTTP 503" }]);
  push(1, 2, 3, 4);
  await clock.advance(89_999);
  expect(sent).toHaveLength(1);
  await clock.advance(2000);
  expect(events).toContain("dropped 3 retries_exhausted");
  expect(sent.at(-1)?.batch).toEqual([4]);
});

test("gives a batch up after a minute without an answer", async () => {
  const { clock, events, push } = exporter(async () => AWAY);
  push(1, 2, 3);
  await clock.advance(58_000);
  expect(events).not.toContain("dropped 3 retries_exhausted");
  await clock.advance(35_000);
  expect(events).toContain("dropped 3 retries_exhausted");
});

test("drops the oldest records, counted, when the queue is full", async () => {
  const { batches, clock, sent, events, push } = exporter([AWAY]);
  push(1, 2, 3);
  await clock.advance(0);
  push(4, 5, 6, 7, 8, 9);
  expect(batches.queued).toBe(6);
  push(10);
  expect(events).toContain("dropped 3 queue_full");
  await clock.advance(5000);
  expect(sent.map(({ batch }) => batch)).toEqual([[1, 2, 3], [1, 2, 3], [7, 8, 9], [10]]);
});

test("does not repeat what the collector refuses for good, and counts it as rejected", async () => {
  const { clock, sent, events, push } = exporter([{ status: "permanent", error: "HTTP 400" }]);
  push(1, 2, 3);
  await clock.advance(10_000);
  expect(sent).toHaveLength(1);
  expect(events).toEqual(["failed HTTP 400", "dropped 3 rejected"]);
});

test("halves a batch that is too large until it passes, and drops a record that is too large by itself", async () => {
  const tooLarge: ExportResult = { status: "too_large", error: "HTTP 413" };
  const { clock, sent, events, push } = exporter([tooLarge, OK, tooLarge, OK]);
  push(1, 2, 3);
  await clock.advance(0);
  expect(sent.map(({ batch }) => batch)).toEqual([[1, 2, 3], [1, 2], [3]]);
  expect(events.filter((event) => !event.startsWith("failed"))).toEqual(["exported 2", "dropped 1 rejected"]);
});

test("counts what a partial success has rejected", async () => {
  const { clock, events, push } = exporter([{ status: "ok", rejected: 1, reason: "too old" }]);
  push(1, 2, 3);
  await clock.advance(0);
  expect(events).toEqual(["failed 1 of 3 records rejected: too old", "dropped 1 rejected", "exported 2"]);
});

test("drops a batch that cannot be encoded and goes on with the next", async () => {
  const { clock, events, push } = exporter([], {
    encode(records) {
      if (records.includes(2)) throw new Error("bad record");
      return Uint8Array.from(records);
    },
  });
  push(1, 2, 3, 4);
  await clock.advance(1000);
  expect(events).toEqual(["failed cannot encode: bad record", "dropped 3 encoding", "exported 1"]);
});

test("flushes a batch that waits for a retry with one more try, and everything behind it", async () => {
  const { batches, clock, sent, events, push } = exporter([AWAY]);
  push(1, 2, 3);
  await clock.advance(100);
  push(4);
  await batches.flush(2000);
  expect(sent.map(({ at, batch }) => [at, batch])).toEqual([
    [0, [1, 2, 3]],
    [100, [1, 2, 3]],
    [100, [4]],
  ]);
  expect(events.filter((event) => event.startsWith("exported"))).toEqual(["exported 3", "exported 1"]);
});

test("ends a flush after its time when the collector does not answer", async () => {
  const { batches, clock, push } = exporter(() => new Promise(() => {}));
  push(1);
  let ended = false;
  void batches.flush(2000).then(() => (ended = true));
  await clock.advance(1999);
  expect(ended).toBe(false);
  await clock.advance(1);
  expect(ended).toBe(true);
});

test("leaves no timer behind when it stops, and counts what comes after as dropped", async () => {
  const { batches, clock, sent, events, push } = exporter([]);
  push(1);
  await batches.stop(1000);
  push(2);
  expect(clock.pending).toBe(0);
  expect(sent).toHaveLength(1);
  expect(events).toEqual(["exported 1", "dropped 1 shutdown"]);
});
