import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeLogs,
  decodeMetrics,
  encodeLogs,
  encodeMetrics,
  encodeTraces,
  decodeTraces,
  splitRequest,
} from "./index.ts";
import { logsFromJson, metricsFromJson, tracesFromJson } from "./json.ts";

const logs = (groups: { service: string; bodies: string[] }[]) =>
  logsFromJson({
    resourceLogs: groups.map(({ service, bodies }) => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
      scopeLogs: [
        {
          scope: { name: "app" },
          logRecords: bodies.map((body) => ({ body: { stringValue: body }, timeUnixNano: "5" })),
        },
      ],
    })),
  });

test("leaves a request that fits as it is", () => {
  const bytes = encodeLogs(logs([{ service: "sms", bodies: ["a"] }]));
  expect(splitRequest("logs", bytes, bytes.length)).toEqual({ parts: [bytes], tooLarge: [] });
});

test("keeps every record with its resource, in order, in parts within the limit", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          service: fc.string({ maxLength: 5 }),
          bodies: fc.array(fc.string({ maxLength: 40 }), { maxLength: 9 }),
        }),
        { maxLength: 6 },
      ),
      fc.integer({ min: 250, max: 800 }),
      (groups, maxBytes) => {
        const records = logs(groups);
        const bytes = encodeLogs(records);
        const { parts, tooLarge } = splitRequest("logs", bytes, maxBytes);
        expect(tooLarge).toEqual([]);
        for (const part of parts) expect(part.length).toBeLessThanOrEqual(maxBytes);
        expect(parts.flatMap((part) => decodeLogs(part))).toEqual(decodeLogs(bytes));
      },
    ),
  );
});

test("sets a record aside that alone is too large, with its resource, and keeps its neighbours", () => {
  const bytes = encodeLogs(logs([{ service: "sms", bodies: ["a", "x".repeat(500), "b"] }]));
  const { parts, tooLarge } = splitRequest("logs", bytes, 200);
  expect(parts.flatMap((part) => decodeLogs(part).map(({ body }) => body))).toEqual(["a", "b"]);
  expect(tooLarge.map((part) => decodeLogs(part).map(({ body }) => body))).toEqual([["x".repeat(500)]]);
  expect(tooLarge.map((part) => decodeLogs(part)[0]?.resource.attributes)).toEqual([{ "service.name": "sms" }]);
});

test("cuts spans, and a metric between its points", () => {
  const traceId = "5b8efff798038103d269b633813fc60c";
  const spans = tracesFromJson({
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: Array.from({ length: 20 }, (_, i) => ({
              traceId,
              spanId: `00000000000000${10 + i}`,
              name: `n${i}`,
            })),
          },
        ],
      },
    ],
  });
  const cut = splitRequest("traces", encodeTraces(spans), 120);
  expect(cut.parts.length).toBeGreaterThan(5);
  expect(cut.parts.flatMap((part) => decodeTraces(part).map(({ name }) => name))).toEqual(
    spans.map(({ name }) => name),
  );

  const metrics = metricsFromJson({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "sms" } }] },
        scopeMetrics: [
          {
            metrics: [
              {
                name: "sent_total",
                unit: "1",
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: Array.from({ length: 30 }, (_, i) => ({ timeUnixNano: "5", asDouble: i })),
                },
              },
            ],
          },
        ],
      },
    ],
  });
  const bytes = encodeMetrics(metrics);
  const { parts, tooLarge } = splitRequest("metrics", bytes, 150);
  expect(tooLarge).toEqual([]);
  const [whole] = decodeMetrics(bytes);
  const points = parts.flatMap((part) => decodeMetrics(part));
  expect(points.length).toBeGreaterThan(3);
  for (const metric of points) expect({ ...metric, points: [] }).toEqual({ ...whole, points: [] });
  expect(points.flatMap((metric): unknown[] => metric.points)).toEqual(whole?.points);
});
