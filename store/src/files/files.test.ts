import { describe, expect, test } from "vitest";
import { filesToDrop, type FileInfo } from "./file-info.ts";
import { formatFileName, nextFileName, parseFileName } from "./file-name.ts";

const at = (time: string): number => Date.parse(`2026-01-10T${time}:00Z`);

describe("file names", () => {
  test("say the hour in UTC and the part, and sort by both", () => {
    expect(formatFileName({ hourMs: at("07:00"), part: 2 })).toBe("2026011007-002");
    expect(parseFileName("2026011007-002")).toEqual({ hourMs: at("07:00"), part: 2 });
    expect(parseFileName("2026011007")).toBeUndefined();
    expect(parseFileName("notes")).toBeUndefined();
  });

  test.each([
    [at("07:59"), undefined, "2026011007-000"],
    [at("08:00"), "2026011007-000", "2026011008-000"],
    [at("07:59"), "2026011007-000", "2026011007-001"],
    [at("03:00"), "2026011007-004", "2026011007-005"],
  ])("after %s with last file %s comes %s", (now, last, next) => expect(nextFileName(now, last)).toBe(next));
});

describe("retention", () => {
  const file = (name: string, endMs: number, bytes: number, sealed = true): FileInfo & { endMs: number } => ({
    name,
    path: name,
    t0: 0,
    t1: 0,
    records: 1,
    bytes,
    sealed,
    endMs,
  });
  const files = [file("a", 1000, 10), file("b", 2000, 10), file("c", 3000, 10), file("d", 4000, 10, false)];
  const drop = (now: number, retentionMs: number, maxBytes: number) =>
    filesToDrop(files, now, { retentionMs, maxBytes }).map(({ name, reason }) => `${name} by ${reason}`);

  test("drops by age from the moment the newest in a file is old enough", () => {
    expect(drop(1499, 500, 100)).toEqual([]);
    expect(drop(1500, 500, 100)).toEqual(["a by age"]);
    expect(drop(2500, 500, 100)).toEqual(["a by age", "b by age"]);
  });

  test("drops the oldest until the rest fits the budget, never the file being written", () => {
    expect(drop(0, 500, 39)).toEqual(["a by size"]);
    expect(drop(0, 500, 15)).toEqual(["a by size", "b by size", "c by size"]);
    expect(drop(1500, 500, 25)).toEqual(["a by age", "b by size"]);
  });
});
