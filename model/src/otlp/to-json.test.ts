import { expect, test } from "vitest";
import {
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  encodeLogs,
  encodeMetrics,
  encodeTraces,
  logsFromJson,
  metricsFromJson,
  requestToJson,
  tracesFromJson,
} from "./index.ts";

const resource = {
  attributes: [
    { key: "service.name", value: { stringValue: "sms" } },
    { key: "pid", value: { intValue: "4711" } },
  ],
};

test("writes a log record as OTLP/JSON has it", () => {
  const request = {
    resourceLogs: [
      {
        resource,
        scopeLogs: [
          {
            scope: { name: "app", version: "1" },
            logRecords: [
              {
                timeUnixNano: "1763726400000000001",
                observedTimeUnixNano: "1763726400000000002",
                severityNumber: 9,
                severityText: "INFO",
                body: { stringValue: "naïve 🌍" },
                attributes: [
                  { key: "ok", value: { boolValue: false } },
                  { key: "ratio", value: { doubleValue: 0.25 } },
                  { key: "big", value: { intValue: "-9007199254740993" } },
                  { key: "raw", value: { bytesValue: "AQID" } },
                  { key: "list", value: { arrayValue: { values: [{ stringValue: "a" }, { intValue: "2" }] } } },
                  { key: "empty", value: { arrayValue: { values: [] } } },
                  { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { stringValue: "v" } }] } } },
                ],
                traceId: "5b8efff798038103d269b633813fc60c",
                spanId: "eee19b7ec3c1b174",
              },
            ],
          },
        ],
      },
    ],
  };
  expect(JSON.parse(requestToJson("logs", encodeLogs(logsFromJson(request))))).toMatchObject(request);
});

test("what it writes reads back as what it was", () => {
  const span = {
    traceId: "5b8efff798038103d269b633813fc60c",
    spanId: "eee19b7ec3c1b174",
    parentSpanId: "0102030405060708",
    name: "GET",
    kind: 2,
    startTimeUnixNano: "1763726400000000001",
    endTimeUnixNano: "1763726400000000009",
    events: [{ timeUnixNano: "3", name: "e", attributes: [{ key: "a", value: { stringValue: "b" } }] }],
    links: [{ traceId: "5b8efff798038103d269b633813fc60c", spanId: "1111111111111111" }],
    status: { code: 2, message: "bad" },
    flags: 257,
  };
  const spans = encodeTraces(tracesFromJson({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] }));
  expect(tracesFromJson(JSON.parse(requestToJson("traces", spans)))).toEqual(decodeTraces(spans));

  const point = { timeUnixNano: "7", startTimeUnixNano: "1", attributes: [{ key: "a", value: { stringValue: "b" } }] };
  const metrics = encodeMetrics(
    metricsFromJson({
      resourceMetrics: [
        {
          resource,
          scopeMetrics: [
            {
              metrics: [
                {
                  name: "g",
                  gauge: {
                    dataPoints: [
                      { ...point, asInt: "-3" },
                      { ...point, asDouble: "NaN" },
                    ],
                  },
                },
                {
                  name: "s",
                  sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ ...point, asDouble: 1.5 }] },
                },
                {
                  name: "h",
                  histogram: {
                    aggregationTemporality: 2,
                    dataPoints: [
                      { ...point, count: "3", sum: 2.5, min: 0, max: 2, bucketCounts: ["1", "2"], explicitBounds: [1] },
                    ],
                  },
                },
                {
                  name: "e",
                  exponentialHistogram: {
                    aggregationTemporality: 2,
                    dataPoints: [
                      {
                        ...point,
                        count: "3",
                        scale: -2,
                        zeroCount: "1",
                        positive: { offset: -4, bucketCounts: ["2"] },
                      },
                    ],
                  },
                },
                {
                  name: "q",
                  summary: {
                    dataPoints: [{ ...point, count: "2", sum: 3, quantileValues: [{ quantile: 0.5, value: 1 }] }],
                  },
                },
              ],
            },
          ],
        },
      ],
    }),
  );
  expect(metricsFromJson(JSON.parse(requestToJson("metrics", metrics)))).toEqual(decodeMetrics(metrics));
  expect(decodeLogs(new Uint8Array())).toEqual(logsFromJson(JSON.parse(requestToJson("logs", new Uint8Array()))));
});

test("says where a request is damaged", () => {
  const bytes = encodeLogs(
    logsFromJson({ resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ severityNumber: 9 }] }] }] }),
  );
  expect(() => requestToJson("logs", bytes.subarray(0, bytes.length - 1))).toThrow("resource_logs[0]");
});
