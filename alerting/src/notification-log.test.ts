import { describe, expect, test } from "vitest";
import { decideNotification, NotificationLog, type DedupQuestion, type LogEntry } from "./notification-log.ts";
import { memoryStorage } from "./state/state-log.ts";

const entry = (firing: string[], resolved: string[] = [], at = 1000): LogEntry => ({
  key: "k",
  at,
  firing,
  resolved,
  expiresAt: 1e9,
});
const ask = (question: Partial<DedupQuestion>) =>
  decideNotification({
    entry: undefined,
    firing: [],
    resolved: [],
    sendResolved: true,
    repeatIntervalMs: 1000,
    at: 1500,
    ...question,
  });

describe("decision", () => {
  test.each<[string, Partial<DedupQuestion>, string]>([
    ["no entry, something fires", { firing: ["a"] }, "first notification"],
    ["no entry, only resolved", { resolved: ["a"] }, "-nothing to report"],
    ["a new alert", { entry: entry(["a"]), firing: ["a", "b"] }, "new alerts added"],
    ["a new alert after all was resolved", { entry: entry([], ["a"]), firing: ["b"] }, "first notification"],
    ["nothing fires any more", { entry: entry(["a"]), resolved: ["a"] }, "all alerts resolved"],
    [
      "nothing fires any more, resolved messages off",
      { entry: entry(["a"]), resolved: ["a"], sendResolved: false },
      "all alerts resolved",
    ],
    ["nothing fires and nothing did", { entry: entry([], ["a"]), resolved: ["b"] }, "-nothing to report"],
    ["one of several resolved", { entry: entry(["a", "b"]), firing: ["a"], resolved: ["b"] }, "some alerts resolved"],
    [
      "one resolved, resolved messages off",
      { entry: entry(["a", "b"]), firing: ["a"], resolved: ["b"], sendResolved: false },
      "-nothing new",
    ],
    ["one resolved, and that was told", { entry: entry(["a"], ["b"]), firing: ["a"], resolved: ["b"] }, "-nothing new"],
    ["fewer fire, none resolved", { entry: entry(["a", "b"]), firing: ["a"] }, "-nothing new"],
    ["exactly repeat_interval ago", { entry: entry(["a"]), firing: ["a"], at: 2000 }, "-nothing new"],
    ["longer than repeat_interval ago", { entry: entry(["a"]), firing: ["a"], at: 2001 }, "repeat interval elapsed"],
    ["the clock stepped back", { entry: entry(["a"]), firing: ["a"], at: 0 }, "-nothing new"],
  ])("%s", (_, question, expected) => {
    const { notify, reason } = ask(question);
    expect(`${notify ? "" : "-"}${reason}`).toBe(expected);
  });
});

describe("the log", () => {
  test("survives a restart, the latest entry of a key counts, expired ones do not come back", async () => {
    const storage = memoryStorage();
    const log = new NotificationLog(storage.open("n"));
    await log.record({ ...entry(["a"]), key: "x" });
    await log.record({ ...entry(["b"]), key: "x", receiverData: { ts: "1" } });
    await log.record({ ...entry(["c"]), key: "y", expiresAt: 1500 });
    const again = new NotificationLog(storage.open("n"));
    await again.load(2000);
    expect(again.get("x")).toMatchObject({ firing: ["b"], receiverData: { ts: "1" } });
    expect(again.get("y")).toBeUndefined();
    expect(again.size).toBe(1);
  });

  test("forgets entries past their expiry", async () => {
    const log = new NotificationLog(memoryStorage().open("n"));
    await log.record({ ...entry(["a"]), expiresAt: 2000 });
    expect(log.collectGarbage(1999)).toBe(0);
    expect(log.collectGarbage(2000)).toBe(1);
  });

  test("lets one work at a time go on per key, in order, failures included", async () => {
    const log = new NotificationLog(memoryStorage().open("n"));
    const steps: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = log.exclusively("k", async () => {
      await gate.promise;
      steps.push("first");
      throw new Error("no");
    });
    const second = log.exclusively("k", async () => void steps.push("second"));
    await log.exclusively("other", async () => void steps.push("other"));
    gate.resolve();
    await expect(first).rejects.toThrow("no");
    await second;
    expect(steps).toEqual(["other", "first", "second"]);
  });
});
