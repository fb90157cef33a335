import type { ProtobufReader, ProtobufWriter, Sample } from "@tocsin/model";

/** The NaN that marks the end of a series. */
const STALE_BITS = 0x7ff0000000000002n;
export const STALE_NAN = Symbol("stale marker");

/** A double that tells the stale marker from other NaNs. */
export function readDouble(reader: ProtobufReader): number | typeof STALE_NAN {
  const at = reader.pos;
  const value = reader.double();
  if (!Number.isNaN(value)) return value;
  reader.pos = at;
  return reader.fixed64() === STALE_BITS ? STALE_NAN : value;
}

export function writeSampleValue(out: ProtobufWriter, { value, stale }: Sample): void {
  if (stale) out.fixed64(STALE_BITS);
  else out.double(value);
}

export function readInt64(reader: ProtobufReader): number {
  return Number(reader.int64());
}

/** Exact up to ±2^52. */
export function readSint64(reader: ProtobufReader): number {
  const zigzag = reader.varint();
  return reader.lo & 1 ? -(zigzag + 1) / 2 : zigzag / 2;
}

/** Doubles, packed or one by one, added to `into`. */
export function readPackedDoubles(reader: ProtobufReader, tag: number, into: number[]): void {
  if ((tag & 7) === 1) return void into.push(reader.double());
  const end = reader.packedLength() + reader.pos;
  while (reader.pos < end) into.push(reader.double());
}

const ANY_MESSAGE = { name: "", fields: [], object: false, record: false };

export function skipField(reader: ProtobufReader, tag: number): void {
  reader.skip(tag, ANY_MESSAGE);
}
