import type { LogItem } from "@tocsin/model";
import { expect, test } from "vitest";
import { addToTail, EMPTY_TAIL, mergeRows, releaseTail } from "./tail-buffer.ts";

const item = (id: string): LogItem => ({
  id,
  time: "2026-11-21T12:00:00.000Z",
  timeUnixNano: "0",
  service: "api",
  severity: "info",
  severityNumber: 9,
  message: id,
  attributes: {},
  resource: {},
  scope: "",
  traceId: "",
  spanId: "",
});
const ids = (rows: readonly LogItem[]) => rows.map(({ id }) => id);

test("puts new rows on top while nobody reads further down", () => {
  const buffer = addToTail(addToTail(EMPTY_TAIL, [item("1"), item("2")], false), [item("3")], false);
  expect(ids(buffer.shown)).toEqual(["3", "2", "1"]);
});

test("holds new rows back while somebody reads, and shows them when asked", () => {
  const reading = addToTail(addToTail(EMPTY_TAIL, [item("1")], false), [item("2"), item("3")], true);
  expect([ids(reading.shown), ids(reading.held)]).toEqual([["1"], ["3", "2"]]);
  const released = releaseTail(reading);
  expect([ids(released.shown), ids(released.held)]).toEqual([["3", "2", "1"], []]);
});

test("shows held rows by itself once the reader is back at the top", () => {
  const reading = addToTail(EMPTY_TAIL, [item("1")], true);
  expect(ids(addToTail(reading, [], false).shown)).toEqual(["1"]);
});

test("keeps no more than 2,000 rows waiting and counts what it gave up", () => {
  const many = Array.from({ length: 2500 }, (_, i) => item(String(i)));
  const { held, dropped } = addToTail(EMPTY_TAIL, many, true);
  expect([held.length, dropped, held[0]?.id]).toEqual([2000, 500, "2499"]);
});

test("a row that comes twice is one row, also beside the searched ones", () => {
  const buffer = addToTail(addToTail(EMPTY_TAIL, [item("1")], false), [item("1"), item("2")], false);
  expect(ids(mergeRows(buffer.shown, [item("1"), item("0")]))).toEqual(["2", "1", "0"]);
});
