import { encodeLogs, encodeMetrics, encodeTraces, type LogRecord, type Metric, type Span } from "@tocsin/model";

const resource = { attributes: { "service.name": "sms" } };
const scope = { name: "test", version: "1", attributes: {} };

export function log(body: string, overrides: Partial<LogRecord> = {}): LogRecord {
  return {
    timeUnixNano: 1_763_726_400_000_000_000n,
    observedTimeUnixNano: 0n,
    severityNumber: 9,
    severityText: "INFO",
    body,
    attributes: {},
    traceId: "",
    spanId: "",
    flags: 0,
    eventName: "",
    resource,
    scope,
    ...overrides,
  };
}

export function span(name: string, overrides: Partial<Span> = {}): Span {
  return {
    traceId: "5b8efff798038103d269b633813fc60c",
    spanId: "eee19b7ec3c1b174",
    parentSpanId: "",
    traceState: "",
    flags: 0,
    name,
    kind: 2,
    startTimeUnixNano: 1_763_726_400_000_000_000n,
    endTimeUnixNano: 1_763_726_400_100_000_000n,
    attributes: {},
    events: [],
    links: [],
    status: { code: 0, message: "" },
    resource,
    scope,
    ...overrides,
  };
}

export function gauge(name: string, ...values: number[]): Metric {
  return {
    name,
    description: "",
    unit: "",
    metadata: {},
    resource,
    scope,
    type: "gauge",
    points: values.map((value, i) => ({
      attributes: { i: String(i) },
      startTimeUnixNano: 0n,
      timeUnixNano: 1_763_726_400_000_000_000n,
      value,
      flags: 0,
      exemplars: [],
    })),
  };
}

/** An export request of each signal with one record. */
export const requests = {
  logs: encodeLogs([log("hello")]),
  traces: encodeTraces([span("GET /")]),
  metrics: encodeMetrics([gauge("queue.size", 3)]),
};
