import { expect, test } from "vitest";
import type { LogItem } from "@tocsin/model";
import { logRecord } from "../testing/builders.ts";
import { logItem } from "./log-queries.ts";
import { TailQueue } from "./tail-queue.ts";

const items = (count: number, from = 0): LogItem[] =>
  Array.from({ length: count }, (_, i) => logItem(String(from + i), logRecord()));

test("hands over what came since the last look, in order", async () => {
  const queue = new TailQueue(() => {});
  const events = queue.events();
  queue.push(items(2), 0);
  queue.push(items(1, 2), 0);
  const first = await events.next();
  expect(first.value.items.map(({ id }: LogItem) => id)).toEqual(["0", "1", "2"]);
  const waiting = events.next();
  queue.push(items(1, 3), 0);
  expect((await waiting).value.items).toHaveLength(1);
});

test("drops what a slow reader has no room for, and says how much", async () => {
  let counted = 0;
  const queue = new TailQueue((count) => (counted += count));
  queue.push(items(900), 0);
  queue.push(items(300, 900), 5);
  const { value } = await queue.events().next();
  expect([value.items.length, value.dropped, counted]).toEqual([1000, 205, 205]);
});

test("ends a reader that waits", async () => {
  const queue = new TailQueue(() => {});
  const waiting = queue.events().next();
  queue.end();
  expect((await waiting).done).toBe(true);
});
