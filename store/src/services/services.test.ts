import { describe, expect, test } from "vitest";
import type { Labels } from "@tocsin/model";
import { BASE_MS, id, span } from "../testing/builders.ts";
import { DurationSketch } from "./duration-sketch.ts";
import { serviceGraph } from "./graph.ts";
import { SpanMetrics, type SpanMetricsSnapshot } from "./span-metrics.ts";
import { serviceState } from "./summary.ts";

describe("duration sketch", () => {
  test("gives quantiles within 1 % from microseconds to hours", () => {
    const sketch = new DurationSketch();
    for (let i = 1; i <= 10_000; i++) sketch.add(i * 0.37);
    for (const q of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = Math.ceil(q * 10_000) * 0.37;
      expect(Math.abs((sketch.quantile(q) ?? 0) / exact - 1)).toBeLessThanOrEqual(0.011);
    }
  });

  test("knows nothing without durations, and takes negative ones for none", () => {
    const sketch = new DurationSketch();
    expect(sketch.quantile(0.5)).toBeNull();
    sketch.add(-5);
    expect(sketch.quantile(0.5)).toBe(0);
  });
});

describe("span metrics", () => {
  const find = ({ series }: SpanMetricsSnapshot, name: string, labels: Labels = {}) =>
    series.filter(
      (one) =>
        one.labels["__name__"] === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    );

  test("count further combinations together once there are too many", () => {
    const metrics = new SpanMetrics(2);
    metrics.add(
      Array.from({ length: 5 }, (_, i) => span({ name: `GET /${i}`, kind: 1 })),
      BASE_MS,
    );
    const snapshot = metrics.snapshot();
    expect(find(snapshot, "traces_span_metrics_calls_total").map(({ value }) => value)).toEqual([1, 1, 3]);
    expect(find(snapshot, "traces_span_metrics_calls_total", { otel_metric_overflow: "true" })[0]?.value).toBe(3);
    expect(snapshot.overflowed).toBe(3);
  });

  test("let go of combinations that were not met for an hour", () => {
    const metrics = new SpanMetrics(10);
    metrics.add([span({ name: "old" })], BASE_MS);
    metrics.add([span({ name: "new" })], BASE_MS + 3_000_000);
    metrics.expire(BASE_MS + 3_600_001);
    expect(
      find(metrics.snapshot(), "traces_span_metrics_calls_total").map(({ labels }) => labels["span_name"]),
    ).toEqual(["new"]);
  });

  test("carry the newest span as exemplar of the bucket it fell into, once", () => {
    const metrics = new SpanMetrics(10);
    metrics.add([span({ traceId: id(5, 32), spanId: id(6, 16), durationMs: 7 })], BASE_MS);
    const [bucket] = metrics.snapshot().series.filter(({ exemplar }) => exemplar);
    expect(bucket?.labels["le"]).toBe("8");
    expect(bucket?.exemplar).toEqual({
      labels: { trace_id: id(5, 32), span_id: id(6, 16) },
      value: 7,
      timestampMs: BASE_MS + 7,
    });
    expect(metrics.snapshot().series.some(({ exemplar }) => exemplar)).toBe(false);
  });

  test("count a call whichever half comes first, and to a named peer when no other half comes", () => {
    const metrics = new SpanMetrics(10);
    const client = span({ spanId: id(1, 16), service: "api", kind: 3, attributes: { "server.address": "sms.local" } });
    const server = span({ spanId: id(2, 16), parentSpanId: id(1, 16), service: "sms", kind: 2 });
    const query = span({ spanId: id(3, 16), service: "sms", kind: 3, attributes: { "db.system": "redis" } });
    metrics.add([server], BASE_MS);
    metrics.add([client, query], BASE_MS + 1000);
    metrics.expire(BASE_MS + 10_999);
    expect(
      find(metrics.snapshot(), "traces_service_graph_request_total").map(({ labels, value }) => [labels, value]),
    ).toEqual([
      [{ __name__: "traces_service_graph_request_total", client: "api", server: "sms", connection_type: "" }, 1],
    ]);
    metrics.expire(BASE_MS + 11_000);
    const [database] = find(metrics.snapshot(), "traces_service_graph_request_total", { connection_type: "database" });
    expect([database?.labels["client"], database?.labels["server"], database?.value]).toEqual(["sms", "redis", 1]);
  });
});

describe("service state", () => {
  const now = BASE_MS + 86_400_000;
  test.each([
    ["starting", { firstMs: now - 59_000, lastMs: now }, 0.5],
    ["healthy", { firstMs: BASE_MS, lastMs: now - 1000 }, 0.01],
    ["degraded", { firstMs: BASE_MS, lastMs: now - 1000 }, 0.05],
    ["silent", { firstMs: BASE_MS, lastMs: now - 91_000 }, 0],
    ["gone", { firstMs: BASE_MS, lastMs: now - 900_001 }, 0],
  ])("is %s", (state, times, errorRatio) => {
    expect(serviceState({ name: "api", version: "", ...times }, errorRatio, now, 90_000)).toBe(state);
  });
});

test("the graph shows services that call nobody, and peers by their kind", () => {
  const graph = serviceGraph(
    ["alone", "api"],
    { rows: [], range: { fromMs: 0, toMs: 10_000 } },
    {
      edges: [{ source: "api", target: "orders", kind: "queue", count: 20, errors: 5, p95Ms: 12.3456 }],
      range: { fromMs: 0, toMs: 10_000 },
    },
  );
  expect(graph).toEqual({
    nodes: [
      { name: "alone", kind: "service", rate: 0, errorRatio: 0 },
      { name: "api", kind: "service", rate: 0, errorRatio: 0 },
      { name: "orders", kind: "queue", rate: 2, errorRatio: 0.25 },
    ],
    edges: [{ source: "api", target: "orders", rate: 2, errorRatio: 0.25, p95Ms: 12.35 }],
  });
});
