import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSelfMetrics } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DeadLetter } from "./bus.ts";
import { createDeadLetters } from "./dead-letters.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "dead-letters-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const open = async (maxBytes?: number) => {
  const registry = createSelfMetrics("test");
  const letters = createDeadLetters({
    dir: join(dir, "dlq"),
    logger: silentLogger,
    registry,
    ...(maxBytes && { maxBytes }),
  });
  await letters.start();
  return { letters, registry };
};
const letter = (reason: string, value = "payload"): DeadLetter => ({
  at: 1_763_726_400_000,
  topic: "otlp_logs",
  group: "writer",
  key: "sms",
  reason,
  value: new TextEncoder().encode(value),
});

test("lists the newest first and finds them again after a restart", async () => {
  const { letters } = await open();
  await Promise.all([letters.add(letter("first"), 2), letters.add(letter("second\nline", "two"), 5)]);
  expect(letters.records("otlp_logs")).toBe(7);
  expect(letters.records("otlp_spans")).toBe(0);
  await letters.stop();

  const { letters: again } = await open();
  expect(again.list()).toEqual([
    {
      at: 1_763_726_400_000,
      topic: "otlp_logs",
      group: "writer",
      key: "sms",
      reason: "second\nline",
      records: 5,
      bytes: 3,
      excerpt: new TextEncoder().encode("two"),
    },
    {
      at: 1_763_726_400_000,
      topic: "otlp_logs",
      group: "writer",
      key: "sms",
      reason: "first",
      records: 2,
      bytes: 7,
      excerpt: new TextEncoder().encode("payload"),
    },
  ]);
  await again.add(letter("third"), 1);
  expect((await readdir(join(dir, "dlq"))).sort()).toEqual(["00000001.letter", "00000002.letter", "00000003.letter"]);
  expect(await readFile(join(dir, "dlq", "00000003.letter"), "utf8")).toBe(
    '{"at":1763726400000,"topic":"otlp_logs","group":"writer","key":"sms","reason":"third","records":1}\npayload',
  );
});

test("counts a message that two groups refuse once", async () => {
  const { letters } = await open();
  const refused = letter("bad");
  await letters.add(refused, 4);
  await letters.add({ ...refused, group: "tail" }, 4);
  expect(letters.records("otlp_logs")).toBe(4);
  expect(letters.list()).toHaveLength(2);
});

test("keeps the newest within its limit and counts the displaced", async () => {
  const { letters, registry } = await open(1000);
  for (let i = 0; i < 5; i++) await letters.add(letter(`n${i}`, "x".repeat(300)), 1);
  expect((await readdir(join(dir, "dlq"))).sort()).toEqual(["00000004.letter", "00000005.letter"]);
  await letters.add(letter("huge", "x".repeat(2000)), 1);
  const lost = await registry.getSingleMetric("tocsin_bus_dead_letters_lost_total")?.get();
  expect(lost?.values).toEqual([
    { labels: { reason: "displaced" }, value: 3 },
    { labels: { reason: "too_large" }, value: 1 },
  ]);
});

test("passes over a file that is not whole", async () => {
  const { letters } = await open();
  await letters.add(letter("good"), 1);
  await writeFile(join(dir, "dlq", "00000002.letter"), '{"at":17');
  const { letters: again } = await open();
  expect(again.list().map(({ reason }) => reason)).toEqual(["good"]);
});

test("a folder that cannot be made is an error that names it", async () => {
  await writeFile(join(dir, "dlq"), "a file");
  await expect(open()).rejects.toThrow(`cannot make ${join(dir, "dlq")}`);
});
