import type { Resource } from "@tocsin/model";
import { expect, test } from "vitest";
import { createLogClock } from "./log-clock.ts";
import { bounded, type QueuedLog, toLogRecord } from "./pino-record.ts";

const resource: Resource = { attributes: { "service.name": "sms" } };
const queued = (fields: object, over: Partial<QueuedLog> = {}): QueuedLog => ({
  line: `${JSON.stringify(fields)}\n`,
  level: 30,
  messageKey: "msg",
  errorKey: "err",
  span: undefined,
  timeUnixNano: 5n,
  ...over,
});

test("takes message, fields and trace from a line, and leaves out what the record says elsewhere", () => {
  const span = { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 };
  const fields = {
    level: 30,
    time: 1,
    pid: 7,
    hostname: "h",
    service: "sms",
    trace_id: "a",
    span_id: "b",
    msg: "sent",
    n: 2,
  };
  expect(toLogRecord(queued(fields, { span }), resource)).toEqual({
    timeUnixNano: 5n,
    observedTimeUnixNano: 5n,
    severityNumber: 9,
    severityText: "INFO",
    body: "sent",
    attributes: { n: 2 },
    traceId: "a".repeat(32),
    spanId: "b".repeat(16),
    flags: 1,
    eventName: "",
    resource,
    scope: { name: "pino", version: "", attributes: {} },
  });
});

test.each([
  [10, 1, "TRACE"],
  [20, 5, "DEBUG"],
  [35, 9, "INFO"],
  [40, 13, "WARN"],
  [50, 17, "ERROR"],
  [60, 21, "FATAL"],
])("maps pino's level %i to severity %i %s", (level, severityNumber, severityText) => {
  expect(toLogRecord(queued({ msg: "" }, { level }), resource)).toMatchObject({ severityNumber, severityText });
});

test("names an error as the semantic conventions do, and keeps its other fields", () => {
  const err = {
    type: "ProviderError",
    message: "refused",
    stack: "ProviderError: refused\n  at x",
    provider: "aurora",
  };
  expect(toLogRecord(queued({ msg: "failed", err }), resource).attributes).toEqual({
    "exception.type": "ProviderError",
    "exception.message": "refused",
    "exception.stacktrace": "ProviderError: refused\n  at x",
    err: { provider: "aurora" },
  });
});

test("honours the logger's own keys for message and error", () => {
  const fields = { message: "hello", problem: { type: "E", message: "m", stack: "s" } };
  const record = toLogRecord(queued(fields, { messageKey: "message", errorKey: "problem" }), resource);
  expect(record.body).toBe("hello");
  expect(record.attributes["exception.message"]).toBe("m");
});

test("keeps a line that is not JSON as the body", () => {
  expect(toLogRecord(queued({}, { line: "level=info hello\n" }), resource).body).toBe("level=info hello");
});

test("writes a field that is nested too deeply as JSON text", () => {
  const nested = (levels: number): object => (levels === 0 ? {} : { in: nested(levels - 1) });
  const { attributes } = toLogRecord(queued({ shallow: nested(15), deep: nested(40) }), resource);
  expect(attributes["shallow"]).toEqual(nested(15));
  expect(attributes["deep"]).toMatch(/^\{"in":\{"in":/);
});

test("cuts a line of unreasonable length and says how long it was", () => {
  expect(bounded("short")).toBe("short");
  const cut = bounded("x".repeat(200_000));
  expect(cut.length).toBeLessThan(66_000);
  expect(cut).toMatch(/x… \(200000 characters\)$/);
});

test("gives lines of one millisecond times a microsecond apart", () => {
  let now = 1000;
  const time = createLogClock(() => now);
  expect([time(), time()]).toEqual([1_000_000_000n, 1_000_001_000n]);
  now = 1001;
  expect(time()).toBe(1_001_000_000n);
});
