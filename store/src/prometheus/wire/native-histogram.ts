import {
  type NativeHistogram,
  ProtobufError,
  type ProtobufReader,
  type ProtobufWriter,
  type Sample,
} from "@tocsin/model";
import { readDouble, readInt64, readPackedDoubles, readSint64, STALE_NAN, skipField } from "./fields.ts";

/** A span costs two numbers; shorter gaps are cheaper as zeros. */
const MAX_ZEROS_IN_SPAN = 2;
/** Far more than any client sends; a few bytes of spans could ask for gigabytes otherwise. */
const MAX_BUCKETS = 65_536;

const RESET_HINTS = ["unknown", "reset", "notReset", "gauge"] as const satisfies NativeHistogram["counterReset"][];

/** One histogram message of remote write; the same fields in 1.0 and 2.0. Whole counts are written as integers. */
export function writeHistogram(out: ProtobufWriter, tag: number, sample: Sample, histogram: NativeHistogram): void {
  const mark = out.begin(tag);
  const { count, zeroCount, positiveBuckets, negativeBuckets } = histogram;
  const whole = [count, zeroCount, ...positiveBuckets, ...negativeBuckets].every(Number.isSafeInteger);
  writeCount(out, whole, 1, count);
  out.varint((3 << 3) | 1);
  out.double(histogram.sum);
  out.varint(4 << 3);
  out.sint32(histogram.schema);
  out.varint((5 << 3) | 1);
  out.double(histogram.zeroThreshold);
  writeCount(out, whole, 6, zeroCount);
  writeBuckets(out, whole, 8, histogram.negativeOffset, negativeBuckets);
  writeBuckets(out, whole, 11, histogram.positiveOffset, positiveBuckets);
  out.varint(14 << 3);
  out.varint(RESET_HINTS.indexOf(histogram.counterReset));
  out.varint(15 << 3);
  out.int64(sample.timestampMs);
  writePackedDoubles(out, 16, histogram.customValues);
  if (sample.startTimestampMs !== undefined && sample.startTimestampMs !== 0) {
    out.varint(17 << 3);
    out.int64(sample.startTimestampMs);
  }
  out.end(mark);
}

/** A count as field `field` when it is an integer, else as the one after it. */
function writeCount(out: ProtobufWriter, whole: boolean, field: number, count: number): void {
  if (whole) {
    out.varint(field << 3);
    out.varint(count);
  } else {
    out.varint(((field + 1) << 3) | 1);
    out.double(count);
  }
}

/** Spans as `field`, then integers as differences in the next field or floats as they are in the one after. */
function writeBuckets(out: ProtobufWriter, whole: boolean, field: number, offset: number, dense: number[]): void {
  const { spans, counts } = toSpans(offset, dense);
  if (counts.length === 0) return;
  for (const span of spans) {
    const mark = out.begin((field << 3) | 2);
    out.varint(1 << 3);
    out.sint32(span.offset);
    out.varint(2 << 3);
    out.varint(span.length);
    out.end(mark);
  }
  if (!whole) return writePackedDoubles(out, field + 2, counts);
  const mark = out.begin(((field + 1) << 3) | 2);
  let previous = 0;
  for (const count of counts) {
    const delta = count - previous;
    previous = count;
    out.varint(delta >= 0 ? delta * 2 : -delta * 2 - 1);
  }
  out.end(mark);
}

function writePackedDoubles(out: ProtobufWriter, field: number, values: readonly number[]): void {
  if (values.length === 0) return;
  const mark = out.begin((field << 3) | 2);
  for (const value of values) out.double(value);
  out.end(mark);
}

interface Span {
  /** From the end of the one before; of the first, from zero. */
  offset: number;
  length: number;
}

function toSpans(offset: number, dense: readonly number[]): { spans: Span[]; counts: number[] } {
  const spans: Span[] = [];
  const counts: number[] = [];
  let end = 0;
  for (let i = 0; i < dense.length; i++) {
    const count = dense[i] ?? 0;
    if (count === 0) continue;
    const index = offset + i;
    const open = spans.at(-1);
    if (open && index - end <= MAX_ZEROS_IN_SPAN) {
      for (; end < index; end++, open.length++) counts.push(0);
      open.length++;
    } else spans.push({ offset: index - end, length: 1 });
    counts.push(count);
    end = index + 1;
  }
  return { spans, counts };
}

/** Reads what `writeHistogram` and Prometheus write; a stale marker comes back without a histogram. */
export function readHistogram(reader: ProtobufReader): Sample {
  const outer = reader.enter();
  const sides = { negative: new Side(), positive: new Side() };
  const sample: Sample = { timestampMs: 0, value: 0 };
  const histogram: NativeHistogram = {
    schema: 0, count: 0, sum: 0, zeroThreshold: 0, zeroCount: 0,
    positiveOffset: 0, positiveBuckets: [], negativeOffset: 0, negativeBuckets: [],
    customValues: [], counterReset: "unknown",
  }; // prettier-ignore
  let stale = false;
  while (reader.more) {
    const tag = reader.tag();
    switch (tag) {
      case 1 << 3:
        histogram.count = reader.varint();
        break;
      case (2 << 3) | 1:
        histogram.count = reader.double();
        break;
      case (3 << 3) | 1: {
        const sum = readDouble(reader);
        stale = sum === STALE_NAN;
        histogram.sum = typeof sum === "number" ? sum : Number.NaN;
        break;
      }
      case 4 << 3:
        histogram.schema = reader.sint32();
        break;
      case (5 << 3) | 1:
        histogram.zeroThreshold = reader.double();
        break;
      case 6 << 3:
        histogram.zeroCount = reader.varint();
        break;
      case (7 << 3) | 1:
        histogram.zeroCount = reader.double();
        break;
      case (8 << 3) | 2:
        sides.negative.readSpan(reader);
        break;
      case 9 << 3:
      case (9 << 3) | 2:
        sides.negative.readDeltas(reader, tag);
        break;
      case (10 << 3) | 1:
      case (10 << 3) | 2:
        readPackedDoubles(reader, tag, sides.negative.counts);
        break;
      case (11 << 3) | 2:
        sides.positive.readSpan(reader);
        break;
      case 12 << 3:
      case (12 << 3) | 2:
        sides.positive.readDeltas(reader, tag);
        break;
      case (13 << 3) | 1:
      case (13 << 3) | 2:
        readPackedDoubles(reader, tag, sides.positive.counts);
        break;
      case 14 << 3:
        histogram.counterReset = RESET_HINTS[reader.varint()] ?? "unknown";
        break;
      case 15 << 3:
        sample.timestampMs = readInt64(reader);
        break;
      case (16 << 3) | 1:
      case (16 << 3) | 2:
        readPackedDoubles(reader, tag, histogram.customValues);
        break;
      case 17 << 3:
        sample.startTimestampMs = readInt64(reader);
        break;
      default:
        skipField(reader, tag);
    }
  }
  reader.leave(outer);
  if (stale) return { ...sample, stale: true };
  [histogram.negativeOffset, histogram.negativeBuckets] = sides.negative.dense(reader);
  [histogram.positiveOffset, histogram.positiveBuckets] = sides.positive.dense(reader);
  return { ...sample, histogram };
}

/** The buckets of one sign while they are read. */
class Side {
  readonly #spans: Span[] = [];
  readonly counts: number[] = [];

  readSpan(reader: ProtobufReader): void {
    reader.countObject();
    const outer = reader.enter();
    const span = { offset: 0, length: 0 };
    while (reader.more) {
      const tag = reader.tag();
      if (tag === 1 << 3) span.offset = reader.sint32();
      else if (tag === 2 << 3) span.length = reader.varint();
      else skipField(reader, tag);
    }
    reader.leave(outer);
    this.#spans.push(span);
  }

  /** Differences, packed or one by one, as absolute counts. */
  readDeltas(reader: ProtobufReader, tag: number): void {
    const next = () => this.counts.push((this.counts.at(-1) ?? 0) + readSint64(reader));
    if ((tag & 7) === 0) return void next();
    const outer = reader.enter();
    while (reader.more) next();
    reader.leave(outer);
  }

  /** Index of the first bucket, and one count for each from there on. */
  dense(reader: ProtobufReader): [offset: number, buckets: number[]] {
    const [first] = this.#spans;
    if (!first) return [0, []];
    const buckets: number[] = [];
    let at = 0;
    for (const [i, { offset, length }] of this.#spans.entries()) {
      const gap = i === 0 ? 0 : offset;
      if (gap < 0 || buckets.length + gap + length > MAX_BUCKETS || at + length > this.counts.length) {
        throw new ProtobufError(reader.pos, "the spans of a histogram do not fit its buckets");
      }
      for (let i = 0; i < gap; i++) buckets.push(0);
      for (let i = 0; i < length; i++) buckets.push(this.counts[at++] ?? 0);
    }
    return [first.offset, buckets];
  }
}
