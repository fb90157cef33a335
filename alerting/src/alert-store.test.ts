import { describe, expect, test } from "vitest";
import { fingerprint } from "@tocsin/model";
import { AlertStore, mergeAlerts, type Alert } from "./alert-store.ts";

const labels = { alertname: "A" };
const alert = (overrides: Partial<Alert> = {}): Alert => ({
  fingerprint: fingerprint(overrides.labels ?? labels),
  labels,
  annotations: {},
  startsAt: 100,
  endsAt: 200,
  updatedAt: 100,
  timeout: false,
  generatorURL: "",
  ...overrides,
});

describe("merge", () => {
  test("overlapping intervals: earliest start, the newer annotations and source", () => {
    const stored = alert({ annotations: { a: "old" }, generatorURL: "old" });
    const received = alert({
      startsAt: 150,
      endsAt: 300,
      updatedAt: 150,
      annotations: { a: "new" },
      generatorURL: "new",
    });
    expect(mergeAlerts(stored, received, 150)).toMatchObject({
      startsAt: 100,
      endsAt: 300,
      annotations: { a: "new" },
      generatorURL: "new",
    });
  });

  test("no overlap: plain replacement", () => {
    const received = alert({ startsAt: 250, endsAt: 300, updatedAt: 250 });
    expect(mergeAlerts(alert(), received, 250)).toEqual(received);
  });

  test("touching ends are no overlap", () => {
    const received = alert({ startsAt: 200, endsAt: 300, updatedAt: 200 });
    expect(mergeAlerts(alert(), received, 200).startsAt).toBe(200);
  });

  test.each([
    [
      "a later end that the sender had set outlives an earlier one",
      { endsAt: 400, timeout: false },
      { endsAt: 300 },
      400,
    ],
    ["a later end by timeout does not", { endsAt: 400, timeout: true }, { endsAt: 300 }, 300],
    ["a resolved report ends a firing alert", { endsAt: 400 }, { endsAt: 150 }, 150],
    ["of two resolved reports the later end counts", { endsAt: 148 }, { endsAt: 140 }, 148],
  ])("end: %s", (_, stored, received, endsAt) => {
    expect(mergeAlerts(alert(stored), alert({ startsAt: 120, updatedAt: 150, ...received }), 150).endsAt).toBe(endsAt);
  });
});

describe("the store", () => {
  const named = (alertname: string, id: string, endsAt = 1000) => {
    const own = { alertname, id };
    return alert({ labels: own, fingerprint: fingerprint(own), endsAt });
  };

  test("forgets resolved alerts at the garbage collection and says which", () => {
    const removed: string[] = [];
    const store = new AlertStore({ perNameLimit: 0, onRemove: ({ labels }) => void removed.push(labels["id"] ?? "") });
    store.put(named("A", "1", 200), 100);
    store.put(named("A", "2"), 100);
    expect(store.collectGarbage(200)).toBe(1);
    expect(removed).toEqual(["1"]);
    expect(store.size).toBe(1);
  });

  test("per-name limit: a full alertname drops new alerts but still takes known ones and other names", () => {
    const store = new AlertStore({ perNameLimit: 2, onRemove: () => {} });
    store.put(named("A", "1"), 100);
    store.put(named("A", "2"), 100);
    expect(store.put(named("A", "3"), 100)).toBeUndefined();
    expect(store.put(named("A", "1"), 100)).toBeDefined();
    expect(store.put(named("B", "1"), 100)).toBeDefined();
  });

  test("per-name limit: an expired alert makes room", () => {
    const store = new AlertStore({ perNameLimit: 1, onRemove: () => {} });
    store.put(named("A", "1", 200), 100);
    expect(store.put(named("A", "2"), 300)).toBeDefined();
  });
});
