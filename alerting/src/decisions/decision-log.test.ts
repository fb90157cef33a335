import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { DecisionRecord } from "@tocsin/model";
import { createHttpServer, Registry } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { decisionsApi } from "../api/decisions-api.ts";
import { DecisionLog, type DecisionLogOptions } from "./decision-log.ts";

const START = Date.parse("2026-11-21T12:00:00Z");

let dataDir: string;
let clock: ManualClock;
let registry: Registry;
let open: DecisionLog[];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "tocsin-decisions-"));
  clock = new ManualClock(START);
  registry = new Registry();
  open = [];
});
afterEach(async () => {
  for (const log of open) await log.stop();
  rmSync(dataDir, { recursive: true });
});

async function openLog(options: Partial<DecisionLogOptions> = {}): Promise<DecisionLog> {
  const log = new DecisionLog({ dataDir, clock, logger: silentLogger, registry, ...options });
  open.push(log);
  await log.start();
  return log;
}

let count = 0;
function flush(overrides: Partial<Extract<DecisionRecord, { kind: "flush" }>> = {}): DecisionRecord {
  return {
    id: `r${count++}`,
    at: new Date(clock.now()).toISOString(),
    sentence: "looked at the group",
    kind: "flush",
    groupKey: "{}:{}",
    receiver: "team",
    groupLabels: {},
    firing: ["f1"],
    resolved: [],
    ...overrides,
  };
}

describe("the decision log", () => {
  test("gives records newest first, page by page", async () => {
    const log = await openLog();
    for (let i = 0; i < 5; i++) log.record(flush({ id: `n${i}` }));
    const first = log.query({ limit: 2 });
    expect(first.items.map(({ id }) => id)).toEqual(["n4", "n3"]);
    const second = log.query({ limit: 2, cursor: first.cursor });
    expect(second.items.map(({ id }) => id)).toEqual(["n2", "n1"]);
    const third = log.query({ limit: 2, cursor: second.cursor });
    expect(third.items.map(({ id }) => id)).toEqual(["n0"]);
    expect(third.cursor).toBeUndefined();
  });

  test("finds records by kind, alert, group, receiver and time, together", async () => {
    const log = await openLog();
    log.record(flush({ id: "a", receiver: "pager", groupKey: "{}:{x}", firing: ["f1", "f2"] }));
    await clock.advance(60_000);
    log.record(flush({ id: "b", firing: [], resolved: ["f2"] }));
    log.record({
      id: "c",
      at: new Date(clock.now()).toISOString(),
      sentence: "goes to both",
      kind: "routed",
      fingerprint: "f3",
      labels: { alertname: "X" },
      routes: [
        { path: "{}", receiver: "team", groupKey: "{}:{}" },
        { path: "{}", receiver: "pager", groupKey: "{}:{x}" },
      ],
    });
    const ids = (query: Omit<Parameters<DecisionLog["query"]>[0], "limit">) =>
      log.query({ limit: 10, ...query }).items.map(({ id }) => id);
    expect(ids({ kinds: ["routed"] })).toEqual(["c"]);
    expect(ids({ fingerprint: "f2" })).toEqual(["b", "a"]);
    expect(ids({ receiver: "pager" })).toEqual(["c", "a"]);
    expect(ids({ receiver: "pager", groupKey: "{}:{x}", fingerprint: "f2" })).toEqual(["a"]);
    expect(ids({ from: START + 1 })).toEqual(["c", "b"]);
    expect(ids({ to: START })).toEqual(["a"]);
    expect(ids({ fingerprint: "nobody" })).toEqual([]);
  });

  test("keeps records over a restart", async () => {
    const log = await openLog();
    log.record(flush({ id: "kept" }));
    await log.stop();
    registry = new Registry();
    const again = await openLog();
    expect(again.query({ limit: 10 }).items.map(({ id }) => id)).toEqual(["kept"]);
  });

  test("tells listeners until they leave", async () => {
    const log = await openLog();
    const seen: string[] = [];
    const leave = log.subscribe(({ id }) => seen.push(id));
    log.record(flush({ id: "one" }));
    leave();
    log.record(flush({ id: "two" }));
    expect(seen).toEqual(["one"]);
  });

  test("drops and counts what its queue cannot hold", async () => {
    const log = await openLog({ queueLimit: 3 });
    for (let i = 0; i < 5; i++) log.record(flush());
    expect(log.query({ limit: 10 }).items).toHaveLength(3);
    expect(await registry.getSingleMetricAsString("tocsin_decisions_dropped_total")).toContain(
      '{reason="queue_full"} 2',
    );
  });

  test("removes records past their age", async () => {
    const log = await openLog({ maxAgeMs: 3_600_000 });
    log.record(flush({ id: "old" }));
    await clock.advance(1_800_000);
    log.record(flush({ id: "young" }));
    await clock.advance(1_900_000);
    expect(log.query({ limit: 10 }).items.map(({ id }) => id)).toEqual(["young"]);
  });

  test("removes the oldest records when it is too large", async () => {
    const log = await openLog({ maxBytes: 400_000 });
    for (let i = 0; i < 5000; i++) log.record(flush({ id: `n${i}` }));
    await clock.advance(120_000);
    const { items } = log.query({ limit: 1000 });
    expect(items[0]?.id).toBe("n4999");
    expect(items.length).toBeLessThan(5000);
    expect(items.length).toBeGreaterThan(0);
  });

  test("leaves no timer behind when it stops", async () => {
    const log = await openLog();
    log.record(flush());
    await log.stop();
    expect(clock.pending).toBe(0);
  });
});

describe("GET /api/tocsin/v1/decisions", () => {
  test("answers with a page and refuses what it does not know", async () => {
    const log = await openLog();
    log.record(flush({ id: "a" }));
    const app = createHttpServer({ logger: silentLogger });
    await app.register(decisionsApi, { log, clock });
    const get = (query: string) => app.inject(`/api/tocsin/v1/decisions${query}`);
    expect((await get("?kind=flush,dedup&from=now-1h&limit=1")).json()).toMatchObject({ items: [{ id: "a" }] });
    expect((await get("?kind=dedup")).json()).toEqual({ items: [] });
    const bad = await get("?kind=nonsense&limit=0");
    expect(bad.statusCode).toBe(400);
    expect(bad.json<{ errors: { path: string }[] }>().errors.map(({ path }) => path)).toEqual(["kind.0", "limit"]);
    expect((await get("?cursor=!!")).statusCode).toBe(400);
    expect((await get("?colour=red")).statusCode).toBe(400);
    await app.close();
  });
});
