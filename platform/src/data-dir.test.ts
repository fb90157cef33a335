import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { takeDataDir } from "./data-dir.ts";

const fresh = () => join(mkdtempSync(join(tmpdir(), "tocsin-data-dir-")), "deep/data");

test("creates the folder, holds it, and lets it go", () => {
  const dir = fresh();
  const held = takeDataDir(dir);
  expect(existsSync(dir)).toBe(true);
  expect(() => takeDataDir(dir)).toThrow(`${dir} is in use by process ${process.pid}`);
  held.release();
  takeDataDir(dir).release();
});

test("a folder that cannot be made is told with the way out", () => {
  expect(() => takeDataDir("/proc/tocsin")).toThrow(/cannot write the data folder \/proc\/tocsin: .*--data-dir/);
});
