import type { Exemplar, MetricMetadata, MetricType, Sample, UnixMs } from "@tocsin/model";
import { ByteReader, ByteWriter, CorruptDataError } from "../codec/bytes.ts";
import { readHistogram, writeHistogram } from "../codec/histogram.ts";

const SAMPLES = 1;
const EXEMPLARS = 2;
const METADATA = 3;

const FLOAT = 0;
const INTEGER = 1;
const STALE = 2;
const HISTOGRAM = 3;

const METRIC_TYPES: readonly MetricType[] = [
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
];

/** What a record of the write-ahead log tells. */
export interface WalVisitor {
  /** The sample is the visitor's for the duration of the call only. */
  samples(seriesId: number, sample: Sample): void;
  exemplar(seriesId: number, exemplar: Exemplar): void;
  metadata(metadata: MetricMetadata): void;
}

/** Builds the record of one append: the samples taken, series by series. */
export class SamplesRecord {
  readonly #out = new ByteWriter(64 * 1024);
  #previousId = 0;
  #previousMs = 0;
  minMs: UnixMs = Infinity;
  maxMs: UnixMs = -Infinity;

  begin(): void {
    this.#out.clear();
    this.#out.u8(SAMPLES);
    this.#previousId = 0;
    this.#previousMs = 0;
    this.minMs = Infinity;
    this.maxMs = -Infinity;
  }

  get empty(): boolean {
    return this.maxMs === -Infinity;
  }

  add(seriesId: number, samples: readonly Sample[]): void {
    const out = this.#out;
    out.zigzag(seriesId - this.#previousId);
    this.#previousId = seriesId;
    out.varint(samples.length);
    let previous = 0;
    for (const sample of samples) {
      const { timestampMs, value } = sample;
      out.zigzag(timestampMs - this.#previousMs);
      this.#previousMs = timestampMs;
      if (timestampMs < this.minMs) this.minMs = timestampMs;
      if (timestampMs > this.maxMs) this.maxMs = timestampMs;
      if (sample.stale) out.u8(STALE);
      else if (sample.histogram) {
        out.u8(HISTOGRAM);
        writeHistogram(out, sample.histogram);
      } else if (isSmallInteger(value)) {
        out.u8(INTEGER);
        out.zigzag(value - previous);
        previous = value;
      } else {
        out.u8(FLOAT);
        out.f64(value);
      }
    }
  }

  payload(): Uint8Array {
    return this.#out.view();
  }
}

export function exemplarsRecord(exemplars: readonly { seriesId: number; exemplar: Exemplar }[]): Uint8Array {
  const out = new ByteWriter();
  out.u8(EXEMPLARS);
  for (const { seriesId, exemplar } of exemplars) {
    out.varint(seriesId);
    out.zigzag(exemplar.timestampMs);
    out.f64(exemplar.value);
    const names = Object.keys(exemplar.labels);
    out.varint(names.length);
    for (const name of names) {
      out.string(name);
      out.string(exemplar.labels[name] as string);
    }
  }
  return out.copy();
}

export function metadataRecord(list: readonly MetricMetadata[]): Uint8Array {
  const out = new ByteWriter();
  out.u8(METADATA);
  for (const { metric, type, unit, help } of list) {
    out.u8(METRIC_TYPES.indexOf(type));
    out.string(metric);
    out.string(unit);
    out.string(help);
  }
  return out.copy();
}

/** Reads one record; returns the span of its samples and exemplars. Throws CorruptDataError. */
export function readWalRecord(payload: Uint8Array, visitor: WalVisitor): { minMs: UnixMs; maxMs: UnixMs } {
  const reader = new ByteReader(payload);
  const type = reader.u8();
  if (type === SAMPLES) return readSamples(reader, visitor);
  if (type === EXEMPLARS) return readExemplars(reader, visitor);
  if (type === METADATA) return readMetadata(reader, visitor);
  throw new CorruptDataError(`unknown record type ${type}`);
}

function readSamples(reader: ByteReader, visitor: WalVisitor): { minMs: UnixMs; maxMs: UnixMs } {
  // One object for all plain samples: a start may replay ten million of them.
  const plain = { timestampMs: 0, value: 0 };
  let seriesId = 0;
  let timestampMs = 0;
  let minMs = Infinity;
  let maxMs = -Infinity;
  while (!reader.atEnd) {
    seriesId += reader.zigzag();
    let previous = 0;
    for (let left = reader.count(2); left > 0; left--) {
      timestampMs += reader.zigzag();
      if (timestampMs < minMs) minMs = timestampMs;
      if (timestampMs > maxMs) maxMs = timestampMs;
      plain.timestampMs = timestampMs;
      const kind = reader.u8();
      if (kind === INTEGER) {
        previous += reader.zigzag();
        plain.value = previous;
        visitor.samples(seriesId, plain);
      } else if (kind === FLOAT) {
        plain.value = reader.f64();
        visitor.samples(seriesId, plain);
      } else if (kind === STALE) visitor.samples(seriesId, { timestampMs, value: 0, stale: true });
      else if (kind === HISTOGRAM)
        visitor.samples(seriesId, { timestampMs, value: 0, histogram: readHistogram(reader) });
      else throw new CorruptDataError(`unknown kind of sample ${kind}`);
    }
  }
  return { minMs, maxMs };
}

function readExemplars(reader: ByteReader, visitor: WalVisitor): { minMs: UnixMs; maxMs: UnixMs } {
  let minMs = Infinity;
  let maxMs = -Infinity;
  while (!reader.atEnd) {
    const seriesId = reader.varint();
    const timestampMs = reader.zigzag();
    const value = reader.f64();
    const labels: Record<string, string> = {};
    for (let left = reader.count(2); left > 0; left--) {
      const name = reader.string();
      labels[name] = reader.string();
    }
    minMs = Math.min(minMs, timestampMs);
    maxMs = Math.max(maxMs, timestampMs);
    visitor.exemplar(seriesId, { labels, value, timestampMs });
  }
  return { minMs, maxMs };
}

function readMetadata(reader: ByteReader, visitor: WalVisitor): { minMs: UnixMs; maxMs: UnixMs } {
  while (!reader.atEnd) {
    const type = METRIC_TYPES[reader.u8()];
    if (type === undefined) throw new CorruptDataError("unknown metric type");
    visitor.metadata({ type, metric: reader.string(), unit: reader.string(), help: reader.string() });
  }
  return { minMs: Infinity, maxMs: -Infinity };
}

function isSmallInteger(value: number): boolean {
  return Number.isInteger(value) && value < 2 ** 50 && value > -(2 ** 50) && !Object.is(value, -0);
}
