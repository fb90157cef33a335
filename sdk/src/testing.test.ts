import Fastify from "fastify";
import { afterEach, expect, test } from "vitest";
import { currentTraceId, withSpan } from "./index.ts";
import { startTestTelemetry, type TestTelemetry } from "./testing.ts";

let telemetry: TestTelemetry;
afterEach(() => telemetry.stop());

test("records a span with what its function returned and threw", async () => {
  telemetry = startTestTelemetry({ serviceName: "shop" });
  expect(withSpan("sum", { attributes: { n: 2 } }, () => 1 + 1)).toBe(2);
  await expect(withSpan("charge", async () => Promise.reject(new RangeError("too much")))).rejects.toThrow("too much");
  expect(() => withSpan("parse", () => JSON.parse("{"))).toThrow(SyntaxError);

  const sum = await telemetry.expectSpan({ name: "sum", attributes: { n: 2 }, error: false });
  expect(sum.resource.attributes["service.name"]).toBe("shop");
  const charge = await telemetry.expectSpan({
    name: "charge",
    error: true,
    attributes: { "error.type": "RangeError" },
  });
  expect(charge.status).toEqual({ code: 2, message: "too much" });
  expect(charge.events[0]?.attributes["exception.message"]).toBe("too much");
  await telemetry.expectSpan({ name: /^par/, error: true });
});

test("nests spans along promises and gives code their trace id", async () => {
  telemetry = startTestTelemetry();
  expect(currentTraceId()).toBeUndefined();
  const id = await withSpan("outer", async () => {
    await Promise.resolve();
    return withSpan("inner", { kind: "client" }, () => currentTraceId());
  });
  const outer = await telemetry.expectSpan({ name: "outer" });
  const inner = await telemetry.expectSpan({ name: "inner" });
  expect(outer.traceId).toBe(id);
  expect(inner).toMatchObject({ traceId: id, parentSpanId: outer.spanId, kind: 3 });
});

test("finds logs of an app with their trace, redacted as the app's logger does it", async () => {
  telemetry = startTestTelemetry();
  const lines: string[] = [];
  const app = Fastify({ logger: { redact: ["card"], stream: { write: (line: string) => void lines.push(line) } } });
  app.log.info({ at: "start" }, "outside of any request");
  withSpan("work", () => app.log.warn({ card: "4111", amount: 7 }, "charged"));
  const log = await telemetry.expectLog({
    message: "charged",
    severity: "WARN",
    attributes: { card: "[Redacted]", amount: 7 },
  });
  const span = await telemetry.expectSpan({ name: "work" });
  expect(log).toMatchObject({ traceId: span.traceId, spanId: span.spanId });
  expect(JSON.parse(lines[1] ?? "")).toMatchObject({ trace_id: span.traceId, span_id: span.spanId, msg: "charged" });
  expect(JSON.parse(lines[0] ?? "")).not.toHaveProperty("trace_id");
  await app.close();
});

test("leaves logged objects and the logger untouched", async () => {
  telemetry = startTestTelemetry();
  const lines: string[] = [];
  const app = Fastify({ logger: { stream: { write: (line: string) => void lines.push(line) } } });
  const frozen = Object.freeze({ id: 1 });
  const child = app.log.child({ part: "a" });
  withSpan("work", () => child.info(frozen, "first"));
  child.info("second");
  expect(lines[0]).toContain('"part":"a"');
  expect(lines[0]).toContain("trace_id");
  expect(lines[1]).not.toContain("trace_id");
  await app.close();
});

test("says what there was when nothing fits", async () => {
  telemetry = startTestTelemetry();
  withSpan("present", () => {});
  await expect(telemetry.expectSpan({ name: "absent" })).rejects.toThrow(
    'no span fits {"name":"absent"}; found:\n  present {}',
  );
  await expect(telemetry.expectLog({ message: /x/ })).rejects.toThrow(
    'no log fits {"message":"/x/"}; found: there is none at all',
  );
});

test("reads metrics as /metrics shows them", async () => {
  telemetry = startTestTelemetry();
  withSpan("one", () => {});
  await telemetry.spans();
  expect(await telemetry.expectMetric("tocsin_sdk_exported_total", { signal: "traces" })).toBe(1);
  expect(await telemetry.expectMetric("process_resident_memory_bytes")).toBeGreaterThan(0);
  await expect(telemetry.expectMetric("nope")).rejects.toThrow("no metric fits");
});

test("starts anew after a stop", async () => {
  telemetry = startTestTelemetry();
  withSpan("first life", () => {});
  await telemetry.stop();
  telemetry = startTestTelemetry();
  withSpan("second life", () => {});
  expect((await telemetry.spans()).map(({ name }) => name)).toEqual(["second life"]);
});
