import { afterEach, expect, test } from "vitest";
import { siblingModule, startWorker, transfer, type WorkerHandle } from "./worker.ts";

type Echo = {
  add: (a: number, b: number) => number;
  fail: () => void;
  double: (bytes: Uint8Array) => Uint8Array;
  tell: (what: string) => void;
  die: () => void;
};
let worker: WorkerHandle<Echo> | undefined;

function start(): WorkerHandle<Echo> {
  worker = startWorker<Echo>(siblingModule(import.meta.url, "testdata/echo-worker"));
  return worker;
}

afterEach(() => worker?.terminate());

test("calls come back with results, and errors with message and code", async () => {
  const { call } = start();
  await expect(Promise.all([call.add(1, 2), call.add(3, 4)])).resolves.toEqual([3, 7]);
  await expect(call.fail()).rejects.toMatchObject({ message: "no luck", code: "TOCSIN_OVERLOADED" });
});

test("a marked buffer is moved, not copied", async () => {
  const bytes = new Uint8Array([1, 2]);
  const doubled = await start().call.double(transfer(bytes, [bytes.buffer]));
  expect([...doubled]).toEqual([2, 4]);
  expect(bytes.byteLength).toBe(0);
});

test("events reach their listener", async () => {
  const told: unknown[] = [];
  const { call, on } = start();
  on("told", (payload) => told.push(payload));
  await call.tell("news");
  expect(told).toEqual(["news"]);
});

test("a worker that dies fails what waits and what comes after", async () => {
  const { call, ended } = start();
  await expect(call.die()).rejects.toMatchObject({ code: "TOCSIN_WORKER_LOST" });
  await expect(call.add(1, 1)).rejects.toThrow("exit code 3");
  await expect(ended).rejects.toThrow("echo-worker.ts ended");
});
