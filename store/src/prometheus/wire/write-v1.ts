import {
  type Exemplar,
  type Labels,
  type MetricMetadata,
  type MetricType,
  ProtobufReader,
  ProtobufWriter,
  type Sample,
} from "@tocsin/model";
import { readDouble, readInt64, skipField, STALE_NAN, writeSampleValue } from "./fields.ts";
import { readHistogram, writeHistogram } from "./native-histogram.ts";
import { type DecodedSeries, type DecodedWrite, DecodedLabels } from "./decoded-write.ts";
import { encodeLabels, type KnownSeries } from "./series-cache.ts";

/** What is to be written of one series. */
export interface OutgoingSeries {
  series: KnownSeries;
  samples: readonly Sample[];
  exemplars: readonly Exemplar[];
}

export const CONTENT_TYPE_V1 = "application/x-protobuf";

/** The numbers of metric types on the wire, in 1.0 and 2.0 alike. */
export const METRIC_TYPES: readonly MetricType[] = [
  "unknown",
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
];

/** A `prometheus.WriteRequest`. */
export function encodeV1(all: readonly OutgoingSeries[], metadata: readonly MetricMetadata[]): Uint8Array {
  const out = new ProtobufWriter();
  for (const { series, samples, exemplars } of all) {
    const mark = out.begin((1 << 3) | 2);
    out.raw(series.bytes);
    for (const sample of samples) {
      if (sample.histogram && !sample.stale) writeHistogram(out, (4 << 3) | 2, sample, sample.histogram);
      else writeSample(out, sample);
    }
    for (const exemplar of exemplars) writeExemplar(out, exemplar);
    out.end(mark);
  }
  for (const { type, metric, help, unit } of metadata) {
    const mark = out.begin((3 << 3) | 2);
    out.varint(1 << 3);
    out.varint(METRIC_TYPES.indexOf(type));
    out.string((2 << 3) | 2, metric);
    out.string((4 << 3) | 2, help);
    out.string((5 << 3) | 2, unit);
    out.end(mark);
  }
  return out.finish();
}

function writeSample(out: ProtobufWriter, sample: Sample): void {
  const mark = out.begin((2 << 3) | 2);
  out.varint((1 << 3) | 1);
  writeSampleValue(out, sample);
  out.varint(2 << 3);
  out.int64(sample.timestampMs);
  out.end(mark);
}

function writeExemplar(out: ProtobufWriter, { labels, value, timestampMs }: Exemplar): void {
  const mark = out.begin((3 << 3) | 2);
  out.raw(encodeLabels(labels).bytes);
  out.varint((2 << 3) | 1);
  out.double(value);
  out.varint(3 << 3);
  out.int64(timestampMs);
  out.end(mark);
}

/** Throws ProtobufError when the bytes are no `prometheus.WriteRequest`. */
export function decodeV1(bytes: Uint8Array): DecodedWrite {
  const reader = new ProtobufReader(bytes);
  const decoded: DecodedWrite = { series: [], metadata: [], invalid: [] };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) {
      const series = readTimeSeries(reader);
      if (typeof series === "string") decoded.invalid.push(series);
      else decoded.series.push(series);
    } else if (tag === ((3 << 3) | 2)) decoded.metadata.push(readMetadata(reader));
    else skipField(reader, tag);
  }
  return decoded;
}

/** A `prometheus.TimeSeries`, or what is wrong with its labels. */
export function readTimeSeries(reader: ProtobufReader): DecodedSeries | string {
  reader.countObject();
  const outer = reader.enter();
  const labels = new DecodedLabels();
  const series: DecodedSeries = { labels: {}, samples: [], exemplars: [] };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) readLabel(reader, labels);
    else if (tag === ((2 << 3) | 2)) series.samples.push(readSample(reader));
    else if (tag === ((3 << 3) | 2)) series.exemplars.push(readExemplar(reader));
    else if (tag === ((4 << 3) | 2)) {
      reader.countObject();
      series.samples.push(readHistogram(reader));
    } else skipField(reader, tag);
  }
  reader.leave(outer);
  if (labels.mistake !== undefined) return labels.mistake;
  series.labels = labels.all;
  return series;
}

function readLabel(reader: ProtobufReader, labels: DecodedLabels): void {
  const outer = reader.enter();
  let name = "";
  let value = "";
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) name = reader.string();
    else if (tag === ((2 << 3) | 2)) value = reader.string();
    else skipField(reader, tag);
  }
  reader.leave(outer);
  labels.add(name, value);
}

function readSample(reader: ProtobufReader): Sample {
  reader.countObject();
  const outer = reader.enter();
  const sample: Sample = { timestampMs: 0, value: 0 };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 1)) setValue(sample, readDouble(reader));
    else if (tag === 2 << 3) sample.timestampMs = readInt64(reader);
    else skipField(reader, tag);
  }
  reader.leave(outer);
  return sample;
}

export function setValue(sample: Sample, value: number | typeof STALE_NAN): void {
  if (value === STALE_NAN) sample.stale = true;
  sample.value = value === STALE_NAN ? Number.NaN : value;
}

function readExemplar(reader: ProtobufReader): Exemplar {
  reader.countObject();
  const outer = reader.enter();
  const labels = new DecodedLabels();
  const exemplar = { value: 0, timestampMs: 0 };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2)) readLabel(reader, labels);
    else if (tag === ((2 << 3) | 1)) exemplar.value = reader.double();
    else if (tag === 3 << 3) exemplar.timestampMs = readInt64(reader);
    else skipField(reader, tag);
  }
  reader.leave(outer);
  return { labels: labels.all satisfies Labels, ...exemplar };
}

function readMetadata(reader: ProtobufReader): MetricMetadata {
  reader.countObject();
  const outer = reader.enter();
  const metadata: MetricMetadata = { metric: "", type: "unknown", unit: "", help: "" };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 1 << 3) metadata.type = METRIC_TYPES[reader.varint()] ?? "unknown";
    else if (tag === ((2 << 3) | 2)) metadata.metric = reader.string();
    else if (tag === ((4 << 3) | 2)) metadata.help = reader.string();
    else if (tag === ((5 << 3) | 2)) metadata.unit = reader.string();
    else skipField(reader, tag);
  }
  reader.leave(outer);
  return metadata;
}
