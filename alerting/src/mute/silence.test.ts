import { beforeEach, describe, expect, test } from "vitest";
import { memoryStorage, type StateLog } from "../state/state-log.ts";
import { compareSilences, Silences, silenceState, type SilenceRequest, type SilencesOptions } from "./silence.ts";

const HOUR = 3_600_000;
let log: StateLog;
let silences: Silences;
let ids: number;

function open(options: Partial<SilencesOptions> = {}): Silences {
  return new Silences({
    log,
    newId: () => `id${++ids}`,
    retentionMs: 120 * HOUR,
    maxSilences: 0,
    maxSilenceBytes: 0,
    ...options,
  });
}

beforeEach(() => {
  ids = 0;
  log = memoryStorage().open("silences");
  silences = open();
});

const request = (overrides: Partial<SilenceRequest> = {}): SilenceRequest => ({
  matchers: [{ name: "a", type: "=", value: "1" }],
  startsAt: 1000,
  endsAt: 5000,
  createdBy: "",
  comment: "",
  annotations: {},
  ...overrides,
});

describe("create", () => {
  test("a start in the past is moved to now", async () => {
    await silences.set(request(), 2000);
    expect(silences.get("id1")).toMatchObject({ id: "id1", startsAt: 2000, endsAt: 5000, updatedAt: 2000 });
  });

  test.each([
    ["start ≥ end", { startsAt: 5000 }, "Failed to create silence: start time must be before end time"],
    ["an end in the past", { startsAt: 0, endsAt: 1500 }, "Failed to create silence: end time can't be in the past"],
    ["no matcher", { matchers: [] }, "invalid silence: at least one matcher required"],
    [
      "only matchers that match nothing given",
      { matchers: [{ name: "a", type: "=~" as const, value: ".*" }] },
      "invalid silence: at least one matcher must not match the empty string",
    ],
  ])("%s is refused", async (_, overrides, error) => {
    expect(await silences.set(request(overrides), 2000)).toEqual({ status: "invalid", error });
  });
});

describe("update", () => {
  const id = "id1";
  const change = (overrides: Partial<SilenceRequest>, at: number) => silences.set(request({ id, ...overrides }), at);

  test("an unknown id is said", async () => {
    expect(await change({}, 1000)).toEqual({ status: "unknown" });
  });

  test("active: the same id while start and matchers stay, else the old one expires for a new one", async () => {
    await silences.set(request(), 1000);
    expect(await change({ endsAt: 9000 }, 2000)).toMatchObject({ silence: { id, startsAt: 1000, endsAt: 9000 } });
    expect(await change({ startsAt: 1999, endsAt: 9000 }, 2000)).toMatchObject({ silence: { id, startsAt: 1999 } });
    expect(await change({ startsAt: 3000 }, 2000)).toMatchObject({ silence: { id: "id2", startsAt: 3000 } });
    expect(silences.get(id)?.endsAt).toBe(2000);
  });

  test("pending: the same id while the new start is not past", async () => {
    await silences.set(request({ startsAt: 3000 }), 1000);
    expect(await change({ startsAt: 2500 }, 2000)).toMatchObject({ silence: { id, startsAt: 2500 } });
    expect(await change({ startsAt: 1500 }, 2000)).toMatchObject({ silence: { id: "id2", startsAt: 2000 } });
  });

  test("other matchers, even in another order, make a new one", async () => {
    const [a, b] = [
      { name: "a", type: "=" as const, value: "1" },
      { name: "b", type: "=" as const, value: "2" },
    ];
    await silences.set(request({ matchers: [a, b] }), 1000);
    expect(await change({ matchers: [b, a] }, 1000)).toMatchObject({ silence: { id: "id2" } });
  });

  test("an expired one is left as it is and a new one created", async () => {
    await silences.set(request({ endsAt: 2000 }), 1000);
    expect(await change({ startsAt: 3000, endsAt: 6000 }, 3000)).toMatchObject({ silence: { id: "id2" } });
    expect(silences.get(id)?.endsAt).toBe(2000);
  });
});

describe("expire", () => {
  test("active: ends now; pending: starts and ends now; expired: no change; unknown: said", async () => {
    await silences.set(request(), 1000);
    await silences.set(request({ startsAt: 4000 }), 1000);
    expect(await silences.expire("id1", 2000)).toBe("ok");
    expect(await silences.expire("id2", 2000)).toBe("ok");
    expect(await silences.expire("id1", 3000)).toBe("ok");
    expect(await silences.expire("nope", 3000)).toBe("unknown");
    expect(silences.get("id1")).toMatchObject({ startsAt: 1000, endsAt: 2000 });
    expect(silences.get("id2")).toMatchObject({ startsAt: 2000, endsAt: 2000 });
  });
});

test("states: end ≤ now is expired, start ≤ now is active", () => {
  const silence = { startsAt: 1000, endsAt: 2000 };
  expect([999, 1000, 1999, 2000].map((at) => silenceState(silence, at))).toEqual([
    "pending",
    "active",
    "active",
    "expired",
  ]);
});

test("matching: any one active silence suffices, all its matchers have to hold", async () => {
  await silences.set(
    request({
      matchers: [
        { name: "a", type: "=~", value: "x|y" },
        { name: "b", type: "!=", value: "1" },
      ],
    }),
    1000,
  );
  await silences.set(request({ matchers: [{ name: "c", type: "=", value: "1" }] }), 1000);
  expect(silences.mutes({ a: "x" }, 1000)).toEqual(["id1"]);
  expect(silences.mutes({ a: "xx", b: "2" }, 1000)).toEqual([]);
  expect(silences.mutes({ a: "y", c: "1" }, 1000)).toEqual(["id1", "id2"]);
  expect(silences.mutes({ a: "y", b: "1" }, 1000)).toEqual([]);
  expect(silences.mutes({ a: "y" }, 5000)).toEqual([]);
});

test("retention: expired ones stay listed for as long after their end", async () => {
  await silences.set(request(), 1000);
  silences.collectGarbage(5000 + 120 * HOUR - 1);
  expect(silences.get("id1")).toBeDefined();
  silences.collectGarbage(5000 + 120 * HOUR);
  expect(silences.get("id1")).toBeUndefined();
});

test("sort: active by end, pending by start, expired by end descending", () => {
  const silence = (id: string, startsAt: number, endsAt: number) => ({
    ...request(),
    id,
    updatedAt: 0,
    startsAt,
    endsAt,
  });
  const all = [
    silence("e1", 0, 100),
    silence("p2", 900, 950),
    silence("a2", 0, 800),
    silence("e2", 0, 200),
    silence("p1", 700, 990),
    silence("a1", 0, 600),
  ];
  expect(all.sort((a, b) => compareSilences(a, b, 500)).map(({ id }) => id)).toEqual([
    "a1",
    "a2",
    "p1",
    "p2",
    "e2",
    "e1",
  ]);
});

describe("limits", () => {
  test("number: expired ones count, replacing needs a free place, changing in place does not", async () => {
    silences = open({ maxSilences: 1 });
    await silences.set(request(), 1000);
    expect(await silences.set(request(), 6000 - 5000 + 1000)).toMatchObject({ status: "invalid" });
    expect(await silences.set(request({ id: "id1", endsAt: 8000 }), 2000)).toMatchObject({ status: "ok" });
    expect(
      await silences.set(request({ id: "id1", matchers: [{ name: "z", type: "=", value: "1" }] }), 2000),
    ).toMatchObject({ status: "invalid" });
  });
  test("size", async () => {
    silences = open({ maxSilenceBytes: 200 });
    expect(await silences.set(request({ comment: "x".repeat(200) }), 1000)).toMatchObject({ status: "invalid" });
  });
});

test("a write that fails changes nothing", async () => {
  silences = open({ log: { ...log, append: () => Promise.reject(new Error("disk full")) } });
  await expect(silences.set(request(), 1000)).rejects.toThrow("disk full");
  expect([...silences.values()]).toEqual([]);
});

test("silences survive a restart, changes included", async () => {
  await silences.set(request(), 1000);
  await silences.expire("id1", 2000);
  const again = open();
  await again.load(2000);
  expect(again.get("id1")).toEqual(silences.get("id1"));
});
