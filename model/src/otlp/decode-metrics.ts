import type {
  AggregationTemporality,
  Attributes,
  ExponentialBuckets,
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  NumberPoint,
  OtlpExemplar,
  Resource,
  Scope,
  SummaryPoint,
} from "../signal.ts";
import { readAttribute, readRequest } from "./decode-common.ts";
import { decodeAt, type Reader } from "./reader.ts";
import { requestSchemas, schemas, type MessageSchema } from "./schema.ts";

/** Reads an ExportMetricsServiceRequest. A metric without any data is left out. Throws OtlpDecodeError. */
export function decodeMetrics(bytes: Uint8Array): Metric[] {
  return decodeAt(requestSchemas.metrics.request, bytes, (reader) => {
    const metrics: Metric[] = [];
    readRequest(reader, requestSchemas.metrics, (reader, resource, scope) => {
      const metric = readMetric(reader, resource, scope);
      if (metric) metrics.push(metric);
    });
    return metrics;
  });
}

type MetricData =
  | { type: "gauge"; points: NumberPoint[] }
  | { type: "sum"; monotonic: boolean; temporality: AggregationTemporality; points: NumberPoint[] }
  | { type: "histogram"; temporality: AggregationTemporality; points: HistogramPoint[] }
  | { type: "exponentialHistogram"; temporality: AggregationTemporality; points: ExponentialHistogramPoint[] }
  | { type: "summary"; points: SummaryPoint[] };

function readMetric(reader: Reader, resource: Resource, scope: Scope): Metric | undefined {
  const outer = reader.enter();
  reader.countObject();
  let name = "";
  let description = "";
  let unit = "";
  const metadata: Attributes = {};
  let data: MetricData | undefined;
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        name = reader.string();
        break;
      case 18:
        description = reader.string();
        break;
      case 26:
        unit = reader.string();
        break;
      case 42:
        data = { type: "gauge", points: readData(reader, schemas.Gauge, readNumberPoint).points };
        break;
      case 58:
        data = { type: "sum", ...readData(reader, schemas.Sum, readNumberPoint) };
        break;
      case 74: {
        const { points, temporality } = readData(reader, schemas.Histogram, readHistogramPoint);
        data = { type: "histogram", temporality, points };
        break;
      }
      case 82: {
        const { points, temporality } = readData(reader, schemas.ExponentialHistogram, readExponentialHistogramPoint);
        data = { type: "exponentialHistogram", temporality, points };
        break;
      }
      case 90:
        data = { type: "summary", points: readData(reader, schemas.Summary, readSummaryPoint).points };
        break;
      case 98:
        readAttribute(reader, metadata);
        break;
      default:
        reader.skip(tag, schemas.Metric);
    }
  }
  reader.leave(outer);
  return data && { name, description, unit, metadata, resource, scope, ...data };
}

/** Gauge, Sum, Histogram, … share their field numbers; each schema says which of them it has. */
function readData<P>(
  reader: Reader,
  schema: MessageSchema,
  readPoint: (reader: Reader) => P,
): { points: P[]; temporality: AggregationTemporality; monotonic: boolean } {
  const outer = reader.enter();
  reader.countObject();
  const points: P[] = [];
  let temporality: AggregationTemporality = 0;
  let monotonic = false;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) points.push(readPoint(reader));
    else if (tag === 16 && schema.fields[2]) temporality = toTemporality(reader.int32());
    else if (tag === 24 && schema.fields[3]) monotonic = reader.bool();
    else reader.skip(tag, schema);
  }
  reader.leave(outer);
  return { points, temporality, monotonic };
}

/** A temporality that OTLP does not know counts as unspecified. */
export function toTemporality(value: number): AggregationTemporality {
  return value === 1 || value === 2 ? value : 0;
}

function readNumberPoint(reader: Reader): NumberPoint {
  const outer = reader.enter();
  reader.countObject();
  const point: NumberPoint = {
    attributes: {},
    startTimeUnixNano: 0n,
    timeUnixNano: 0n,
    value: 0,
    flags: 0,
    exemplars: [],
  };
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 17:
        point.startTimeUnixNano = reader.fixed64();
        break;
      case 25:
        point.timeUnixNano = reader.fixed64();
        break;
      case 33:
        point.value = reader.double();
        break;
      case 42:
        point.exemplars.push(readExemplar(reader));
        break;
      case 49:
        point.value = reader.sfixed64Number();
        break;
      case 58:
        readAttribute(reader, point.attributes);
        break;
      case 64:
        point.flags = reader.varint() >>> 0;
        break;
      default:
        reader.skip(tag, schemas.NumberDataPoint);
    }
  }
  reader.leave(outer);
  return point;
}

function readHistogramPoint(reader: Reader): HistogramPoint {
  const outer = reader.enter();
  reader.countObject();
  const point: HistogramPoint = {
    attributes: {},
    startTimeUnixNano: 0n,
    timeUnixNano: 0n,
    count: 0,
    sum: undefined,
    bucketCounts: [],
    explicitBounds: [],
    min: undefined,
    max: undefined,
    flags: 0,
    exemplars: [],
  };
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 17:
        point.startTimeUnixNano = reader.fixed64();
        break;
      case 25:
        point.timeUnixNano = reader.fixed64();
        break;
      case 33:
        point.count = reader.fixed64Number();
        break;
      case 41:
        point.sum = reader.double();
        break;
      case 49:
        point.bucketCounts.push(reader.fixed64Number());
        break;
      case 50:
        readPacked64(reader, point.bucketCounts, () => reader.fixed64Number());
        break;
      case 57:
        point.explicitBounds.push(reader.double());
        break;
      case 58:
        readPacked64(reader, point.explicitBounds, () => reader.double());
        break;
      case 66:
        point.exemplars.push(readExemplar(reader));
        break;
      case 74:
        readAttribute(reader, point.attributes);
        break;
      case 80:
        point.flags = reader.varint() >>> 0;
        break;
      case 89:
        point.min = reader.double();
        break;
      case 97:
        point.max = reader.double();
        break;
      default:
        reader.skip(tag, schemas.HistogramDataPoint);
    }
  }
  reader.leave(outer);
  return point;
}

function readExponentialHistogramPoint(reader: Reader): ExponentialHistogramPoint {
  const outer = reader.enter();
  reader.countObject();
  const point: ExponentialHistogramPoint = {
    attributes: {},
    startTimeUnixNano: 0n,
    timeUnixNano: 0n,
    count: 0,
    sum: undefined,
    scale: 0,
    zeroCount: 0,
    zeroThreshold: 0,
    positive: { offset: 0, bucketCounts: [] },
    negative: { offset: 0, bucketCounts: [] },
    min: undefined,
    max: undefined,
    flags: 0,
    exemplars: [],
  };
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        readAttribute(reader, point.attributes);
        break;
      case 17:
        point.startTimeUnixNano = reader.fixed64();
        break;
      case 25:
        point.timeUnixNano = reader.fixed64();
        break;
      case 33:
        point.count = reader.fixed64Number();
        break;
      case 41:
        point.sum = reader.double();
        break;
      case 48:
        point.scale = reader.sint32();
        break;
      case 57:
        point.zeroCount = reader.fixed64Number();
        break;
      case 66:
        readBuckets(reader, point.positive);
        break;
      case 74:
        readBuckets(reader, point.negative);
        break;
      case 80:
        point.flags = reader.varint() >>> 0;
        break;
      case 90:
        point.exemplars.push(readExemplar(reader));
        break;
      case 97:
        point.min = reader.double();
        break;
      case 105:
        point.max = reader.double();
        break;
      case 113:
        point.zeroThreshold = reader.double();
        break;
      default:
        reader.skip(tag, schemas.ExponentialHistogramDataPoint);
    }
  }
  reader.leave(outer);
  return point;
}

function readBuckets(reader: Reader, buckets: ExponentialBuckets): void {
  const outer = reader.enter();
  reader.countObject();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 8) buckets.offset = reader.sint32();
    else if (tag === 16) buckets.bucketCounts.push(reader.varint());
    else if (tag === 18) readPackedVarints(reader, buckets.bucketCounts);
    else reader.skip(tag, schemas.Buckets);
  }
  reader.leave(outer);
}

function readSummaryPoint(reader: Reader): SummaryPoint {
  const outer = reader.enter();
  reader.countObject();
  const point: SummaryPoint = {
    attributes: {},
    startTimeUnixNano: 0n,
    timeUnixNano: 0n,
    count: 0,
    sum: 0,
    quantiles: [],
    flags: 0,
  };
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 17:
        point.startTimeUnixNano = reader.fixed64();
        break;
      case 25:
        point.timeUnixNano = reader.fixed64();
        break;
      case 33:
        point.count = reader.fixed64Number();
        break;
      case 41:
        point.sum = reader.double();
        break;
      case 50:
        point.quantiles.push(readQuantile(reader));
        break;
      case 58:
        readAttribute(reader, point.attributes);
        break;
      case 64:
        point.flags = reader.varint() >>> 0;
        break;
      default:
        reader.skip(tag, schemas.SummaryDataPoint);
    }
  }
  reader.leave(outer);
  return point;
}

function readQuantile(reader: Reader): SummaryPoint["quantiles"][number] {
  const outer = reader.enter();
  reader.countObject();
  const entry = { quantile: 0, value: 0 };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 9) entry.quantile = reader.double();
    else if (tag === 17) entry.value = reader.double();
    else reader.skip(tag, schemas.ValueAtQuantile);
  }
  reader.leave(outer);
  return entry;
}

function readExemplar(reader: Reader): OtlpExemplar {
  const outer = reader.enter();
  reader.countObject();
  const exemplar: OtlpExemplar = { timeUnixNano: 0n, value: 0, traceId: "", spanId: "", filteredAttributes: {} };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 17) exemplar.timeUnixNano = reader.fixed64();
    else if (tag === 25) exemplar.value = reader.double();
    else if (tag === 34) exemplar.spanId = reader.id(8);
    else if (tag === 42) exemplar.traceId = reader.id(16);
    else if (tag === 49) exemplar.value = reader.sfixed64Number();
    else if (tag === 58) readAttribute(reader, exemplar.filteredAttributes);
    else reader.skip(tag, schemas.Exemplar);
  }
  reader.leave(outer);
  return exemplar;
}

function readPacked64(reader: Reader, into: number[], read: () => number): void {
  const length = reader.packedLength();
  const end = reader.pos + length;
  while (reader.pos < end) into.push(read());
}

function readPackedVarints(reader: Reader, into: number[]): void {
  const outer = reader.enter();
  while (reader.more) into.push(reader.varint());
  reader.leave(outer);
}
