import type {
  Attributes,
  AttributeValue,
  ExponentialHistogramPoint,
  HistogramPoint,
  LogRecord,
  Metric,
  NumberPoint,
  OtlpExemplar,
  Resource,
  Scope,
  Span,
  SummaryPoint,
} from "../signal.ts";
import { groups } from "./group.ts";
import { Writer } from "./writer.ts";

/** Writes an ExportLogsServiceRequest; neighbours that share resource and scope objects share their groups. */
export function encodeLogs(records: readonly LogRecord[]): Uint8Array {
  return writeRequest(records, writeLogRecord);
}

/** Writes an ExportTraceServiceRequest; neighbours that share resource and scope objects share their groups. */
export function encodeTraces(spans: readonly Span[]): Uint8Array {
  return writeRequest(spans, writeSpan);
}

/** Writes an ExportMetricsServiceRequest; neighbours that share resource and scope objects share their groups. */
export function encodeMetrics(metrics: readonly Metric[]): Uint8Array {
  return writeRequest(metrics, writeMetric);
}

/** The three requests differ only in their records. */
function writeRequest<R extends { resource: Resource; scope: Scope }>(
  records: readonly R[],
  writeRecord: (writer: Writer, record: R) => void,
): Uint8Array {
  const writer = new Writer();
  for (const { resource, scopes } of groups(records)) {
    const resourceGroup = writer.begin(10);
    const mark = writer.begin(10);
    writeAttributes(writer, 10, resource.attributes);
    writer.end(mark);
    for (const { scope, records } of scopes) {
      const scopeGroup = writer.begin(18);
      writeScope(writer, scope);
      for (const record of records) {
        const mark = writer.begin(18);
        writeRecord(writer, record);
        writer.end(mark);
      }
      writer.end(scopeGroup);
    }
    writer.end(resourceGroup);
  }
  return writer.finish();
}

function writeScope(writer: Writer, scope: Scope): void {
  const mark = writer.begin(10);
  writeText(writer, 10, scope.name);
  writeText(writer, 18, scope.version);
  writeAttributes(writer, 26, scope.attributes);
  writer.end(mark);
}

function writeLogRecord(writer: Writer, record: LogRecord): void {
  writeTime(writer, 9, record.timeUnixNano);
  writeTime(writer, 89, record.observedTimeUnixNano);
  writeInt(writer, 16, record.severityNumber);
  writeText(writer, 26, record.severityText);
  if (record.body !== null) writeAnyValue(writer, 42, record.body);
  writeAttributes(writer, 50, record.attributes);
  writeFixed32(writer, 69, record.flags);
  writer.id(74, record.traceId);
  writer.id(82, record.spanId);
  writeText(writer, 98, record.eventName);
}

function writeSpan(writer: Writer, span: Span): void {
  writer.id(10, span.traceId);
  writer.id(18, span.spanId);
  writeText(writer, 26, span.traceState);
  writer.id(34, span.parentSpanId);
  writeText(writer, 42, span.name);
  writeInt(writer, 48, span.kind);
  writeTime(writer, 57, span.startTimeUnixNano);
  writeTime(writer, 65, span.endTimeUnixNano);
  writeAttributes(writer, 74, span.attributes);
  for (const event of span.events) {
    const mark = writer.begin(90);
    writeTime(writer, 9, event.timeUnixNano);
    writeText(writer, 18, event.name);
    writeAttributes(writer, 26, event.attributes);
    writer.end(mark);
  }
  for (const link of span.links) {
    const mark = writer.begin(106);
    writer.id(10, link.traceId);
    writer.id(18, link.spanId);
    writeText(writer, 26, link.traceState);
    writeAttributes(writer, 34, link.attributes);
    writer.end(mark);
  }
  if (span.status.code !== 0 || span.status.message !== "") {
    const mark = writer.begin(122);
    writeText(writer, 18, span.status.message);
    writeInt(writer, 24, span.status.code);
    writer.end(mark);
  }
  writeFixed32(writer, 133, span.flags);
}

function writeMetric(writer: Writer, metric: Metric): void {
  writeText(writer, 10, metric.name);
  writeText(writer, 18, metric.description);
  writeText(writer, 26, metric.unit);
  const mark = writer.begin(DATA_TAG[metric.type]);
  switch (metric.type) {
    case "gauge":
      writePoints(writer, metric.points, writeNumberPoint);
      break;
    case "sum":
      writePoints(writer, metric.points, writeNumberPoint);
      writeInt(writer, 16, metric.temporality);
      writeInt(writer, 24, metric.monotonic ? 1 : 0);
      break;
    case "histogram":
      writePoints(writer, metric.points, writeHistogramPoint);
      writeInt(writer, 16, metric.temporality);
      break;
    case "exponentialHistogram":
      writePoints(writer, metric.points, writeExponentialHistogramPoint);
      writeInt(writer, 16, metric.temporality);
      break;
    case "summary":
      writePoints(writer, metric.points, writeSummaryPoint);
  }
  writer.end(mark);
  writeAttributes(writer, 98, metric.metadata);
}

const DATA_TAG = { gauge: 42, sum: 58, histogram: 74, exponentialHistogram: 82, summary: 90 } as const;

function writePoints<P>(writer: Writer, points: readonly P[], writePoint: (writer: Writer, point: P) => void): void {
  for (const point of points) {
    const mark = writer.begin(10);
    writePoint(writer, point);
    writer.end(mark);
  }
}

function writeNumberPoint(writer: Writer, point: NumberPoint): void {
  writeAttributes(writer, 58, point.attributes);
  writeTime(writer, 17, point.startTimeUnixNano);
  writeTime(writer, 25, point.timeUnixNano);
  writeDouble(writer, 33, point.value);
  writeExemplars(writer, 42, point.exemplars);
  writeInt(writer, 64, point.flags);
}

function writeHistogramPoint(writer: Writer, point: HistogramPoint): void {
  writeAttributes(writer, 74, point.attributes);
  writeTime(writer, 17, point.startTimeUnixNano);
  writeTime(writer, 25, point.timeUnixNano);
  writeCount(writer, 33, point.count);
  if (point.sum !== undefined) writeDouble(writer, 41, point.sum);
  writePacked(writer, 50, point.bucketCounts, (count) => writer.count(count));
  writePacked(writer, 58, point.explicitBounds, (bound) => writer.double(bound));
  writeExemplars(writer, 66, point.exemplars);
  writeInt(writer, 80, point.flags);
  if (point.min !== undefined) writeDouble(writer, 89, point.min);
  if (point.max !== undefined) writeDouble(writer, 97, point.max);
}

function writeExponentialHistogramPoint(writer: Writer, point: ExponentialHistogramPoint): void {
  writeAttributes(writer, 10, point.attributes);
  writeTime(writer, 17, point.startTimeUnixNano);
  writeTime(writer, 25, point.timeUnixNano);
  writeCount(writer, 33, point.count);
  if (point.sum !== undefined) writeDouble(writer, 41, point.sum);
  writer.varint(48);
  writer.sint32(point.scale);
  writeCount(writer, 57, point.zeroCount);
  writeBuckets(writer, 66, point.positive);
  writeBuckets(writer, 74, point.negative);
  writeInt(writer, 80, point.flags);
  writeExemplars(writer, 90, point.exemplars);
  if (point.min !== undefined) writeDouble(writer, 97, point.min);
  if (point.max !== undefined) writeDouble(writer, 105, point.max);
  writeDouble(writer, 113, point.zeroThreshold);
}

function writeBuckets(writer: Writer, tag: number, buckets: ExponentialHistogramPoint["positive"]): void {
  const mark = writer.begin(tag);
  writer.varint(8);
  writer.sint32(buckets.offset);
  writePacked(writer, 18, buckets.bucketCounts, (count) => writer.varint(count));
  writer.end(mark);
}

function writeSummaryPoint(writer: Writer, point: SummaryPoint): void {
  writeAttributes(writer, 58, point.attributes);
  writeTime(writer, 17, point.startTimeUnixNano);
  writeTime(writer, 25, point.timeUnixNano);
  writeCount(writer, 33, point.count);
  writeDouble(writer, 41, point.sum);
  for (const { quantile, value } of point.quantiles) {
    const mark = writer.begin(50);
    writeDouble(writer, 9, quantile);
    writeDouble(writer, 17, value);
    writer.end(mark);
  }
  writeInt(writer, 64, point.flags);
}

function writeExemplars(writer: Writer, tag: number, exemplars: readonly OtlpExemplar[]): void {
  for (const exemplar of exemplars) {
    const mark = writer.begin(tag);
    writeAttributes(writer, 58, exemplar.filteredAttributes);
    writeTime(writer, 17, exemplar.timeUnixNano);
    writeDouble(writer, 25, exemplar.value);
    writer.id(34, exemplar.spanId);
    writer.id(42, exemplar.traceId);
    writer.end(mark);
  }
}

function writeAttributes(writer: Writer, tag: number, attributes: Attributes): void {
  for (const key in attributes) {
    const mark = writer.begin(tag);
    writeText(writer, 10, key);
    writeAnyValue(writer, 18, attributes[key] as AttributeValue);
    writer.end(mark);
  }
}

/**
 * Safe integers become int_value and all other numbers double_value. So a double that happens to be whole comes out as an
 * integer: the same number to every reader of ours, another type to strict ones. Bytes that pass through untouched keep it.
 */
function writeAnyValue(writer: Writer, tag: number, value: AttributeValue): void {
  const mark = writer.begin(tag);
  if (typeof value === "string") writer.string(10, value);
  else if (typeof value === "boolean") {
    writer.varint(16);
    writer.varint(value ? 1 : 0);
  } else if (typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0))) {
    writer.varint(24);
    writer.int64(value as number | bigint);
  } else if (typeof value === "number") {
    writer.varint(33);
    writer.double(value);
  } else if (value instanceof Uint8Array) writer.bytes(58, value);
  else if (Array.isArray(value)) {
    const list = writer.begin(42);
    for (const item of value) writeAnyValue(writer, 10, item);
    writer.end(list);
  } else if (value !== null) {
    const list = writer.begin(50);
    writeAttributes(writer, 10, value);
    writer.end(list);
  }
  writer.end(mark);
}

// Proto3 leaves out a field at its default.

function writeText(writer: Writer, tag: number, text: string): void {
  if (text !== "") writer.string(tag, text);
}

function writeInt(writer: Writer, tag: number, value: number): void {
  if (value === 0) return;
  writer.varint(tag);
  writer.int64(value);
}

function writeFixed32(writer: Writer, tag: number, value: number): void {
  if (value === 0) return;
  writer.varint(tag);
  writer.fixed32(value);
}

function writeTime(writer: Writer, tag: number, value: bigint): void {
  if (value === 0n) return;
  writer.varint(tag);
  writer.fixed64(value);
}

function writeCount(writer: Writer, tag: number, value: number): void {
  writer.varint(tag);
  writer.count(value);
}

function writeDouble(writer: Writer, tag: number, value: number): void {
  writer.varint(tag);
  writer.double(value);
}

function writePacked(writer: Writer, tag: number, values: readonly number[], write: (value: number) => void): void {
  if (values.length === 0) return;
  const mark = writer.begin(tag);
  for (const value of values) write(value);
  writer.end(mark);
}
