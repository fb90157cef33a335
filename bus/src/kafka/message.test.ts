import { decodeLogs, encodeLogs, inspect, logsFromJson } from "@tocsin/model";
import { expect, test } from "vitest";
import type { BusMessage } from "../bus.ts";
import { decodeRecord, encodeMessage } from "./message.ts";

const request = (...bodies: string[]) =>
  encodeLogs(
    logsFromJson({
      resourceLogs: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "sms" } }] },
          scopeLogs: [{ logRecords: bodies.map((body) => ({ timeUnixNano: "5", body: { stringValue: body } })) }],
        },
      ],
    }),
  );
const message = (value: Uint8Array, records: number): BusMessage => ({
  topic: "otlp_logs",
  key: "sms",
  value,
  records,
});
const proto = { encoding: "otlp_proto", max_message_bytes: 1000 } as const;
const json = { encoding: "otlp_json", max_message_bytes: 1000 } as const;

test("otlp_proto passes the bytes on, with a count of the records", () => {
  const value = new Uint8Array([1, 2, 3]);
  const { outgoing, tooLarge } = encodeMessage(message(value, 7), proto);
  expect(tooLarge).toEqual([]);
  expect(outgoing).toEqual([{ record: { key: "sms", value, headers: { "tocsin-records": "7" } }, records: 7 }]);
  expect(outgoing[0]?.record.value).toBe(value);
});

test("otlp_json is written and read, whatever the configuration of the reader", () => {
  const value = request("a", "b");
  const [only] = encodeMessage(message(value, 2), json).outgoing;
  const text = Buffer.from(only?.record.value ?? []).toString();
  expect(JSON.parse(text)).toMatchObject({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "a" } }, { body: { stringValue: "b" } }] }] }],
  });
  const read = decodeRecord("otlp_logs", { offset: 0n, key: "sms", value: Buffer.from(text), headers: {} });
  expect(read).toEqual({ topic: "otlp_logs", key: "sms", records: 2, value });
});

test("counts the records of messages that others have written", () => {
  const record = { offset: 0n, key: "", value: request("a", "b", "c"), headers: {} };
  expect(decodeRecord("otlp_logs", record)).toMatchObject({ records: 3 });
});

test("says why a record cannot be a message", () => {
  const record = (value: string) => ({ offset: 0n, key: "", value: Buffer.from(value), headers: {} });
  expect(decodeRecord("otlp_logs", record('{"resourceLogs": 5}'))).toBe("resourceLogs: expected an array");
  expect(decodeRecord("otlp_logs", record("{ no"))).toContain("JSON");
  expect(decodeRecord("otlp_logs", record("not otlp"))).toContain("ExportLogsServiceRequest");
});

test.each([proto, json])("cuts a batch that is too large into valid ones: $encoding", (config) => {
  const bodies = Array.from({ length: 60 }, (_, i) => `${i} ${"x".repeat(i)}`);
  const { outgoing, tooLarge } = encodeMessage(message(request(...bodies), 60), config);
  expect(tooLarge).toEqual([]);
  expect(outgoing.length).toBeGreaterThan(2);
  expect(outgoing.reduce((sum, { records }) => sum + records, 0)).toBe(60);
  const found = outgoing.flatMap(({ record, records }) => {
    expect(record.value.length).toBeLessThanOrEqual(1000);
    const read = decodeRecord("otlp_logs", { ...record, offset: 0n });
    if (typeof read === "string") throw new Error(read);
    expect(inspect("logs", read.value)).toMatchObject({ records, service: "sms" });
    return decodeLogs(read.value).map(({ body }) => body);
  });
  expect(found).toEqual(bodies);
});

test.each([proto, json])("sets a record aside that alone is too large, and keeps the others: $encoding", (config) => {
  const { outgoing, tooLarge } = encodeMessage(message(request("a", "x".repeat(2000), "b"), 3), config);
  expect(outgoing.reduce((sum, { records }) => sum + records, 0)).toBe(2);
  expect(tooLarge.map((value) => decodeLogs(value).map(({ body }) => body))).toEqual([["x".repeat(2000)]]);
});

test("decisions are passed on as they are", () => {
  const value = Buffer.from('{"decision": 1}');
  const { outgoing } = encodeMessage({ topic: "tocsin_decisions", key: "k", value, records: 1 }, json);
  expect(outgoing[0]?.record.value).toBe(value);
  const record = { offset: 0n, key: "k", value, headers: {} };
  expect(decodeRecord("tocsin_decisions", record)).toEqual({ topic: "tocsin_decisions", key: "k", value, records: 1 });
});
