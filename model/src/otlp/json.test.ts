import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logsFromJson, metricsFromJson, OtlpDecodeError, tracesFromJson } from "./index.ts";

const inResource = (signal: string, scoped: object) => ({
  [`resource${signal}`]: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "api" } }] },
      [`scope${signal}`]: [{ scope: { name: "lib", version: "1.0.0" }, ...scoped }],
    },
  ],
});
const shared = {
  resource: { attributes: { "service.name": "api" } },
  scope: { name: "lib", version: "1.0.0", attributes: {} },
};

test("a log record with every kind of value", () => {
  const json = inResource("Logs", {
    logRecords: [
      {
        timeUnixNano: "1763726400123456789",
        observedTimeUnixNano: 1763726400000000000,
        severityNumber: "SEVERITY_NUMBER_ERROR2",
        severityText: "ERROR",
        body: {
          kvlistValue: {
            values: [
              { key: "a", value: { intValue: "9007199254740993" } },
              { key: "b", value: {} },
            ],
          },
        },
        attributes: [
          { key: "s", value: { stringValue: "" } },
          { key: "b", value: { boolValue: false } },
          { key: "i", value: { intValue: -7 } },
          { key: "d", value: { doubleValue: "Infinity" } },
          { key: "y", value: { bytesValue: "AP8_" } },
          { key: "l", value: { arrayValue: { values: [{ doubleValue: 0.5 }, { stringValue: "x" }] } } },
          { key: "n" },
        ],
        traceId: "5B8EFFF798038103D269B633813FC60C",
        spanId: "eee19b7ec3c1b174",
        flags: 1,
        eventName: "login",
        someFutureField: { x: 1 },
      },
    ],
  });
  expect(logsFromJson(json)).toEqual([
    {
      timeUnixNano: 1763726400123456789n,
      observedTimeUnixNano: 1763726400000000000n,
      severityNumber: 18,
      severityText: "ERROR",
      body: { a: 9007199254740993n, b: null },
      attributes: { s: "", b: false, i: -7, d: Infinity, y: Uint8Array.of(0, 255, 63), l: [0.5, "x"], n: null },
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: "eee19b7ec3c1b174",
      flags: 1,
      eventName: "login",
      ...shared,
    },
  ]);
});

test("a span with enums by name, null fields and original proto names", () => {
  const json = {
    resource_spans: [
      {
        resource: null,
        scope_spans: [
          {
            spans: [
              {
                trace_id: "5b8efff798038103d269b633813fc60c",
                span_id: "eee19b7ec3c1b174",
                parentSpanId: "0000000000000000",
                name: "GET /",
                kind: "SPAN_KIND_SERVER",
                start_time_unix_nano: "1",
                endTimeUnixNano: 2,
                status: { code: "STATUS_CODE_ERROR", message: "boom" },
                links: null,
              },
            ],
          },
        ],
      },
    ],
  };
  expect(tracesFromJson(json)).toMatchObject([
    {
      traceId: "5b8efff798038103d269b633813fc60c",
      parentSpanId: "",
      kind: 2,
      startTimeUnixNano: 1n,
      endTimeUnixNano: 2n,
      status: { code: 2, message: "boom" },
      links: [],
      resource: { attributes: {} },
    },
  ]);
});

test("every type of metric", () => {
  const json = inResource("Metrics", {
    metrics: [
      { name: "g", unit: "By", gauge: { dataPoints: [{ timeUnixNano: "5", asInt: "12" }] } },
      {
        name: "c",
        metadata: [{ key: "prometheus.type", value: { stringValue: "counter" } }],
        sum: {
          isMonotonic: true,
          aggregationTemporality: "AGGREGATION_TEMPORALITY_CUMULATIVE",
          dataPoints: [{ asDouble: 1.5, flags: 1 }],
        },
      },
      {
        name: "h",
        histogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              count: "3",
              sum: 4,
              bucketCounts: ["1", 2],
              explicitBounds: [0.5],
              exemplars: [{ asDouble: 0.4, traceId: "5b8efff798038103d269b633813fc60c" }],
            },
          ],
        },
      },
      {
        name: "e",
        exponentialHistogram: {
          aggregationTemporality: 1,
          dataPoints: [{ count: 2, scale: -1, zeroCount: 1, positive: { offset: -3, bucketCounts: ["1"] } }],
        },
      },
      { name: "s", summary: { dataPoints: [{ count: 1, sum: 2, quantileValues: [{ quantile: 0.5, value: "NaN" }] }] } },
      { name: "empty" },
    ],
  });
  expect(metricsFromJson(json)).toMatchObject([
    { type: "gauge", name: "g", unit: "By", points: [{ timeUnixNano: 5n, value: 12 }] },
    {
      type: "sum",
      monotonic: true,
      temporality: 2,
      metadata: { "prometheus.type": "counter" },
      points: [{ value: 1.5, flags: 1 }],
    },
    {
      type: "histogram",
      temporality: 2,
      points: [
        { count: 3, sum: 4, bucketCounts: [1, 2], explicitBounds: [0.5], min: undefined, exemplars: [{ value: 0.4 }] },
      ],
    },
    {
      type: "exponentialHistogram",
      temporality: 1,
      points: [
        {
          scale: -1,
          zeroCount: 1,
          positive: { offset: -3, bucketCounts: [1] },
          negative: { offset: 0, bucketCounts: [] },
        },
      ],
    },
    { type: "summary", points: [{ quantiles: [{ quantile: 0.5, value: Number.NaN }] }] },
  ]);
});

describe("a mistake is named with its place", () => {
  const log = (record: object) => () => logsFromJson(inResource("Logs", { logRecords: [{}, record] }));
  test.each([
    [
      log({ timeUnixNano: "yesterday" }),
      "resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano: expected an integer, as a number or a string of digits",
    ],
    [log({ timeUnixNano: -1 }), "resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano: -1 is out of range"],
    [log({ traceId: "abc" }), 'resourceLogs[0].scopeLogs[0].logRecords[1].traceId: expected 32 hex digits, not "abc"'],
    [log({ severityNumber: "LOUD" }), 'resourceLogs[0].scopeLogs[0].logRecords[1].severityNumber: unknown name "LOUD"'],
    [
      log({ attributes: [{ key: "a", value: { bytesValue: "*" } }] }),
      "resourceLogs[0].scopeLogs[0].logRecords[1].attributes[0].value.bytesValue: expected base64",
    ],
    [log({ attributes: { a: 1 } }), "resourceLogs[0].scopeLogs[0].logRecords[1].attributes: expected an array"],
    [log({ body: "plain" }), "resourceLogs[0].scopeLogs[0].logRecords[1].body: expected an object"],
    [() => logsFromJson([]), "expected an object"],
    [() => tracesFromJson({ resourceSpans: [7] }), "resourceSpans[0]: expected an object"],
  ])("%#", (read, message) => {
    expect(read).toThrow(new OtlpDecodeError(message));
  });

  test("values nested without end", () => {
    let value: object = { stringValue: "x" };
    for (let i = 0; i < 3000; i++) value = { arrayValue: { values: [value] } };
    expect(log({ body: value })).toThrow("nested deeper than 64 levels");
  });
});

test("whatever the JSON, it is read or refused", () => {
  const keys =
    "resourceLogs resourceSpans resourceMetrics scopeLogs scopeSpans scopeMetrics resource scope logRecords spans metrics " +
    "attributes key value body arrayValue kvlistValue values stringValue intValue doubleValue bytesValue traceId " +
    "timeUnixNano kind status events gauge sum histogram exponentialHistogram summary dataPoints bucketCounts __proto__";
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "large" },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie("tree"), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom(...keys.split(" ")), tie("tree"), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.constantFrom(logsFromJson, tracesFromJson, metricsFromJson), (json, read) => {
      try {
        read(json);
      } catch (error) {
        expect(error).toBeInstanceOf(OtlpDecodeError);
      }
    }),
    { numRuns: 2000 },
  );
});
