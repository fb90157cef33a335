import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Matcher, WriteRequest } from "@tocsin/model";
import { SampleStore } from "./sample-store.ts";
import type { SampleStoreOptions } from "./storage.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const T0 = Date.UTC(2026, 0, 10);

let dir: string;
let open: SampleStore[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tocsin-samples-"));
});
afterEach(async () => {
  for (const store of open) await store.close();
  open = [];
  await rm(dir, { recursive: true, force: true });
});

async function openStore(options: Partial<SampleStoreOptions> = {}): Promise<SampleStore> {
  const { store } = await SampleStore.open({
    dir,
    log: () => {},
    fsync: "never",
    flushMs: 15 * MINUTE,
    outOfOrderMs: 10 * MINUTE,
    futureMs: 10 * MINUTE,
    retentionMs: 200 * HOUR,
    retentionBytes: 0,
    maxSeriesPerMetric: 100,
    maxSeries: 1000,
    maxExemplars: 10,
    walSegmentBytes: 1024 * 1024,
    maxPendingBytes: 1024 * 1024,
    ...options,
  });
  open.push(store);
  return store;
}

/** Leaves the store as a crash would: nothing flushed, nothing closed. */
async function abandon(store: SampleStore): Promise<void> {
  open = open.filter((other) => other !== store);
  await store.abandon();
}

async function closeStore(store: SampleStore): Promise<void> {
  open = open.filter((other) => other !== store);
  await store.close();
}

const up = (instance: string) => ({ __name__: "up", instance });
const write = (instance: string, ...points: [atMs: number, value: number][]): WriteRequest => ({
  series: [{ labels: up(instance), samples: points.map(([timestampMs, value]) => ({ timestampMs, value })) }],
});
const UP: Matcher[] = [{ name: "__name__", type: "=", value: "up" }];

async function read(store: SampleStore, matchers = UP, fromMs = -Infinity, toMs = Infinity) {
  const series = await store.select(matchers, fromMs, toMs);
  return Object.fromEntries(
    series.map(({ labels, timestamps, values, stale }) => [
      labels["instance"] ?? "",
      Array.from(timestamps, (at, i) => [at - T0, stale?.[i] ? "stale" : values[i]]),
    ]),
  );
}

describe("appending", () => {
  test("what was appended is found, by range", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1], [T0 + 1000, 2], [T0 + 2000, 3]), T0);
    expect(await read(store, UP, T0, T0 + 1000)).toEqual({ a: [[1000, 2]] });
  });

  test("a repeated sample is no news, another value at its time is refused", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1]), T0);
    expect(await store.append(write("a", [T0, 1]), T0)).toEqual({ taken: 1, exemplars: 0, refused: {} });
    expect(await store.append(write("a", [T0, 2]), T0)).toEqual({ taken: 0, exemplars: 0, refused: { duplicate: 1 } });
    expect(await read(store)).toEqual({ a: [[0, 1]] });
  });

  test("late samples find their place within the window; older ones are refused and counted", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1], [T0 + 20 * MINUTE, 3]), T0 + HOUR);
    expect(await store.append(write("a", [T0 + 11 * MINUTE, 2]), T0 + HOUR)).toEqual({
      taken: 1,
      exemplars: 0,
      refused: {},
    });
    expect(await store.append(write("a", [T0 + MINUTE, 9]), T0 + HOUR)).toEqual({
      taken: 0,
      exemplars: 0,
      refused: { out_of_order: 1 },
    });
    expect(await read(store)).toEqual({ a: [[0, 1], [11 * MINUTE, 2], [20 * MINUTE, 3]] }); // prettier-ignore
    expect(store.stats()).toMatchObject({ outOfOrder: 1, refused: { out_of_order: 1 } });
  });

  test("samples from the future are refused, so that a wrong clock cannot shut out the right ones", async () => {
    const store = await openStore();
    expect(await store.append(write("a", [T0 + HOUR, 1]), T0)).toEqual({
      taken: 0,
      exemplars: 0,
      refused: { future: 1 },
    });
  });

  test("a metric with too many series gets no more, and others go on", async () => {
    const store = await openStore({ maxSeriesPerMetric: 2 });
    for (const instance of ["a", "b", "c"]) await store.append(write(instance, [T0, 1]), T0);
    await store.append({ series: [{ labels: { __name__: "other" }, samples: [{ timestampMs: T0, value: 1 }] }] }, T0);
    expect(Object.keys(await read(store))).toEqual(["a", "b"]);
    expect(store.stats()).toMatchObject({ refused: { metric_limit: 1 }, fullMetrics: ["up"], activeSeries: 3 });
  });

  test("a label with an empty value is no label", async () => {
    const store = await openStore();
    await store.append(
      { series: [{ labels: { ...up("a"), zone: "" }, samples: [{ timestampMs: T0, value: 1 }] }] },
      T0,
    );
    await store.append(write("a", [T0 + 1, 2]), T0);
    expect(store.series([UP], -Infinity, Infinity)).toEqual([{ __name__: "up", instance: "a" }]);
  });

  test("staleness markers and histograms come back from memory, from the log and from blocks", async () => {
    const histogram = {
      schema: 0, count: 3, sum: 4, zeroThreshold: 0, zeroCount: 0, positiveOffset: 1, positiveBuckets: [1, 2],
      negativeOffset: 0, negativeBuckets: [], customValues: [], counterReset: "unknown" as const,
    }; // prettier-ignore
    const store = await openStore();
    await store.append(
      { series: [{ labels: up("a"), samples: [
        { timestampMs: T0, value: 1 },
        { timestampMs: T0 + 1, value: 0, histogram },
        { timestampMs: T0 + 2, value: 0, stale: true },
      ] }] }, T0); // prettier-ignore
    const expectSame = async (store: SampleStore) => {
      const [series] = await store.select(UP, 0, Infinity);
      expect([...(series?.timestamps ?? [])]).toEqual([T0, T0 + 1, T0 + 2]);
      expect([...(series?.stale ?? [])]).toEqual([0, 0, 1]);
      expect(series?.histograms).toEqual([undefined, histogram, undefined]);
    };
    await expectSame(store);
    await abandon(store);
    const again = await openStore();
    await expectSame(again);
    await again.maintain(T0 + 24 * HOUR);
    await again.maintain(T0 + 48 * HOUR);
    expect(again.stats()).toMatchObject({ headSamples: 0, blocks: 1 });
    await expectSame(again);
  });
});

describe("selecting", () => {
  test.each<[Matcher[], string[]]>([
    [[{ name: "instance", type: "=", value: "b" }], ["b"]],
    [[{ name: "instance", type: "=~", value: "a|c" }], ["a", "c"]],
    [[{ name: "instance", type: "=~", value: "[bc]" }], ["b", "c"]],
    [
      [...UP, { name: "instance", type: "!=", value: "b" }],
      ["a", "c"],
    ],
    [
      [...UP, { name: "instance", type: "!~", value: "b.*" }],
      ["a", "c"],
    ],
    [
      [...UP, { name: "zone", type: "=", value: "" }],
      ["a", "b"],
    ],
    [[...UP, { name: "zone", type: "!=", value: "" }], ["c"]],
    [
      [...UP, { name: "zone", type: "=~", value: "|eu" }],
      ["a", "b", "c"],
    ],
    [[{ name: "zone", type: "=~", value: ".+" }], ["c"]],
    [[{ name: "instance", type: "=", value: "nobody" }], []],
    [[], ["a", "b", "c"]],
  ])("%j finds %j", async (matchers, instances) => {
    const store = await openStore();
    const labels = [up("a"), up("b"), { ...up("c"), zone: "eu" }];
    await store.append(
      { series: labels.map((one) => ({ labels: one, samples: [{ timestampMs: T0, value: 1 }] })) },
      T0,
    );
    expect(Object.keys(await read(store, matchers))).toEqual(instances);
    expect(store.series([matchers], T0, T0).map((one) => one["instance"])).toEqual(instances);
  });

  test("labels are told for the range that was asked for", async () => {
    const store = await openStore();
    await store.append(write("old", [T0, 1]), T0);
    await store.append(write("new", [T0 + 3 * HOUR, 1]), T0 + 3 * HOUR);
    await store.maintain(T0 + 3 * HOUR);
    expect(store.labelValues("instance", [], T0 + 2.5 * HOUR, T0 + 4 * HOUR)).toEqual(["new"]);
    expect(store.labelValues("instance", [UP], -Infinity, Infinity).sort()).toEqual(["new", "old"]);
    expect(store.labelNames([], T0, T0 + HOUR).sort()).toEqual(["__name__", "instance"]);
  });

  test("stops at the number of samples it may hold", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1], [T0 + 1, 2], [T0 + 2, 3]), T0);
    const onTooMany = () => new Error("too many");
    await expect(store.select(UP, 0, Infinity, { maxSamples: 2, onTooMany })).rejects.toThrow("too many");
  });
});

describe("blocks", () => {
  /** One sample a minute from two instances, with maintenance on the way. */
  async function fill(store: SampleStore, hours: number): Promise<void> {
    for (let at = 0; at < hours * HOUR; at += MINUTE) {
      await store.append(write("a", [T0 + at, at / MINUTE]), T0 + at);
      if (at >= HOUR) await store.append(write("b", [T0 + at, -at]), T0 + at);
      if (at % (5 * MINUTE) === 0) await store.maintain(T0 + at);
    }
  }

  test("take over what is older than the window, and windows and days are merged", async () => {
    const store = await openStore();
    await fill(store, 27);
    const { blocks, headSamples, merges } = store.stats();
    expect(headSamples).toBeLessThan(2 * 30);
    expect(merges).toBe(13 + 1);
    expect(blocks).toBeLessThan(11);
    const all = await read(store);
    expect(all["a"]).toEqual(Array.from({ length: 27 * 60 }, (_, i) => [i * MINUTE, i]));
    expect(all["b"]?.length).toBe(26 * 60);
    expect((await read(store, UP, T0 + 5 * HOUR, T0 + 5 * HOUR + 2 * MINUTE))["a"]).toEqual([
      [5 * HOUR + MINUTE, 301],
      [5 * HOUR + 2 * MINUTE, 302],
    ]);
  });

  test("survive a restart, clean or not, with nothing twice", async () => {
    const store = await openStore();
    await fill(store, 5);
    const before = await read(store);
    await abandon(store);
    const afterCrash = await openStore();
    expect(await read(afterCrash)).toEqual(before);
    await closeStore(afterCrash);
    const afterStop = await openStore();
    expect(await read(afterStop)).toEqual(before);
    expect(afterStop.stats().headSamples).toBeLessThanOrEqual(2 * 10 + 2);
  });

  test("a late sample is taken after a restart as before it", async () => {
    const store = await openStore();
    await fill(store, 1);
    await closeStore(store);
    const again = await openStore();
    const late = T0 + HOUR - 5 * MINUTE + 1;
    expect(await again.append(write("late", [late, 7]), T0 + HOUR)).toEqual({ taken: 1, exemplars: 0, refused: {} });
  });

  test("go when they are older than the retention, and so do series nobody has any more", async () => {
    const store = await openStore({ retentionMs: 6 * HOUR });
    await store.append(write("gone", [T0, 1]), T0);
    await fill(store, 10);
    expect((await read(store))["gone"]).toBeUndefined();
    expect(store.labelValues("instance", [], -Infinity, Infinity)).toEqual(["a", "b"]);
    expect((await read(store))["a"]?.[0]?.[0]).toBeGreaterThanOrEqual(2 * HOUR);
    await closeStore(store);
    const again = await openStore({ retentionMs: 6 * HOUR });
    expect(again.stats().series).toBe(2);
    await again.append(write("fresh", [T0 + 10 * HOUR, 5]), T0 + 10 * HOUR);
    expect((await read(again))["fresh"]).toEqual([[10 * HOUR, 5]]);
  });

  test("the oldest go when all together are over the byte budget", async () => {
    const store = await openStore({ retentionBytes: 60_000 });
    await fill(store, 12);
    const bytes = (await filesIn(join(dir, "blocks"))).reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeLessThan(60_000);
    expect((await read(store))["a"]?.at(-1)).toEqual([12 * HOUR - MINUTE, 719]);
  });

  test("a damaged one fails the query that needs it and is set aside at the next start", async () => {
    const store = await openStore();
    await fill(store, 3);
    await closeStore(store);
    const first = (await filesIn(join(dir, "blocks")))[0]?.path ?? "";
    const bytes = await readFile(first);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 0xff, 20);
    await writeFile(first, bytes);
    const again = await openStore();
    await expect(read(again)).rejects.toMatchObject({ code: "TOCSIN_STORE_CORRUPT" });
    expect((await read(again, UP, T0 + 2.5 * HOUR, Infinity))["a"]?.length).toBeGreaterThan(0);
    await closeStore(again);
    await truncate(first, bytes.length - 1);
    const third = await openStore();
    expect(third.stats().corruptBlocks).toBe(1);
    expect((await read(third))["a"]?.at(-1)).toEqual([3 * HOUR - MINUTE, 179]);
  });
});

test("a damaged block is not merged away, and maintenance goes on", async () => {
  const store = await openStore();
  for (let at = 0; at < HOUR; at += MINUTE) await store.append(write("a", [T0 + at, at]), T0 + at);
  await store.maintain(T0 + HOUR);
  await closeStore(store);
  const first = (await filesIn(join(dir, "blocks")))[0]?.path ?? "";
  const bytes = await readFile(first);
  bytes.writeUInt8(bytes.readUInt8(20) ^ 0xff, 20);
  await writeFile(first, bytes);
  const again = await openStore();
  await again.append(write("a", [T0 + 5 * HOUR, 1]), T0 + 5 * HOUR);
  await again.maintain(T0 + 6 * HOUR);
  await again.maintain(T0 + 6 * HOUR);
  expect(again.stats()).toMatchObject({ merges: 0, headSamples: 0 });
  expect(await read(again, UP, T0 + 4 * HOUR)).toEqual({ a: [[5 * HOUR, 1]] });
});

async function filesIn(folder: string): Promise<{ path: string; size: number }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".blk")).sort();
  return Promise.all(
    names.map(async (name) => ({ path: join(folder, name), size: (await readFile(join(folder, name))).length })),
  );
}

describe("the log", () => {
  test("is repaired when its last record is torn: what was whole is there", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1]), T0);
    await store.append(write("a", [T0 + 1, 2]), T0);
    await abandon(store);
    const segment = join(dir, "wal", "00000001.wal");
    await truncate(segment, (await readFile(segment)).length - 3);
    const again = await openStore();
    expect(await read(again)).toEqual({ a: [[0, 1]] });
    await again.append(write("a", [T0 + 1, 3]), T0);
    await abandon(again);
    expect(await read(await openStore())).toEqual({ a: [[0, 1], [1, 3]] }); // prettier-ignore
  });

  test("of another version is left alone", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1]), T0);
    await abandon(store);
    const path = join(dir, "wal", "00000001.wal");
    const bytes = await readFile(path);
    await writeFile(path, Buffer.concat([Buffer.from("TOCSWAL2"), bytes.subarray(8)]));
    await expect(openStore()).rejects.toMatchObject({
      code: "TOCSIN_STORE_CORRUPT",
      message: expect.stringMatching(/TOCSWAL2.*TOCSWAL1/),
    });
    expect((await readFile(path)).length).toBe(bytes.length);
  });

  test("a torn series log costs only the series it lost", async () => {
    const store = await openStore();
    await store.append(write("a", [T0, 1]), T0);
    await store.append(write("b", [T0, 1]), T0);
    await abandon(store);
    const path = join(dir, "series.log");
    await truncate(path, (await readFile(path)).length - 1);
    expect(await read(await openStore())).toEqual({ a: [[0, 1]] });
  });
});

describe("exemplars and metadata", () => {
  test("survive restarts, also when the log that told them is gone", async () => {
    const store = await openStore();
    const exemplar = { labels: { trace_id: "abc" }, value: 0.5, timestampMs: T0 };
    await store.append(
      {
        series: [{ labels: up("a"), samples: [{ timestampMs: T0, value: 1 }], exemplars: [exemplar, exemplar] }],
        metadata: [{ metric: "up", type: "gauge", unit: "", help: "Whether it is up." }],
      },
      T0,
    );
    const expectSame = (store: SampleStore) => {
      expect(store.exemplars([UP], T0, T0)).toEqual([{ labels: up("a"), exemplars: [exemplar] }]);
      expect(store.metadata()).toEqual([[{ metric: "up", type: "gauge", unit: "", help: "Whether it is up." }]]);
    };
    expectSame(store);
    await abandon(store);
    const again = await openStore();
    expectSame(again);
    await again.maintain(T0 + 24 * HOUR);
    await again.maintain(T0 + 48 * HOUR);
    expect(again.stats().walBytes).toBe(0);
    await abandon(again);
    expectSame(await openStore());
  });

  test("no more exemplars are kept than allowed, the newest ones", async () => {
    const store = await openStore({ maxExemplars: 3 });
    for (let i = 0; i < 5; i++) {
      const exemplars = [{ labels: { trace_id: String(i) }, value: i, timestampMs: T0 + i }];
      await store.append(
        { series: [{ labels: up("a"), samples: [{ timestampMs: T0 + i, value: i }], exemplars }] },
        T0,
      );
    }
    expect(store.exemplars([UP], T0, T0 + 10)[0]?.exemplars.map(({ value }) => value)).toEqual([2, 3, 4]);
  });
});

describe("against a plain map", () => {
  const action = fc.oneof(
    { weight: 8, arbitrary: fc.record({
      do: fc.constant("append" as const),
      series: fc.integer({ min: 0, max: 4 }),
      agoMs: fc.integer({ min: 0, max: 15 * MINUTE }),
      value: fc.oneof(fc.double(), fc.integer({ min: 0, max: 1000 })),
      stale: fc.boolean(),
    }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("advance" as const), byMs: fc.integer({ min: 1, max: 40 * MINUTE }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("maintain" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("stop" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash" as const) }) },
  ); // prettier-ignore

  test("holds the same after random appends, restarts and expiry", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 120 }), async (actions) => {
        await rm(dir, { recursive: true, force: true });
        const options = { retentionMs: 5 * HOUR };
        let store = await openStore(options);
        const model = new Map<string, Map<number, number | "stale">>();
        let now = T0;
        for (const step of actions) {
          if (step.do === "advance") now += step.byMs;
          else if (step.do === "maintain") await store.maintain(now);
          else if (step.do === "stop") {
            await closeStore(store);
            store = await openStore(options);
          } else if (step.do === "crash") {
            await abandon(store);
            store = await openStore(options);
          } else {
            const instance = `i${step.series}`;
            const timestampMs = now - step.agoMs;
            const sample = { timestampMs, value: step.value, stale: step.stale };
            const before = model.get(instance)?.get(timestampMs);
            const { taken } = await store.append({ series: [{ labels: up(instance), samples: [sample] }] }, now);
            if (taken > 0 && before === undefined) {
              if (!model.has(instance)) model.set(instance, new Map());
              model.get(instance)?.set(timestampMs, step.stale ? "stale" : step.value);
            }
          }
        }
        const held = await read(store);
        const oldestKept = now - options.retentionMs;
        const expected = [...model].map(([instance, samples]) => [
          instance,
          [...samples].sort(([a], [b]) => a - b).map(([at, value]) => [at - T0, value]),
        ]);
        const recent = (rows: [string, (number | string)[][]][]) =>
          Object.fromEntries(
            rows.map(([instance, list]) => [instance, list.filter(([at]) => (at as number) + T0 >= oldestKept)] as const)
              .filter(([, list]) => list.length > 0),
          ); // prettier-ignore
        expect(recent(Object.entries(held) as never)).toEqual(recent(expected as never));
        await closeStore(store);
      }),
      { numRuns: 60 },
    );
  });
});

describe("when the disk fails", () => {
  test("appends are refused while too much waits for it, and taken again afterwards", async () => {
    const store = await openStore({ maxPendingBytes: 10 });
    const first = store.append(write("a", [T0, 1]), T0);
    await expect(store.append(write("b", [T0, 1]), T0)).rejects.toMatchObject({ code: "TOCSIN_OVERLOADED" });
    await first;
    await store.append(write("b", [T0, 1]), T0);
    expect(Object.keys(await read(store))).toEqual(["a", "b"]);
  });

  test("an append rejects, and no later one is acknowledged before the failed one is written", async () => {
    const store = await openStore();
    await rm(join(dir, "wal"), { recursive: true });
    await expect(store.append(write("a", [T0, 1]), T0)).rejects.toThrow(/ENOENT/);
    await expect(store.append(write("b", [T0, 2]), T0)).rejects.toThrow(/ENOENT/);
    expect(await read(store)).toEqual({ a: [[0, 1]] });
    await mkdir(join(dir, "wal"));
    expect(await store.append(write("a", [T0, 1]), T0)).toEqual({ taken: 1, exemplars: 0, refused: {} });
    await abandon(store);
    expect(await read(await openStore())).toEqual({ a: [[0, 1]] });
  });
});

describe("damaged files", () => {
  test("lose samples at most: never a crash, never a wrong value or another series' samples", async () => {
    const store = await openStore();
    const truth = new Map<string, Map<number, number>>();
    for (let at = 0; at < 3 * HOUR; at += 2 * MINUTE) {
      for (const instance of ["a", "b", `c${Math.floor(at / HOUR)}`]) {
        if (!truth.has(instance)) truth.set(instance, new Map());
        truth.get(instance)?.set(at, at / 1000 + instance.length);
        await store.append(write(instance, [T0 + at, at / 1000 + instance.length]), T0 + at);
      }
      await store.maintain(T0 + at);
    }
    await abandon(store);
    const whole = `${dir}.whole`;
    await cp(dir, whole, { recursive: true });
    const files = (await readdir(whole, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          async (f, at, flip, cut) => {
            await rm(dir, { recursive: true });
            await cp(whole, dir, { recursive: true });
            const file = files[f % files.length];
            const path = join(file?.parentPath.replace(whole, dir) ?? "", file?.name ?? "");
            const bytes = await readFile(path);
            // A flipped version digit is a file of another version, which no start may touch.
            const place = at % bytes.length === 7 ? 8 : at % bytes.length;
            if (cut) await truncate(path, place);
            else await writeFile(path, bytes.fill((bytes[place] ?? 0) ^ flip, place, place + 1));
            const damaged = await openStore();
            await damaged.append(write("new", [T0 + 3 * HOUR, -1]), T0 + 3 * HOUR);
            await abandon(damaged);
            const again = await openStore();
            const found = await read(again).catch((error: Error) => {
              expect(error).toMatchObject({ code: "TOCSIN_STORE_CORRUPT" });
              return { new: [[3 * HOUR, -1]] };
            });
            expect(found["new"]).toEqual([[3 * HOUR, -1]]);
            for (const [instance, samples] of Object.entries(found)) {
              if (instance === "new") continue;
              for (const [time, value] of samples) expect(truth.get(instance)?.get(Number(time))).toBe(value);
            }
            await abandon(again);
          },
        ),
        { numRuns: 80 },
      );
    } finally {
      await rm(whole, { recursive: true });
    }
  });
});
