import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { silentLogger } from "@tocsin/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Spool, SpoolBudget } from "./spool.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "spool-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const entry = (text: string) => new TextEncoder().encode(text);

async function open({ maxBytes = 1_000_000, segmentBytes = 100_000 } = {}) {
  const budget = new SpoolBudget(maxBytes);
  const spool = new Spool({ dir, budget, segmentBytes, logger: silentLogger });
  await spool.open();
  return { spool, budget };
}

/** Takes everything that is there. */
async function drain(spool: Spool, maxBytes = 1000): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const chunk = await spool.read(maxBytes);
    if (!chunk) return texts;
    texts.push(...chunk.entries.map((bytes) => new TextDecoder().decode(bytes)));
    await spool.advance(chunk.next);
  }
}

const segments = async () => (await readdir(dir)).filter((name) => name.endsWith(".segment")).sort();

test("gives entries back in order, across segments, and removes what has been taken", async () => {
  const { spool, budget } = await open({ segmentBytes: 50 });
  const texts = Array.from({ length: 30 }, (_, i) => `entry ${i}`);
  for (const text of texts) expect(await spool.append(entry(text))).toBe(true);
  expect((await segments()).length).toBeGreaterThan(5);
  expect(await drain(spool, 40)).toEqual(texts);
  expect(spool.isEmpty).toBe(true);
  expect(budget.used).toBe(0);
  expect(await segments()).toEqual([]);
  await spool.close();
});

test("goes on after a restart where it has been taken up to, and with new entries behind the old", async () => {
  const { spool } = await open();
  await Promise.all(["a", "b", "c"].map((text) => spool.append(entry(text))));
  const chunk = await spool.read(1);
  expect(chunk?.entries.map((bytes) => new TextDecoder().decode(bytes))).toEqual(["a"]);
  if (chunk) await spool.advance(chunk.next);
  await spool.close();

  const { spool: again, budget } = await open();
  expect(again.isEmpty).toBe(false);
  expect(budget.used).toBe(2 * 9);
  await again.append(entry("d"));
  expect(await drain(again)).toEqual(["b", "c", "d"]);
  expect(budget.used).toBe(0);
  await again.close();
});

test("refuses at once what would pass the bound, and takes more when there is room again", async () => {
  const { spool, budget } = await open({ maxBytes: 100 });
  expect(await spool.append(entry("x".repeat(52)))).toBe(true);
  expect(await spool.append(entry("x".repeat(33)))).toBe(false);
  expect(await spool.append(entry("x".repeat(32)))).toBe(true);
  expect(budget.used).toBe(100);
  expect(await drain(spool)).toHaveLength(2);
  expect(await spool.append(entry("x".repeat(33)))).toBe(true);
  await spool.close();
});

test("an entry that is larger than a read is given whole", async () => {
  const { spool } = await open({ maxBytes: 10_000_000, segmentBytes: 10_000_000 });
  const large = "x".repeat(3_000_000);
  for (const text of ["a", large, "b"]) await spool.append(entry(text));
  expect((await drain(spool, 10)).map(({ length }) => length)).toEqual([1, 3_000_000, 1]);
  await spool.close();
});

test.each([
  ["cut off inside the last entry", (file: string) => truncate(file, 9 + 9 + 4)],
  ["ending in zeros", async (file: string) => (await truncate(file, 18), await appendFile(file, Buffer.alloc(64)))],
  ["with a damaged last entry", async (file: string) => (await truncate(file, 26), await appendFile(file, "z"))],
])("passes over the end of a file %s", async (_, damage) => {
  const { spool } = await open();
  for (const text of ["a", "b", "c"]) await spool.append(entry(text));
  await spool.close();
  await damage(join(dir, "00000001.segment"));

  const { spool: again, budget } = await open();
  await again.append(entry("d"));
  expect(await drain(again)).toEqual(["a", "b", "d"]);
  expect(budget.used).toBe(0);
  await again.close();
});

test("starts at the oldest entry when the cursor cannot be read", async () => {
  const { spool } = await open();
  await Promise.all(["a", "b"].map((text) => spool.append(entry(text))));
  const chunk = await spool.read(1);
  if (chunk) await spool.advance(chunk.next);
  await spool.close();
  await writeFile(join(dir, "cursor"), "");
  const { spool: again } = await open();
  expect(await drain(again)).toEqual(["a", "b"]);
  await again.close();
});

test("a folder that cannot be made is an error that names it", async () => {
  await writeFile(join(dir, "file"), "");
  const spool = new Spool({
    dir: join(dir, "file"),
    budget: new SpoolBudget(1),
    segmentBytes: 1,
    logger: silentLogger,
  });
  await expect(spool.open()).rejects.toThrow(`cannot use ${join(dir, "file")}`);
});

test("has every acknowledged entry after kill -9", async () => {
  const program = `
    import { Spool, SpoolBudget } from ${JSON.stringify(new URL("./spool.ts", import.meta.url).href)};
    const logger = { info() {}, warn() {} };
    const spool = new Spool({ dir: process.argv[1], budget: new SpoolBudget(1e9), segmentBytes: 20_000, logger });
    await spool.open();
    for (let i = 0; ; i += 8) {
      const ids = Array.from({ length: 8 }, (_, j) => i + j);
      await Promise.all(ids.map(async (id) => {
        await spool.append(Buffer.from(id + " " + "x".repeat(100)));
        process.stdout.write(id + "\\n");
      }));
    }`;
  const args = ["--conditions=@tocsin/source", "--input-type=module", "-e", program, dir];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === 400) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");

  const { spool } = await open();
  const found = (await drain(spool, 5000)).map((text) => Number(text.split(" ")[0]));
  expect(found).toEqual(found.toSorted((a, b) => a - b));
  expect(acknowledged.filter((id) => !found.includes(id))).toEqual([]);
  expect(await readFile(join(dir, "cursor"), "utf8")).toContain("segment");
  await spool.close();
});
