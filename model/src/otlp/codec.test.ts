import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attributes, AttributeValue, LogRecord, Metric, Resource, Scope, Signal, Span } from "../signal.ts";
import {
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  encodeLogs,
  encodeMetrics,
  encodeTraces,
  inspect,
  OtlpDecodeError,
  tracesFromJson,
  tracesToJson,
} from "./index.ts";

const text = fc.string({ unit: "binary", maxLength: 50 }).filter((s) => s.isWellFormed());
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double().map((d) => (Object.is(d, -0) ? 0 : d)),
);
const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((n) => !Number.isSafeInteger(Number(n)));
const { attributeValue } = fc.letrec<{ attributeValue: AttributeValue }>((tie) => ({
  attributeValue: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text,
    number,
    bigint,
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 9 }),
    fc.array(tie("attributeValue"), { maxLength: 3 }),
    fc.dictionary(text, tie("attributeValue"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const attributes: fc.Arbitrary<Attributes> = fc.dictionary(text, attributeValue, { maxKeys: 4, noNullPrototype: true });
const nano = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(..."123456789abcdef".split("")), minLength: digits, maxLength: digits });
const traceId = fc.oneof(fc.constant(""), hex(32));
const spanId = fc.oneof(fc.constant(""), hex(16));
const uint32 = fc.nat({ max: 0xffffffff });
const count = fc.maxSafeInteger().map(Math.abs);
const resource: fc.Arbitrary<Resource> = fc.record({ attributes });
const scope: fc.Arbitrary<Scope> = fc.record({ name: text, version: text, attributes });

const logRecord: fc.Arbitrary<LogRecord> = fc.record({
  timeUnixNano: nano,
  observedTimeUnixNano: nano,
  severityNumber: fc.integer({ min: 0, max: 24 }),
  severityText: text,
  body: attributeValue,
  attributes,
  traceId,
  spanId,
  flags: uint32,
  eventName: text,
  resource,
  scope,
});

const span: fc.Arbitrary<Span> = fc.record({
  traceId,
  spanId,
  parentSpanId: spanId,
  traceState: text,
  flags: uint32,
  name: text,
  kind: fc.constantFrom(0, 1, 2, 3, 4, 5),
  startTimeUnixNano: nano,
  endTimeUnixNano: nano,
  attributes,
  events: fc.array(fc.record({ timeUnixNano: nano, name: text, attributes }), { maxLength: 2 }),
  links: fc.array(fc.record({ traceId, spanId, traceState: text, attributes }), { maxLength: 2 }),
  status: fc.record({ code: fc.constantFrom(0, 1, 2), message: text }),
  resource,
  scope,
});

const head = { name: text, description: text, unit: text, metadata: attributes, resource, scope };
const exemplars = fc.array(
  fc.record({ timeUnixNano: nano, value: fc.double(), traceId, spanId, filteredAttributes: attributes }),
  { maxLength: 2 },
);
const point = { attributes, startTimeUnixNano: nano, timeUnixNano: nano, flags: uint32 };
const optional = fc.option(fc.double(), { nil: undefined });
const numberPoints = fc.array(fc.record({ ...point, value: fc.double(), exemplars }), { maxLength: 2 });
const temporality = fc.constantFrom(0, 1, 2);
const counts = fc.array(count, { maxLength: 4 });
const buckets = fc.record({ offset: fc.integer(), bucketCounts: counts });
const metric: fc.Arbitrary<Metric> = fc.oneof(
  fc.record({ ...head, type: fc.constant("gauge"), points: numberPoints }),
  fc.record({ ...head, type: fc.constant("sum"), monotonic: fc.boolean(), temporality, points: numberPoints }),
  fc.record({
    ...head,
    type: fc.constant("histogram"),
    temporality,
    points: fc.array(
      fc.record({
        ...point,
        count,
        sum: optional,
        bucketCounts: counts,
        explicitBounds: fc.array(fc.double(), { maxLength: 4 }),
        min: optional,
        max: optional,
        exemplars,
      }),
      { maxLength: 2 },
    ),
  }),
  fc.record({
    ...head,
    type: fc.constant("exponentialHistogram"),
    temporality,
    points: fc.array(
      fc.record({
        ...point,
        count,
        sum: optional,
        scale: fc.integer(),
        zeroCount: count,
        zeroThreshold: fc.double(),
        positive: buckets,
        negative: buckets,
        min: optional,
        max: optional,
        exemplars,
      }),
      { maxLength: 2 },
    ),
  }),
  fc.record({
    ...head,
    type: fc.constant("summary"),
    points: fc.array(
      fc.record({
        ...point,
        count,
        sum: fc.double(),
        quantiles: fc.array(fc.record({ quantile: fc.double(), value: fc.double() }), { maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
  }),
);

const codecs: Record<Signal, { encoded: fc.Arbitrary<Uint8Array>; decode: (bytes: Uint8Array) => unknown }> = {
  logs: { encoded: fc.array(logRecord, { maxLength: 3 }).map(encodeLogs), decode: decodeLogs },
  traces: { encoded: fc.array(span, { maxLength: 3 }).map(encodeTraces), decode: decodeTraces },
  metrics: { encoded: fc.array(metric, { maxLength: 3 }).map(encodeMetrics), decode: decodeMetrics },
};
const signals = ["logs", "traces", "metrics"] as const;

describe("what was encoded decodes to the same", () => {
  test("log records", () => {
    fc.assert(
      fc.property(fc.array(logRecord, { maxLength: 4 }), (records) => {
        expect(decodeLogs(encodeLogs(records))).toEqual(records);
      }),
    );
  });

  test("spans", () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
        expect(decodeTraces(encodeTraces(spans))).toEqual(spans);
      }),
    );
  });

  test("metrics of every type", () => {
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 4 }), (metrics) => {
        expect(decodeMetrics(encodeMetrics(metrics))).toEqual(metrics);
      }),
    );
  });

  test("spans through JSON", () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
        const json: unknown = JSON.parse(JSON.stringify(tracesToJson(spans)));
        expect(tracesFromJson(json)).toEqual(spans);
      }),
    );
  });
});

describe.each(signals)("damaged %s", (signal) => {
  const { encoded, decode } = codecs[signal];

  /** Whether it decodes; anything but an OtlpDecodeError is a failure of the test. */
  function outcome(read: () => unknown): "accepted" | "refused" {
    try {
      read();
      return "accepted";
    } catch (error) {
      expect(error).toBeInstanceOf(OtlpDecodeError);
      return "refused";
    }
  }

  test("is refused or read, never worse, and inspect agrees with decode", () => {
    const damaged = fc
      .record({
        bytes: encoded,
        cut: fc.double({ min: 0, max: 1, noNaN: true }),
        flips: fc.array(fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), to: fc.nat(255) }), {
          maxLength: 4,
        }),
      })
      .map(({ bytes, cut, flips }) => {
        const copy = bytes.slice(0, Math.ceil(bytes.length * cut));
        for (const { at, to } of flips) copy[Math.floor(at * copy.length)] = to;
        return copy;
      });
    fc.assert(
      fc.property(damaged, (bytes) => {
        expect(outcome(() => inspect(signal, bytes))).toBe(outcome(() => decode(bytes)));
      }),
      { numRuns: 1500 },
    );
  });

  test("random bytes likewise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(outcome(() => inspect(signal, bytes))).toBe(outcome(() => decode(bytes)));
      }),
      { numRuns: 2000 },
    );
  });

  test("every truncation inside the request is refused", () => {
    fc.assert(
      fc.property(encoded, fc.nat(), (bytes, at) => {
        fc.pre(bytes.length > 1);
        // A cut between two resource groups leaves a shorter, valid request; a cut inside the last group does not.
        const cut = bytes.length - 1 - (at % Math.min(3, bytes.length - 1));
        expect(outcome(() => decode(bytes.slice(0, cut)))).toBe("refused");
      }),
      { numRuns: 100 },
    );
  });
});

describe("inspect", () => {
  test("counts records and names the first resource's service", () => {
    const shared = {
      resource: { attributes: { "service.name": "sms" } },
      scope: { name: "", version: "", attributes: {} },
    };
    const log = (body: string): LogRecord => ({
      timeUnixNano: 1n,
      observedTimeUnixNano: 2n,
      severityNumber: 9,
      severityText: "INFO",
      body,
      attributes: {},
      traceId: "",
      spanId: "",
      flags: 0,
      eventName: "",
      ...shared,
    });
    expect(inspect("logs", encodeLogs([log("a"), log("b")]))).toEqual({ records: 2, service: "sms", incomplete: 0 });
    expect(inspect("logs", new Uint8Array())).toEqual({ records: 0, service: "", incomplete: 0 });
  });
});

test("inspect counts the spans that decode without an id", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
      const lacking = spans.filter(({ traceId, spanId }) => traceId === "" || spanId === "").length;
      expect(inspect("traces", encodeTraces(spans)).incomplete).toBe(lacking);
    }),
  );
});

describe("a mistake is named with its place", () => {
  const group = (...bytes: number[]) => Uint8Array.of(0x0a, bytes.length, ...bytes);

  test("bad UTF-8 in the second log record", () => {
    // resource_logs { scope_logs { log_records {} log_records { severity_text: "\xff" } } }
    const bytes = group(0x12, 7, 0x12, 0, 0x12, 3, 0x1a, 1, 0xff);
    const message =
      "resource_logs[0].scope_logs[0].log_records[1].severity_text: string is not valid UTF-8 (at byte 10 of 11)";
    expect(() => decodeLogs(bytes)).toThrow(new OtlpDecodeError(message));
    expect(() => inspect("logs", bytes)).toThrow(new OtlpDecodeError(message));
  });

  test("an id of the wrong size", () => {
    expect(() => decodeTraces(group(0x12, 6, 0x12, 4, 0x0a, 2, 1, 2))).toThrow(
      "resource_spans[0].scope_spans[0].spans[0].trace_id: an id has 16 bytes, not 2",
    );
  });

  test("a length beyond the end", () => {
    expect(() => decodeMetrics(Uint8Array.of(0x0a, 0x7f))).toThrow(
      "resource_metrics[0]: length 127 is beyond the end of the message (0 bytes left)",
    );
  });

  test("a known field with another wire type", () => {
    expect(() => decodeLogs(Uint8Array.of(0x08, 1))).toThrow("resource_logs has wire type 0, which is not message");
  });

  test("values nested without end", () => {
    const deep = (levels: number): AttributeValue => (levels === 0 ? "x" : [deep(levels - 1)]);
    const bytes = encodeLogs([
      {
        timeUnixNano: 0n,
        observedTimeUnixNano: 0n,
        severityNumber: 0,
        severityText: "",
        body: deep(200),
        attributes: {},
        traceId: "",
        spanId: "",
        flags: 0,
        eventName: "",
        resource: { attributes: {} },
        scope: { name: "", version: "", attributes: {} },
      },
    ]);
    expect(() => decodeLogs(bytes)).toThrow("nested deeper than 64 levels");
    expect(() => inspect("logs", bytes)).toThrow("nested deeper than 64 levels");
  });

  test("more elements than one request may hold", () => {
    const records = new Uint8Array(1_200_000);
    for (let i = 0; i < records.length; i += 2) records[i] = 0x12;
    const varint = (n: number) => [(n & 0x7f) | 0x80, ((n >> 7) & 0x7f) | 0x80, n >> 14];
    const scoped = [0x12, ...varint(records.length)];
    const bytes = joined(Uint8Array.of(0x0a, ...varint(records.length + scoped.length), ...scoped), records);
    expect(() => inspect("logs", bytes)).toThrow("more than 500000 elements in one request");
    // Decoding takes twice as much, for requests that were merged.
    expect(decodeLogs(bytes)).toHaveLength(600_000);
    expect(() => decodeLogs(joined(bytes, bytes))).toThrow("more than 1000000 elements in one request");
  });
});

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

test("an attribute named __proto__ stays an attribute", () => {
  const keyValue = [0x0a, 9, ...new TextEncoder().encode("__proto__"), 0x12, 2, 0x10, 1];
  const resource = [0x0a, keyValue.length, ...keyValue];
  const scoped = [0x12, 2, 0x12, 0];
  const group = [0x0a, resource.length, ...resource, ...scoped];
  const [record] = decodeLogs(Uint8Array.of(0x0a, group.length, ...group));
  expect(Object.entries(record?.resource.attributes ?? {})).toEqual([["__proto__", true]]);
});
