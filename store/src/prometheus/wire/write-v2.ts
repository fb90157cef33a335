import {
  type Exemplar,
  type MetricMetadata,
  METRIC_NAME,
  ProtobufError,
  ProtobufReader,
  ProtobufWriter,
  type Sample,
  sortedNames,
} from "@tocsin/model";
import { type DecodedSeries, type DecodedWrite, DecodedLabels } from "./decoded-write.ts";
import { readDouble, readInt64, skipField, writeSampleValue } from "./fields.ts";
import { readHistogram, writeHistogram } from "./native-histogram.ts";
import { METRIC_TYPES, type OutgoingSeries, setValue } from "./write-v1.ts";

export const CONTENT_TYPE_V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/** An `io.prometheus.write.v2.Request`; `metadataOf` tells what is known of a series' metric. */
export function encodeV2(
  all: readonly OutgoingSeries[],
  metadataOf: (metric: string) => MetricMetadata | undefined,
): Uint8Array {
  const symbols = new Map([["", 0]]);
  const body = new ProtobufWriter();
  const ref = (text: string) => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  const writeRefs = (texts: readonly string[]) => {
    const mark = body.begin((1 << 3) | 2);
    for (const text of texts) body.varint(ref(text));
    body.end(mark);
  };
  for (const { series, samples, exemplars } of all) {
    const mark = body.begin((5 << 3) | 2);
    writeRefs(series.pairs);
    for (const sample of samples) {
      if (sample.histogram && !sample.stale) writeHistogram(body, (3 << 3) | 2, sample, sample.histogram);
      else writeSample(body, sample);
    }
    for (const { labels, value, timestampMs } of exemplars) {
      const inner = body.begin((4 << 3) | 2);
      writeRefs(sortedNames(labels).flatMap((name) => [name, labels[name] ?? ""]));
      body.varint((2 << 3) | 1);
      body.double(value);
      body.varint(3 << 3);
      body.int64(timestampMs);
      body.end(inner);
    }
    const metadata = metadataOf(series.name);
    if (metadata) {
      const inner = body.begin((5 << 3) | 2);
      body.varint(1 << 3);
      body.varint(METRIC_TYPES.indexOf(metadata.type));
      body.varint(3 << 3);
      body.varint(ref(metadata.help));
      body.varint(4 << 3);
      body.varint(ref(metadata.unit));
      body.end(inner);
    }
    body.end(mark);
  }
  const out = new ProtobufWriter();
  for (const symbol of symbols.keys()) out.string((4 << 3) | 2, symbol);
  out.raw(body.finish());
  return out.finish();
}

function writeSample(out: ProtobufWriter, sample: Sample): void {
  const mark = out.begin((2 << 3) | 2);
  out.varint((1 << 3) | 1);
  writeSampleValue(out, sample);
  out.varint(2 << 3);
  out.int64(sample.timestampMs);
  if (sample.startTimestampMs !== undefined && sample.startTimestampMs !== 0) {
    out.varint(3 << 3);
    out.int64(sample.startTimestampMs);
  }
  out.end(mark);
}

/** Throws ProtobufError when the bytes are no `io.prometheus.write.v2.Request`. */
export function decodeV2(bytes: Uint8Array): DecodedWrite {
  const symbols = readSymbols(bytes);
  const reader = new ProtobufReader(bytes);
  const decoded: DecodedWrite = { series: [], metadata: [], invalid: [] };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((5 << 3) | 2)) readTimeSeries(reader, symbols, decoded);
    else skipField(reader, tag);
  }
  return decoded;
}

/** First, and apart: protobuf lets fields come in any order. */
function readSymbols(bytes: Uint8Array): string[] {
  const reader = new ProtobufReader(bytes);
  const symbols: string[] = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((4 << 3) | 2)) {
      reader.countObject();
      symbols.push(reader.string());
    } else skipField(reader, tag);
  }
  if (symbols.length > 0 && symbols[0] !== "") throw new ProtobufError(0, "the first symbol is not the empty string");
  return symbols;
}

function readTimeSeries(reader: ProtobufReader, symbols: readonly string[], decoded: DecodedWrite): void {
  reader.countObject();
  const outer = reader.enter();
  let labels = new DecodedLabels();
  let metadata: Omit<MetricMetadata, "metric"> | undefined;
  let startMs = 0;
  const series: DecodedSeries = { labels: {}, samples: [], exemplars: [] };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2) || tag === 1 << 3) labels = readLabelRefs(reader, tag, symbols);
    else if (tag === ((2 << 3) | 2)) series.samples.push(readSample(reader));
    else if (tag === ((3 << 3) | 2)) {
      reader.countObject();
      series.samples.push(readHistogram(reader));
    } else if (tag === ((4 << 3) | 2)) series.exemplars.push(readExemplar(reader, symbols));
    else if (tag === ((5 << 3) | 2)) metadata = readMetadata(reader, symbols);
    else if (tag === 6 << 3) startMs = readInt64(reader);
    else skipField(reader, tag);
  }
  reader.leave(outer);
  if (labels.mistake !== undefined) {
    decoded.invalid.push(labels.mistake);
    return;
  }
  series.labels = labels.all;
  // Where the drafts of 2.0 had it: once a series.
  if (startMs !== 0) for (const sample of series.samples) sample.startTimestampMs ??= startMs;
  decoded.series.push(series);
  const metric = labels.all[METRIC_NAME];
  if (metadata && metric !== undefined && !isEmpty(metadata)) decoded.metadata.push({ metric, ...metadata });
}

const isEmpty = ({ type, unit, help }: Omit<MetricMetadata, "metric">) =>
  type === "unknown" && unit === "" && help === "";

function readLabelRefs(reader: ProtobufReader, tag: number, symbols: readonly string[]): DecodedLabels {
  if ((tag & 7) === 0) throw new ProtobufError(reader.pos, "label references are not packed");
  const outer = reader.enter();
  const labels = new DecodedLabels();
  while (reader.more) {
    const name = symbolAt(reader, symbols);
    if (!reader.more) throw new ProtobufError(reader.pos, "a label has a name and no value");
    labels.add(name, symbolAt(reader, symbols));
  }
  reader.leave(outer);
  return labels;
}

function symbolAt(reader: ProtobufReader, symbols: readonly string[]): string {
  const index = reader.varint();
  const symbol = symbols[index];
  if (symbol === undefined)
    throw new ProtobufError(reader.pos, `there is no symbol ${index}, only ${symbols.length} of them`);
  return symbol;
}

function readSample(reader: ProtobufReader): Sample {
  reader.countObject();
  const outer = reader.enter();
  const sample: Sample = { timestampMs: 0, value: 0 };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 1)) setValue(sample, readDouble(reader));
    else if (tag === 2 << 3) sample.timestampMs = readInt64(reader);
    else if (tag === 3 << 3) sample.startTimestampMs = readInt64(reader);
    else skipField(reader, tag);
  }
  reader.leave(outer);
  return sample;
}

function readExemplar(reader: ProtobufReader, symbols: readonly string[]): Exemplar {
  reader.countObject();
  const outer = reader.enter();
  let labels = new DecodedLabels();
  const exemplar = { value: 0, timestampMs: 0 };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 2) || tag === 1 << 3) labels = readLabelRefs(reader, tag, symbols);
    else if (tag === ((2 << 3) | 1)) exemplar.value = reader.double();
    else if (tag === 3 << 3) exemplar.timestampMs = readInt64(reader);
    else skipField(reader, tag);
  }
  reader.leave(outer);
  return { labels: labels.all, ...exemplar };
}

function readMetadata(reader: ProtobufReader, symbols: readonly string[]): Omit<MetricMetadata, "metric"> {
  const outer = reader.enter();
  const metadata: Omit<MetricMetadata, "metric"> = { type: "unknown", unit: "", help: "" };
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 1 << 3) metadata.type = METRIC_TYPES[reader.varint()] ?? "unknown";
    else if (tag === 3 << 3) metadata.help = symbolAt(reader, symbols);
    else if (tag === 4 << 3) metadata.unit = symbolAt(reader, symbols);
    else skipField(reader, tag);
  }
  reader.leave(outer);
  return metadata;
}
