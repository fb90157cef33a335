import type { UnixMs } from "@tocsin/model";
import { type ByteReader, ByteWriter, CorruptDataError } from "./bytes.ts";
import type { Columns } from "./columns.ts";
import { packFloats, unpackFloats } from "./floats.ts";
import { readHistogram, writeHistogram } from "./histogram.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";

/** Samples in one chunk, at most. */
export const CHUNK_SAMPLES = 1024;

const HAS_STALE = 1;
const HAS_HISTOGRAMS = 2;

let deltas = new Float64Array(CHUNK_SAMPLES);
let values = new Float64Array(CHUNK_SAMPLES);
const scratch = new ByteWriter(16 * 1024);

/** Writes the samples `from <= index < to` (at least one, at most CHUNK_SAMPLES) as one chunk, its length before it. */
export function writeChunk(out: ByteWriter, columns: Columns, from: number, to: number): void {
  scratch.clear();
  writeContent(scratch, columns, from, to);
  out.varint(scratch.length);
  out.bytes(scratch.view());
}

function writeContent(out: ByteWriter, columns: Columns, from: number, to: number): void {
  const count = to - from;
  const stale = columns.stale.filter((index) => index >= from && index < to);
  const histograms = columns.histograms.filter(({ index }) => index >= from && index < to);
  const { timestamps } = columns;
  const first = timestamps[from] as number;
  out.varint(count);
  out.u8((stale.length > 0 ? HAS_STALE : 0) | (histograms.length > 0 ? HAS_HISTOGRAMS : 0));
  out.zigzag(first);
  out.varint((timestamps[to - 1] as number) - first);
  if (deltas.length < count) deltas = new Float64Array(count);
  for (let i = 1; i < count; i++)
    deltas[i - 1] = (timestamps[from + i] as number) - (timestamps[from + i - 1] as number);
  packIntegers(out, deltas, count - 1);
  packFloats(out, withoutGaps(columns, from, to, stale, histograms), count);
  if (stale.length > 0) writeIndices(out, stale, from);
  if (histograms.length > 0) {
    writeIndices(
      out,
      histograms.map(({ index }) => index),
      from,
    );
    for (const { histogram } of histograms) writeHistogram(out, histogram);
  }
}

/** The first timestamp, the last one and the number of samples, without decoding the rest; `end` is where the next chunk begins. */
export interface ChunkHead {
  end: number;
  count: number;
  flags: number;
  firstMs: UnixMs;
  lastMs: UnixMs;
}

export function readChunkHead(reader: ByteReader): ChunkHead {
  const end = reader.varint() + reader.offset;
  const count = reader.varint();
  if (count === 0 || count > CHUNK_SAMPLES) throw new CorruptDataError(`chunk of ${count} samples`);
  const flags = reader.u8();
  const firstMs = reader.zigzag();
  return { end, count, flags, firstMs, lastMs: firstMs + reader.varint() };
}

/** Appends the chunk's samples, whose head was just read, to the columns. */
export function readChunkBody(reader: ByteReader, head: ChunkHead, columns: Columns): void {
  const { count, firstMs } = head;
  columns.reserve(count);
  const at = columns.count;
  const { timestamps } = columns;
  unpackIntegers(reader, timestamps, at + 1, count - 1);
  timestamps[at] = firstMs;
  for (let i = at + 1; i < at + count; i++) timestamps[i] = (timestamps[i] as number) + (timestamps[i - 1] as number);
  unpackFloats(reader, columns.values, at, count);
  columns.count = at + count;
  if (head.flags & HAS_STALE) columns.stale.push(...readIndices(reader, at, count));
  if (head.flags & HAS_HISTOGRAMS) {
    for (const index of readIndices(reader, at, count))
      columns.histograms.push({ index, histogram: readHistogram(reader) });
  }
}

/** The values, with each one that has no meaning (stale, histogram) replaced by its predecessor, which costs nothing. */
function withoutGaps(
  columns: Columns,
  from: number,
  to: number,
  stale: readonly number[],
  histograms: readonly { index: number }[],
): Float64Array {
  if (stale.length === 0 && histograms.length === 0) return columns.values.subarray(from, to);
  if (values.length < to - from) values = new Float64Array(to - from);
  values.set(columns.values.subarray(from, to));
  const fill = (index: number) => (values[index - from] = index === from ? 0 : (values[index - from - 1] as number));
  for (const index of [...stale, ...histograms.map((entry) => entry.index)].sort((a, b) => a - b)) fill(index);
  return values;
}

function writeIndices(out: ByteWriter, indices: readonly number[], from: number): void {
  out.varint(indices.length);
  let previous = from;
  for (const index of indices) {
    out.varint(index - previous);
    previous = index;
  }
}

function readIndices(reader: ByteReader, at: number, count: number): number[] {
  let index = at;
  return Array.from({ length: reader.count() }, () => {
    index += reader.varint();
    if (index >= at + count) throw new CorruptDataError("index outside its chunk");
    return index;
  });
}
