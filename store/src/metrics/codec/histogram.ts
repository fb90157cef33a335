import type { NativeHistogram } from "@tocsin/model";
import { type ByteReader, type ByteWriter, CorruptDataError } from "./bytes.ts";

const RESETS = ["unknown", "reset", "notReset", "gauge"] as const;

/** Writes one native histogram; whole counts take a varint each, others nine bytes. */
export function writeHistogram(out: ByteWriter, histogram: NativeHistogram): void {
  out.zigzag(histogram.schema);
  out.u8(RESETS.indexOf(histogram.counterReset));
  writeCount(out, histogram.count);
  out.f64(histogram.sum);
  out.f64(histogram.zeroThreshold);
  writeCount(out, histogram.zeroCount);
  out.zigzag(histogram.positiveOffset);
  writeList(out, histogram.positiveBuckets, writeCount);
  out.zigzag(histogram.negativeOffset);
  writeList(out, histogram.negativeBuckets, writeCount);
  writeList(out, histogram.customValues, (to, value) => to.f64(value));
}

export function readHistogram(reader: ByteReader): NativeHistogram {
  const schema = reader.zigzag();
  const counterReset = RESETS[reader.u8()];
  if (counterReset === undefined) throw new CorruptDataError("unknown counter reset hint");
  return {
    schema,
    counterReset,
    count: readCount(reader),
    sum: reader.f64(),
    zeroThreshold: reader.f64(),
    zeroCount: readCount(reader),
    positiveOffset: reader.zigzag(),
    positiveBuckets: readList(reader, 1, readCount),
    negativeOffset: reader.zigzag(),
    negativeBuckets: readList(reader, 1, readCount),
    customValues: readList(reader, 8, (from) => from.f64()),
  };
}

function writeCount(out: ByteWriter, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 51 && !Object.is(value, -0)) return out.varint(value * 2);
  out.varint(1);
  out.f64(value);
}

function readCount(reader: ByteReader): number {
  const head = reader.varint();
  return head % 2 === 0 ? head / 2 : reader.f64();
}

function writeList(out: ByteWriter, values: readonly number[], write: (out: ByteWriter, value: number) => void): void {
  out.varint(values.length);
  for (const value of values) write(out, value);
}

function readList(reader: ByteReader, unit: number, read: (reader: ByteReader) => number): number[] {
  return Array.from({ length: reader.count(unit) }, () => read(reader));
}
