import { ManualClock } from "@tocsin/testing";
import { expect, test } from "vitest";
import type { KafkaRecord } from "./driver.ts";
import { handleBatch, type HandleBatchOptions } from "./handle-batch.ts";

const record = (offset: number): KafkaRecord => ({
  offset: BigInt(offset),
  key: "",
  value: new Uint8Array(),
  headers: {},
});

/** A batch with offsets 10, 11, … whose handlers end when told to. */
function setUp(count: number, options: Partial<HandleBatchOptions> = {}) {
  const clock = new ManualClock(0);
  const started: number[] = [];
  const commits: number[] = [];
  const abort = new AbortController();
  const open = new Map<number, { finish: () => void; fail: (error: Error) => void; held: (isHeld: boolean) => void }>();
  const running = handleBatch(
    {
      partition: 0,
      records: Array.from({ length: count }, (_, i) => record(10 + i)),
      signal: abort.signal,
      commit: async (offset) => void commits.push(Number(offset)),
    },
    {
      concurrency: 3,
      commitIntervalMs: 1000,
      commitRecords: 100,
      clock,
      handle: ({ offset }, _signal, held) => {
        started.push(Number(offset));
        return new Promise((resolve, reject) => open.set(Number(offset), { finish: resolve, fail: reject, held }));
      },
      ...options,
    },
  );
  running.catch(() => {});
  const finish = async (...offsets: number[]) => {
    for (const offset of offsets) open.get(offset)?.finish();
    await clock.advance(0);
  };
  return { clock, started, commits, abort, open, running, finish };
}

test("hands over in order, a few at a time, and commits the whole batch at its end", async () => {
  const { started, commits, finish, running, clock } = setUp(5);
  await clock.advance(0);
  expect(started).toEqual([10, 11, 12]);
  await finish(11);
  expect(started).toEqual([10, 11, 12, 13]);
  await finish(10, 12, 13);
  await finish(14);
  await running;
  expect(commits).toEqual([15]);
});

test("commits a long batch as it goes, only up to the first that is not handled", async () => {
  const { commits, finish, running, clock } = setUp(8);
  await clock.advance(0);
  await clock.advance(1500);
  await finish(10, 12);
  expect(commits).toEqual([11]);
  await clock.advance(1500);
  await finish(13);
  expect(commits).toEqual([11]);
  await finish(11);
  await finish(14, 15, 16, 17);
  await finish(16, 17);
  await running;
  expect(commits.at(-1)).toBe(18);
});

test("commits a long batch after so many records", async () => {
  const { commits, finish, running, clock } = setUp(7, { commitRecords: 2 });
  await clock.advance(0);
  await finish(10, 11);
  expect(commits).toEqual([12]);
  for (const offset of [12, 13, 14, 15, 16]) await finish(offset);
  await running;
  expect(commits).toEqual([12, 14, 17]);
});

test("hands nothing more over while a record is held", async () => {
  const { started, open, finish, clock } = setUp(5, { concurrency: 2 });
  await clock.advance(0);
  open.get(10)?.held(true);
  await finish(11);
  expect(started).toEqual([10, 11]);
  open.get(10)?.held(false);
  await finish(10);
  expect(started).toEqual([10, 11, 12, 13]);
});

test("ends when it is aborted, with what was handled committed", async () => {
  const { started, commits, abort, open, finish, running, clock } = setUp(9);
  await clock.advance(0);
  await finish(10);
  abort.abort(new Error("lost"));
  open.get(12)?.fail(new Error("lost"));
  await finish(11, 13);
  await running;
  expect(started).toEqual([10, 11, 12, 13]);
  expect(commits).toEqual([12]);
});

test("does not wait for ever for a handler when it is aborted", async () => {
  const { commits, abort, running, clock } = setUp(1);
  await clock.advance(0);
  abort.abort(new Error("lost"));
  await clock.advance(5000);
  await running;
  expect(commits).toEqual([]);
});

test("throws what a commit throws", async () => {
  const clock = new ManualClock(0);
  const batch = {
    partition: 0,
    records: [record(1)],
    signal: new AbortController().signal,
    commit: () => Promise.reject(new Error("rebalance")),
  };
  const handle = async () => {};
  await expect(
    handleBatch(batch, { concurrency: 1, commitIntervalMs: 1, commitRecords: 1, clock, handle }),
  ).rejects.toThrow("rebalance");
});
