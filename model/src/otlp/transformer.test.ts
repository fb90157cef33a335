import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { describe, expect, test } from "vitest";
import {
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  inspect,
  logsFromJson,
  metricsFromJson,
  tracesFromJson,
} from "./index.ts";

/*
 * What OpenTelemetry's own JavaScript exporters put on the wire. The inputs are the SDK's data shapes written out, so
 * that the expectations can be literal.
 */
const resource = {
  attributes: { "service.name": "api", "process.pid": 4711, tags: ["a", "b"] },
  asyncAttributesPending: false,
};
const instrumentationScope = {
  name: "@opentelemetry/instrumentation-http",
  version: "0.301.0",
  schemaUrl: "https://opentelemetry.io/schemas/1.36.0",
};
const spanContext = { traceId: "5b8efff798038103d269b633813fc60c", spanId: "eee19b7ec3c1b174", traceFlags: 1 };
const expectedOrigin = {
  resource: { attributes: { "service.name": "api", "process.pid": 4711, tags: ["a", "b"] } },
  scope: { name: "@opentelemetry/instrumentation-http", version: "0.301.0", attributes: {} },
};

const jsonOf = (bytes: Uint8Array | undefined): unknown => JSON.parse(new TextDecoder().decode(bytes));

describe("spans of the OpenTelemetry SDK", () => {
  const span = {
    name: "GET /orders/:id",
    kind: 1,
    spanContext: () => spanContext,
    parentSpanContext: { ...spanContext, spanId: "0102030405060708" },
    startTime: [1_763_726_400, 123_456_789],
    endTime: [1_763_726_400, 223_456_790],
    status: { code: 2, message: "upstream failed" },
    attributes: { "http.response.status_code": 500, ratio: 0.25, ok: false, list: [1, 2], "unicode.é": "naïve 🌍" },
    links: [{ context: { ...spanContext, spanId: "1111111111111111" }, attributes: { why: "retry" } }],
    events: [{ name: "exception", time: [1_763_726_400, 200_000_001], attributes: { "exception.type": "Error" } }],
    duration: [0, 100_000_001],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 3,
    droppedEventsCount: 0,
    droppedLinksCount: 1,
  };
  const expected = [
    {
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: "eee19b7ec3c1b174",
      parentSpanId: "0102030405060708",
      traceState: "",
      flags: 0x101,
      name: "GET /orders/:id",
      kind: 2,
      startTimeUnixNano: 1_763_726_400_123_456_789n,
      endTimeUnixNano: 1_763_726_400_223_456_790n,
      attributes: { "http.response.status_code": 500, ratio: 0.25, ok: false, list: [1, 2], "unicode.é": "naïve 🌍" },
      events: [
        { timeUnixNano: 1_763_726_400_200_000_001n, name: "exception", attributes: { "exception.type": "Error" } },
      ],
      links: [
        {
          traceId: "5b8efff798038103d269b633813fc60c",
          spanId: "1111111111111111",
          traceState: "",
          attributes: { why: "retry" },
        },
      ],
      status: { code: 2, message: "upstream failed" },
      ...expectedOrigin,
    },
  ];

  test("as protobuf", () => {
    const bytes = ProtobufTraceSerializer.serializeRequest([span] as never) as Uint8Array;
    expect(decodeTraces(bytes)).toEqual(expected);
    expect(inspect("traces", bytes)).toEqual({ records: 1, service: "api", incomplete: 0 });
  });

  test("as JSON", () => {
    expect(tracesFromJson(jsonOf(JsonTraceSerializer.serializeRequest([span] as never)))).toEqual(expected);
  });
});

describe("log records of the OpenTelemetry SDK", () => {
  const record = {
    hrTime: [1_763_726_400, 1],
    hrTimeObserved: [1_763_726_401, 2],
    spanContext,
    severityText: "ERROR",
    severityNumber: 17,
    body: { message: "provider failed", attempt: 2, nested: { deep: [true, null] } },
    eventName: "sms.failed",
    resource,
    instrumentationScope,
    attributes: { provider: "beta", big: 2 ** 40, raw: Uint8Array.of(1, 2, 255) },
    droppedAttributesCount: 0,
  };
  const expected = [
    {
      timeUnixNano: 1_763_726_400_000_000_001n,
      observedTimeUnixNano: 1_763_726_401_000_000_002n,
      severityNumber: 17,
      severityText: "ERROR",
      body: { message: "provider failed", attempt: 2, nested: { deep: [true, null] } },
      attributes: { provider: "beta", big: 1_099_511_627_776, raw: Uint8Array.of(1, 2, 255) },
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: "eee19b7ec3c1b174",
      flags: 1,
      eventName: "sms.failed",
      ...expectedOrigin,
    },
  ];

  test("as protobuf", () => {
    const bytes = ProtobufLogsSerializer.serializeRequest([record] as never) as Uint8Array;
    expect(decodeLogs(bytes)).toEqual(expected);
    expect(inspect("logs", bytes)).toEqual({ records: 1, service: "api", incomplete: 0 });
  });

  test("as JSON", () => {
    expect(logsFromJson(jsonOf(JsonLogsSerializer.serializeRequest([record] as never)))).toEqual(expected);
  });
});

describe("metrics of the OpenTelemetry SDK", () => {
  const times = { startTime: [1_763_726_400, 0], endTime: [1_763_726_460, 5] };
  const descriptor = (name: string, unit: string) => ({
    name,
    description: `about ${name}`,
    unit,
    valueType: 1,
    advice: {},
  });
  const metrics = [
    {
      descriptor: descriptor("orders", "{order}"),
      aggregationTemporality: 1,
      dataPointType: 3,
      isMonotonic: true,
      dataPoints: [{ ...times, attributes: { region: "eu" }, value: 12.5 }],
    },
    {
      descriptor: { ...descriptor("queue", ""), valueType: 0 },
      aggregationTemporality: 1,
      dataPointType: 2,
      dataPoints: [{ ...times, attributes: {}, value: -3 }],
    },
    {
      descriptor: descriptor("latency", "s"),
      aggregationTemporality: 1,
      dataPointType: 0,
      dataPoints: [
        {
          ...times,
          attributes: {},
          value: { buckets: { boundaries: [0.1, 1], counts: [1, 2, 3] }, sum: 7.5, count: 6, min: 0.05, max: 3 },
        },
      ],
    },
    {
      descriptor: descriptor("size", "By"),
      aggregationTemporality: 0,
      dataPointType: 1,
      dataPoints: [
        {
          ...times,
          attributes: {},
          value: {
            count: 4,
            sum: 10,
            scale: 3,
            zeroCount: 1,
            positive: { offset: -2, bucketCounts: [1, 2] },
            negative: { offset: 0, bucketCounts: [] },
            min: 0,
            max: 6,
          },
        },
      ],
    },
  ];
  const data = { resource, scopeMetrics: [{ scope: instrumentationScope, metrics }] };
  const head = (name: string, unit: string) => ({
    name,
    description: `about ${name}`,
    unit,
    metadata: {},
    ...expectedOrigin,
  });
  const point = {
    startTimeUnixNano: 1_763_726_400_000_000_000n,
    timeUnixNano: 1_763_726_460_000_000_005n,
    flags: 0,
    attributes: {},
  };
  const expected = [
    {
      ...head("orders", "{order}"),
      type: "sum",
      monotonic: true,
      temporality: 2,
      points: [{ ...point, attributes: { region: "eu" }, value: 12.5, exemplars: [] }],
    },
    { ...head("queue", ""), type: "gauge", points: [{ ...point, value: -3, exemplars: [] }] },
    {
      ...head("latency", "s"),
      type: "histogram",
      temporality: 2,
      points: [
        {
          ...point,
          count: 6,
          sum: 7.5,
          bucketCounts: [1, 2, 3],
          explicitBounds: [0.1, 1],
          min: 0.05,
          max: 3,
          exemplars: [],
        },
      ],
    },
    {
      ...head("size", "By"),
      type: "exponentialHistogram",
      temporality: 1,
      points: [
        {
          ...point,
          count: 4,
          sum: 10,
          scale: 3,
          zeroCount: 1,
          zeroThreshold: 0,
          positive: { offset: -2, bucketCounts: [1, 2] },
          negative: { offset: 0, bucketCounts: [] },
          min: 0,
          max: 6,
          exemplars: [],
        },
      ],
    },
  ];

  test("as protobuf", () => {
    const bytes = ProtobufMetricsSerializer.serializeRequest(data as never) as Uint8Array;
    expect(decodeMetrics(bytes)).toEqual(expected);
    expect(inspect("metrics", bytes)).toEqual({ records: 4, service: "api", incomplete: 0 });
  });

  test("as JSON", () => {
    expect(metricsFromJson(jsonOf(JsonMetricsSerializer.serializeRequest(data as never)))).toEqual(expected);
  });
});
