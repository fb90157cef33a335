import {
  type AggregationTemporality,
  type Attributes,
  type AttributeValue,
  type ExponentialBuckets,
  type LogRecord,
  type Metric,
  type NumberPoint,
  type OtlpExemplar,
  type Resource,
  type Scope,
  type Span,
} from "../signal.ts";
import { setAttribute } from "./decode-common.ts";
import { toTemporality } from "./decode-metrics.ts";
import { toSpanKind, toStatusCode } from "./decode-traces.ts";
import { groups } from "./group.ts";
import { JsonNode } from "./json-node.ts";

/** Reads a parsed OTLP/JSON ExportLogsServiceRequest. Throws OtlpDecodeError. */
export function logsFromJson(json: unknown): LogRecord[] {
  return readRequest(json, "Logs", "logRecords", readLogRecord);
}

/** Reads a parsed OTLP/JSON ExportTraceServiceRequest. Throws OtlpDecodeError. */
export function tracesFromJson(json: unknown): Span[] {
  return readRequest(json, "Spans", "spans", readSpan);
}

/** Reads a parsed OTLP/JSON ExportMetricsServiceRequest. A metric without any data is left out. Throws OtlpDecodeError. */
export function metricsFromJson(json: unknown): Metric[] {
  return readRequest(json, "Metrics", "metrics", readMetric);
}

/** The three requests differ only in their names and records. */
function readRequest<R>(
  json: unknown,
  signal: "Logs" | "Spans" | "Metrics",
  recordsKey: string,
  readRecord: (node: JsonNode, resource: Resource, scope: Scope) => R | undefined,
): R[] {
  const records: R[] = [];
  for (const group of JsonNode.root(json).list(`resource${signal}`)) {
    const resource: Resource = { attributes: readAttributes(group.object("resource"), "attributes") };
    for (const scoped of group.list(`scope${signal}`)) {
      const scope = readScope(scoped.object("scope"));
      for (const node of scoped.list(recordsKey)) {
        const record = readRecord(node, resource, scope);
        if (record !== undefined) records.push(record);
      }
    }
  }
  return records;
}

function readScope(node: JsonNode | undefined): Scope {
  return {
    name: node?.text("name") ?? "",
    version: node?.text("version") ?? "",
    attributes: readAttributes(node, "attributes"),
  };
}

function readAttributes(node: JsonNode | undefined, key: string): Attributes {
  const attributes: Attributes = {};
  if (!node) return attributes;
  for (const entry of node.list(key)) setAttribute(attributes, entry.text("key"), readAnyValue(entry.object("value")));
  return attributes;
}

function readAnyValue(node: JsonNode | undefined): AttributeValue {
  if (!node) return null;
  if (node.has("stringValue")) return node.text("stringValue");
  if (node.has("boolValue")) return node.boolean("boolValue");
  if (node.has("intValue")) return node.int64("intValue");
  if (node.has("doubleValue")) return node.double("doubleValue");
  if (node.has("bytesValue")) return node.base64("bytesValue");
  const array = node.object("arrayValue");
  if (array) return array.list("values").map(readAnyValue);
  const list = node.object("kvlistValue");
  return list ? readAttributes(list, "values") : null;
}

function readLogRecord(node: JsonNode, resource: Resource, scope: Scope): LogRecord {
  return {
    timeUnixNano: node.uint64("timeUnixNano"),
    observedTimeUnixNano: node.uint64("observedTimeUnixNano"),
    severityNumber: node.enumeration("severityNumber", severityByName),
    severityText: node.text("severityText"),
    body: readAnyValue(node.object("body")),
    attributes: readAttributes(node, "attributes"),
    traceId: node.id("traceId", 16),
    spanId: node.id("spanId", 8),
    flags: node.uint32("flags"),
    eventName: node.text("eventName"),
    resource,
    scope,
  };
}

/** `SEVERITY_NUMBER_INFO` → 9, `SEVERITY_NUMBER_INFO2` → 10, … */
function severityByName(name: string): number | undefined {
  const match = /^SEVERITY_NUMBER_(?:UNSPECIFIED|(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)([234]?))$/.exec(name);
  if (!match) return undefined;
  const [, level, step] = match;
  if (level === undefined) return 0;
  return (
    1 + 4 * ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].indexOf(level) + (step === "" ? 0 : Number(step) - 1)
  );
}

const SPAN_KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS_CODES = ["UNSET", "OK", "ERROR"];
const TEMPORALITIES = ["UNSPECIFIED", "DELTA", "CUMULATIVE"];

/** Reads names like `SPAN_KIND_SERVER` by their place in the list. */
function byName(prefix: string, names: readonly string[]): (name: string) => number | undefined {
  return (name) => {
    const value = name.startsWith(prefix) ? names.indexOf(name.slice(prefix.length)) : -1;
    return value < 0 ? undefined : value;
  };
}

const spanKindByName = byName("SPAN_KIND_", SPAN_KINDS);
const statusCodeByName = byName("STATUS_CODE_", STATUS_CODES);
const temporalityByName = byName("AGGREGATION_TEMPORALITY_", TEMPORALITIES);

function readSpan(node: JsonNode, resource: Resource, scope: Scope): Span {
  const status = node.object("status");
  return {
    traceId: node.id("traceId", 16),
    spanId: node.id("spanId", 8),
    parentSpanId: node.id("parentSpanId", 8),
    traceState: node.text("traceState"),
    flags: node.uint32("flags"),
    name: node.text("name"),
    kind: toSpanKind(node.enumeration("kind", spanKindByName)),
    startTimeUnixNano: node.uint64("startTimeUnixNano"),
    endTimeUnixNano: node.uint64("endTimeUnixNano"),
    attributes: readAttributes(node, "attributes"),
    events: node.list("events").map((event) => ({
      timeUnixNano: event.uint64("timeUnixNano"),
      name: event.text("name"),
      attributes: readAttributes(event, "attributes"),
    })),
    links: node.list("links").map((link) => ({
      traceId: link.id("traceId", 16),
      spanId: link.id("spanId", 8),
      traceState: link.text("traceState"),
      attributes: readAttributes(link, "attributes"),
    })),
    status: {
      code: status ? toStatusCode(status.enumeration("code", statusCodeByName)) : 0,
      message: status?.text("message") ?? "",
    },
    resource,
    scope,
  };
}

function readMetric(node: JsonNode, resource: Resource, scope: Scope): Metric | undefined {
  const head = {
    name: node.text("name"),
    description: node.text("description"),
    unit: node.text("unit"),
    metadata: readAttributes(node, "metadata"),
    resource,
    scope,
  };
  const gauge = node.object("gauge");
  if (gauge) return { ...head, type: "gauge", points: gauge.list("dataPoints").map(readNumberPoint) };
  const sum = node.object("sum");
  if (sum) {
    return {
      ...head,
      type: "sum",
      monotonic: sum.boolean("isMonotonic"),
      temporality: readTemporality(sum),
      points: sum.list("dataPoints").map(readNumberPoint),
    };
  }
  const histogram = node.object("histogram");
  if (histogram) {
    const points = histogram.list("dataPoints").map((point) => ({
      ...readPointHead(point),
      count: Number(point.uint64("count")),
      sum: point.optionalDouble("sum"),
      bucketCounts: point.scalars("bucketCounts").map((count) => Number(count.asUint64())),
      explicitBounds: point.scalars("explicitBounds").map((bound) => bound.asDouble()),
      min: point.optionalDouble("min"),
      max: point.optionalDouble("max"),
      exemplars: point.list("exemplars").map(readExemplar),
    }));
    return { ...head, type: "histogram", temporality: readTemporality(histogram), points };
  }
  const exponential = node.object("exponentialHistogram");
  if (exponential) {
    const points = exponential.list("dataPoints").map((point) => ({
      ...readPointHead(point),
      count: Number(point.uint64("count")),
      sum: point.optionalDouble("sum"),
      scale: point.int32("scale"),
      zeroCount: Number(point.uint64("zeroCount")),
      zeroThreshold: point.double("zeroThreshold"),
      positive: readBuckets(point.object("positive")),
      negative: readBuckets(point.object("negative")),
      min: point.optionalDouble("min"),
      max: point.optionalDouble("max"),
      exemplars: point.list("exemplars").map(readExemplar),
    }));
    return { ...head, type: "exponentialHistogram", temporality: readTemporality(exponential), points };
  }
  const summary = node.object("summary");
  if (!summary) return undefined;
  const points = summary.list("dataPoints").map((point) => ({
    ...readPointHead(point),
    count: Number(point.uint64("count")),
    sum: point.double("sum"),
    quantiles: point.list("quantileValues").map((entry) => ({
      quantile: entry.double("quantile"),
      value: entry.double("value"),
    })),
  }));
  return { ...head, type: "summary", points };
}

function readTemporality(node: JsonNode): AggregationTemporality {
  return toTemporality(node.enumeration("aggregationTemporality", temporalityByName));
}

function readPointHead(node: JsonNode) {
  return {
    attributes: readAttributes(node, "attributes"),
    startTimeUnixNano: node.uint64("startTimeUnixNano"),
    timeUnixNano: node.uint64("timeUnixNano"),
    flags: node.uint32("flags"),
  };
}

function readNumberPoint(node: JsonNode): NumberPoint {
  return { ...readPointHead(node), value: readNumber(node), exemplars: node.list("exemplars").map(readExemplar) };
}

function readNumber(node: JsonNode): number {
  return node.has("asInt") ? Number(node.int64("asInt")) : node.double("asDouble");
}

function readExemplar(node: JsonNode): OtlpExemplar {
  return {
    timeUnixNano: node.uint64("timeUnixNano"),
    value: readNumber(node),
    traceId: node.id("traceId", 16),
    spanId: node.id("spanId", 8),
    filteredAttributes: readAttributes(node, "filteredAttributes"),
  };
}

function readBuckets(node: JsonNode | undefined): ExponentialBuckets {
  if (!node) return { offset: 0, bucketCounts: [] };
  return {
    offset: node.int32("offset"),
    bucketCounts: node.scalars("bucketCounts").map((count) => Number(count.asUint64())),
  };
}

/** Writes spans as OTLP/JSON TracesData: `{ resourceSpans: [...] }`. */
export function tracesToJson(spans: readonly Span[]): { resourceSpans: unknown[] } {
  return {
    resourceSpans: groups(spans).map(({ resource, scopes }) => ({
      resource: { attributes: writeAttributes(resource.attributes) },
      scopeSpans: scopes.map(({ scope, records }) => ({
        scope: {
          ...(scope.name !== "" && { name: scope.name }),
          ...(scope.version !== "" && { version: scope.version }),
          ...writeIfAny("attributes", writeAttributes(scope.attributes)),
        },
        spans: records.map(writeSpan),
      })),
    })),
  };
}

function writeSpan(span: Span): unknown {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== "" && { parentSpanId: span.parentSpanId }),
    ...(span.traceState !== "" && { traceState: span.traceState }),
    ...(span.flags !== 0 && { flags: span.flags }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    ...writeIfAny("attributes", writeAttributes(span.attributes)),
    ...writeIfAny(
      "events",
      span.events.map((event) => ({
        timeUnixNano: String(event.timeUnixNano),
        name: event.name,
        ...writeIfAny("attributes", writeAttributes(event.attributes)),
      })),
    ),
    ...writeIfAny(
      "links",
      span.links.map((link) => ({
        traceId: link.traceId,
        spanId: link.spanId,
        ...(link.traceState !== "" && { traceState: link.traceState }),
        ...writeIfAny("attributes", writeAttributes(link.attributes)),
      })),
    ),
    status: {
      ...(span.status.message !== "" && { message: span.status.message }),
      ...(span.status.code !== 0 && { code: span.status.code }),
    },
  };
}

function writeIfAny(key: string, list: unknown[]): Record<string, unknown[]> {
  return list.length === 0 ? {} : { [key]: list };
}

function writeAttributes(attributes: Attributes): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: writeAnyValue(value) }));
}

function writeAnyValue(value: AttributeValue): unknown {
  if (value === null) return {};
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "bigint") return { intValue: String(value) };
  if (typeof value === "number") {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { intValue: String(value) };
    return { doubleValue: Number.isFinite(value) ? value : String(value) };
  }
  if (value instanceof Uint8Array)
    return { bytesValue: btoa(Array.from(value, (byte) => String.fromCharCode(byte)).join("")) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(writeAnyValue) } };
  return { kvlistValue: { values: writeAttributes(value) } };
}
