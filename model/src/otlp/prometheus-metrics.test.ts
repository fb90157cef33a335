import { describe, expect, test } from "vitest";
import type { WriteRequest } from "../series.ts";
import type { Attributes, Metric, Resource } from "../signal.ts";
import { decodeMetrics, encodeMetrics, otlpToSamples, samplesToOtlp } from "./index.ts";
import { prometheusLabelName, prometheusName } from "./prometheus-names.ts";

describe("scraped samples come back as they went", () => {
  const target = { job: "api", instance: "127.0.0.1:8081", region: "eu" };
  const at = 1_763_726_400_123;
  const request: WriteRequest = {
    series: [
      { labels: { __name__: "up", ...target }, samples: [{ timestampMs: at, value: 1 }] },
      {
        labels: { __name__: "http_requests_total", route: "/orders/:id", "dotted.label": "x", ...target },
        samples: [{ timestampMs: at, value: 42, startTimestampMs: 1_763_726_000_000 }],
        exemplars: [
          {
            labels: { trace_id: "5b8efff798038103d269b633813fc60c", span_id: "short", user: "7" },
            value: 0.5,
            timestampMs: at - 5,
          },
        ],
      },
      {
        labels: { __name__: "latency_seconds_bucket", le: "+Inf", ...target },
        samples: [{ timestampMs: at, value: 3 }],
      },
      { labels: { __name__: "latency_seconds_sum", ...target }, samples: [{ timestampMs: at, value: Number.NaN }] },
      { labels: { __name__: "gone", ...target }, samples: [{ timestampMs: at, value: Number.NaN, stale: true }] },
      {
        labels: { __name__: "native", ...target },
        samples: [
          {
            timestampMs: at,
            value: 0,
            histogram: {
              schema: 3,
              count: 6,
              sum: 1.5,
              zeroThreshold: 0,
              zeroCount: 1,
              positiveOffset: -2,
              positiveBuckets: [1, 0, 2],
              negativeOffset: 4,
              negativeBuckets: [2],
              customValues: [],
              counterReset: "unknown",
            },
          },
        ],
      },
      {
        labels: { __name__: "custom", ...target },
        samples: [
          {
            timestampMs: at,
            value: 0,
            histogram: {
              schema: -53,
              count: 3,
              sum: 1.5,
              zeroThreshold: 0,
              zeroCount: 0,
              positiveOffset: 0,
              positiveBuckets: [1, 0, 2],
              negativeOffset: 0,
              negativeBuckets: [],
              customValues: [0.1, 1],
              counterReset: "gauge",
            },
          },
        ],
      },
    ],
    metadata: [
      { metric: "http_requests", type: "counter", unit: "", help: "Requests served." },
      { metric: "latency_seconds", type: "histogram", unit: "seconds", help: "" },
    ],
  };

  test("over the wire", () => {
    const { metrics, dropped } = samplesToOtlp(request);
    expect(dropped).toEqual({});
    const back = otlpToSamples(decodeMetrics(encodeMetrics(metrics)));
    expect(back).toEqual({ request, dropped: {} });
  });

  test("a counter travels as a monotonic cumulative sum of its target's resource", () => {
    const [up, requests] = samplesToOtlp(request).metrics;
    expect(up).toMatchObject({ type: "gauge", metadata: { "prometheus.type": "unknown" } });
    expect(requests).toMatchObject({
      name: "http_requests_total",
      type: "sum",
      monotonic: true,
      temporality: 2,
      description: "Requests served.",
      metadata: { "prometheus.type": "counter", "prometheus.family": "http_requests" },
      resource: { attributes: { "service.name": "api", "service.instance.id": "127.0.0.1:8081" } },
      points: [{ attributes: { route: "/orders/:id", "dotted.label": "x", ...target } }],
    });
  });

  test("but histograms with fractional counts, which OTLP cannot hold, are counted out", () => {
    const [native] = request.series.slice(5);
    const sample = native?.samples[0];
    if (!native || !sample?.histogram) throw new Error("no histogram in the request");
    const fractional = { ...native, samples: [{ ...sample, histogram: { ...sample.histogram, count: 1.5 } }] };
    expect(samplesToOtlp({ series: [fractional] })).toEqual({ metrics: [], dropped: { float_histogram: 1 } });
  });
});

describe("pushed metrics get Prometheus' names", () => {
  const resource: Resource = {
    attributes: {
      "service.name": "sms",
      "service.namespace": "shop",
      "service.instance.id": "i-1",
      "host.name": "h1",
      "process.pid": 7,
    },
  };
  const head = (name: string, unit = "") => ({
    name,
    unit,
    description: "",
    metadata: {},
    resource,
    scope: { name: "", version: "", attributes: {} },
  });
  const point = (attributes: Attributes = {}) => ({
    attributes,
    startTimeUnixNano: 0n,
    timeUnixNano: 5_000_000_000n,
    flags: 0,
    exemplars: [],
  });
  const identity = { job: "shop/sms", instance: "i-1" };
  const info = {
    labels: { __name__: "target_info", host_name: "h1", process_pid: "7", ...identity },
    samples: [{ timestampMs: 5000, value: 1 }],
  };
  const infoMetadata = { metric: "target_info", type: "gauge", unit: "", help: "Target metadata" };
  const sample = (value: number) => [{ timestampMs: 5000, value }];

  test("a counter", () => {
    const metrics: Metric[] = [
      {
        ...head("sms.sent", "{message}"),
        type: "sum",
        monotonic: true,
        temporality: 2,
        points: [{ ...point({ "sms.provider": "beta", empty: "", ok: true }), value: 3 }],
      },
    ];
    expect(otlpToSamples(metrics)).toEqual({
      request: {
        series: [
          { labels: { __name__: "sms_sent_total", sms_provider: "beta", ok: "true", ...identity }, samples: sample(3) },
          info,
        ],
        metadata: [{ metric: "sms_sent_total", type: "counter", unit: "", help: "" }, infoMetadata],
      },
      dropped: {},
    });
  });

  test("a histogram", () => {
    const metrics: Metric[] = [
      {
        ...head("http.server.request.duration", "s"),
        type: "histogram",
        temporality: 2,
        points: [
          {
            ...point(),
            count: 6,
            sum: 7.5,
            bucketCounts: [1, 2, 3],
            explicitBounds: [0.00001, 10],
            min: undefined,
            max: undefined,
            exemplars: [
              {
                timeUnixNano: 1_000_000n,
                value: 5,
                traceId: "5b8efff798038103d269b633813fc60c",
                spanId: "",
                filteredAttributes: {},
              },
            ],
          },
        ],
      },
    ];
    const name = "http_server_request_duration_seconds";
    expect(otlpToSamples(metrics).request).toEqual({
      series: [
        { labels: { __name__: `${name}_sum`, ...identity }, samples: sample(7.5) },
        { labels: { __name__: `${name}_count`, ...identity }, samples: sample(6) },
        { labels: { __name__: `${name}_bucket`, le: "0.00001", ...identity }, samples: sample(1) },
        {
          labels: { __name__: `${name}_bucket`, le: "10", ...identity },
          samples: sample(3),
          exemplars: [{ labels: { trace_id: "5b8efff798038103d269b633813fc60c" }, value: 5, timestampMs: 1 }],
        },
        { labels: { __name__: `${name}_bucket`, le: "+Inf", ...identity }, samples: sample(6) },
        info,
      ],
      metadata: [{ metric: name, type: "histogram", unit: "seconds", help: "" }, infoMetadata],
    });
  });

  test("a summary whose point is stale", () => {
    const metrics: Metric[] = [
      {
        ...head("rpc"),
        resource: { attributes: { "service.name": "sms" } },
        type: "summary",
        points: [{ ...point(), flags: 1, count: 0, sum: 0, quantiles: [{ quantile: 0.5, value: 1 }] }],
      },
    ];
    const stale = [{ timestampMs: 5000, value: Number.NaN, stale: true }];
    expect(otlpToSamples(metrics).request.series).toEqual([
      { labels: { __name__: "rpc_sum", job: "sms" }, samples: stale },
      { labels: { __name__: "rpc_count", job: "sms" }, samples: stale },
      { labels: { __name__: "rpc", quantile: "0.5", job: "sms" }, samples: stale },
    ]);
  });

  test("an exponential histogram finer than schema 8 becomes a native one of schema 8", () => {
    const metrics: Metric[] = [
      {
        ...head("size", "By"),
        type: "exponentialHistogram",
        temporality: 2,
        points: [
          {
            ...point(),
            count: 16,
            sum: undefined,
            scale: 10,
            zeroCount: 1,
            zeroThreshold: 0,
            positive: { offset: -3, bucketCounts: [1, 2, 3, 4, 5] },
            negative: { offset: 0, bucketCounts: [] },
            min: undefined,
            max: undefined,
          },
        ],
      },
    ];
    expect(otlpToSamples(metrics).request.series[0]?.samples[0]?.histogram).toEqual({
      schema: 8,
      count: 16,
      sum: 0,
      zeroThreshold: 1e-128,
      zeroCount: 1,
      // Fine buckets −3…1 are the coarse −1 (three of them) and 0; Prometheus counts one further.
      positiveOffset: 0,
      positiveBuckets: [6, 9],
      negativeOffset: 1,
      negativeBuckets: [],
      customValues: [],
      counterReset: "unknown",
    });
  });

  test("a promoted resource attribute does not displace the point's own", () => {
    const metrics: Metric[] = [
      {
        ...head("a"),
        type: "gauge",
        points: [
          { ...point({ "host.name": "mine" }), value: 1 },
          { ...point(), value: 2 },
        ],
      },
    ];
    const { series } = otlpToSamples(metrics, { promoteResourceAttributes: ["host.name", "absent"] }).request;
    expect(series.slice(0, 2).map(({ labels }) => labels["host_name"])).toEqual(["mine", "h1"]);
  });

  test("an attribute cannot take the name's place", () => {
    const attributes = { __name__: "up", host: "h1" };
    const metrics: Metric[] = [{ ...head("a"), type: "gauge", points: [{ ...point(attributes), value: 1 }] }];
    expect(otlpToSamples(metrics).request.series[0]?.labels).toEqual({ __name__: "a", host: "h1", ...identity });
  });

  test("what Prometheus cannot hold is counted out by reason", () => {
    const number = { ...point(), value: 1 };
    const exponential = {
      ...point(),
      count: 0,
      sum: 0,
      scale: -5,
      zeroCount: 0,
      zeroThreshold: 0,
      positive: { offset: 0, bucketCounts: [] },
      negative: { offset: 0, bucketCounts: [] },
      min: undefined,
      max: undefined,
    };
    const metrics: Metric[] = [
      { ...head("a"), type: "sum", monotonic: true, temporality: 1, points: [number, number] },
      { ...head("b"), type: "sum", monotonic: true, temporality: 0, points: [number] },
      { ...head("..."), type: "gauge", points: [number] },
      { ...head("c"), type: "gauge", points: [{ ...number, timeUnixNano: 0n }] },
      { ...head("d"), type: "exponentialHistogram", temporality: 2, points: [exponential] },
    ];
    const { dropped } = otlpToSamples(metrics);
    expect(dropped).toEqual({ delta: 2, temporality: 1, name: 1, no_timestamp: 1, scale: 1 });
  });
});

test.each([
  ["http.server.request.duration", "s", "other", "http_server_request_duration_seconds"],
  ["requests", "1", "counter", "requests_total"],
  ["requests_total_count", "", "counter", "requests_count_total"],
  ["cpu.utilization", "1", "gauge", "cpu_utilization_ratio"],
  ["disk.io", "By/s", "gauge", "disk_io_bytes_per_second"],
  ["memory_bytes", "By", "gauge", "memory_bytes"],
  ["queue", "{item}/s", "gauge", "queue_per_second"],
  ["fuel", "mi/gal", "gauge", "fuel_mi_per_gal"],
  ["2xx", "", "other", "_2xx"],
  ["a__b..c", "", "other", "a_b_c"],
  ["ns:rule", "", "other", "ns:rule"],
  ["héllo", "", "other", "h_llo"],
  ["toString", "toString", "other", "toString"],
] as const)("the name of %s in %s (%s) is %s", (name, unit, kind, expected) => {
  expect(prometheusName(name, unit, kind)).toBe(expected);
});

test.each([
  ["http.route", "http_route"],
  ["1st", "key_1st"],
  ["_private", "key_private"],
  ["__reserved__", "__reserved__"],
  ["naïve", "na_ve"],
  ["..", ""],
])("the label of %s is %s", (attribute, expected) => {
  expect(prometheusLabelName(attribute)).toBe(expected);
});
