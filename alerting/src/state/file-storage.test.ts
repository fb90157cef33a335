import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "@tocsin/testing";
import { fileStorage } from "./file-storage.ts";
import type { StateLog } from "./state-log.ts";

let directory: string;
let opened: StateLog[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tocsin-state-"));
  opened = [];
});
afterEach(async () => {
  for (const log of opened) await log.close();
  rmSync(directory, { recursive: true, force: true });
});

async function reopen(): Promise<{ log: StateLog; records: unknown[] }> {
  const log = fileStorage(directory, silentLogger).open("things");
  opened.push(log);
  return { log, records: await log.load() };
}

describe("state files", () => {
  test("give back what was appended, also without a close", async () => {
    const { log } = await reopen();
    await log.append([{ a: 1 }, { b: "ü\n" }]);
    await Promise.all([log.append([3]), log.append([4])]);
    expect((await reopen()).records).toEqual([{ a: 1 }, { b: "ü\n" }, 3, 4]);
  });

  test("a snapshot replaces what was before and keeps what is appended while it is written", async () => {
    const { log } = await reopen();
    await log.append([1, 2]);
    const before = log.append([3]);
    const snapshot = log.snapshot([123]);
    const after = log.append([4]);
    await Promise.all([before, snapshot, after]);
    expect((await reopen()).records).toEqual([123, 4]);
    expect(readdirSync(directory).sort()).toEqual(["things.1.log", "things.1.snapshot"]);
  });

  test("a crash between the new log and its snapshot loses nothing", async () => {
    const { log } = await reopen();
    await log.append([1]);
    await log.snapshot([1]);
    await log.append([2]);
    const later = readFileSync(join(directory, "things.1.log"), "utf8");
    writeFileSync(join(directory, "things.2.log"), later.replace(/^.*$/m, later.split("\n")[0] ?? ""));
    writeFileSync(join(directory, "things.2.snapshot.tmp"), "half");
    expect((await reopen()).records).toEqual([1, 2, 2]);
  });

  test("a line that was cut is left out, and what is appended after it is kept", async () => {
    const { log } = await reopen();
    await log.append([1, 2]);
    await log.close();
    appendFileSync(join(directory, "things.0.log"), '1234abcd {"torn":');
    const second = await reopen();
    expect(second.records).toEqual([1, 2]);
    await second.log.append([3]);
    expect((await reopen()).records).toEqual([1, 2, 3]);
  });

  test("a damaged line in the middle costs only itself", async () => {
    const { log } = await reopen();
    await log.append(["one", "two", "three"]);
    const file = join(directory, "things.0.log");
    writeFileSync(file, readFileSync(file, "utf8").replace('"two"', '"twx"'));
    expect((await reopen()).records).toEqual(["one", "three"]);
  });

  test("a file of another format is refused by name", async () => {
    writeFileSync(join(directory, "things.3.snapshot"), "hello\n");
    await expect(reopen()).rejects.toThrow(/things\.3\.snapshot is not a state file of this version/);
  });

  test("kinds of state do not mix", async () => {
    const storage = fileStorage(directory, silentLogger);
    const [a, b, again] = [storage.open("a"), storage.open("b"), storage.open("a")];
    opened.push(a, b, again);
    await a.load();
    await b.load();
    await a.append([1]);
    await b.snapshot([2]);
    expect(await again.load()).toEqual([1]);
  });

  test("appending after the close is refused", async () => {
    const { log } = await reopen();
    await log.close();
    await expect(log.append([1])).rejects.toThrow("closed");
  });

  test("a folder that cannot be made is said by name", () => {
    const blocked = join(directory, "file");
    writeFileSync(blocked, "");
    expect(() => fileStorage(join(blocked, "x"), silentLogger)).toThrow(`cannot create ${join(blocked, "x")}`);
  });
});
