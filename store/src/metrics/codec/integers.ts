import { type ByteReader, type ByteWriter, CorruptDataError } from "./bytes.ts";
import { BitReader, BitWriter, bitWidth } from "./bits.ts";

const FRAME = 128;
const ALL_EQUAL = 0;
const FRAMES = 1;
const EXCEPTIONS = 0x40;

interface Plan {
  base: number;
  width: number;
  exceptions: number;
  bits: number;
}

/**
 * Writes integers within ±2^52. Frames of 128, each with a base and a bit width of its own; the few that don't fit
 * stand aside as exceptions (a counter's reset costs a few bytes, not a wider frame).
 */
export function packIntegers(out: ByteWriter, values: Float64Array, count: number): void {
  if (count === 0) return;
  const first = values[0] as number;
  let equal = true;
  for (let i = 1; i < count && equal; i++) equal = values[i] === first;
  if (equal) {
    out.u8(ALL_EQUAL);
    out.zigzag(first);
    return;
  }
  out.u8(FRAMES);
  for (let from = 0; from < count; from += FRAME) packFrame(out, values, from, Math.min(count, from + FRAME));
}

export function unpackIntegers(reader: ByteReader, values: Float64Array, at: number, count: number): void {
  if (count === 0) return;
  const mode = reader.u8();
  if (mode === ALL_EQUAL) {
    values.fill(reader.zigzag(), at, at + count);
    return;
  }
  if (mode !== FRAMES) throw new CorruptDataError(`unknown integer mode ${mode}`);
  for (let from = 0; from < count; from += FRAME) unpackFrame(reader, values, at + from, Math.min(FRAME, count - from));
}

function packFrame(out: ByteWriter, values: Float64Array, from: number, to: number): void {
  const { base, width, exceptions } = choosePlan(values, from, to);
  const limit = 2 ** width;
  out.u8(width | (exceptions > 0 ? EXCEPTIONS : 0));
  out.zigzag(base);
  if (exceptions > 0) {
    out.varint(exceptions);
    let previous = 0;
    for (let i = from; i < to; i++) {
      const value = values[i] as number;
      if (value >= base && value - base < limit) continue;
      out.varint(i - from - previous);
      out.zigzag(value);
      previous = i - from;
    }
  }
  if (width === 0) return;
  const bits = new BitWriter(out);
  for (let i = from; i < to; i++) {
    const offset = (values[i] as number) - base;
    bits.put(offset >= 0 && offset < limit ? offset : 0, width);
  }
  bits.end();
}

function unpackFrame(reader: ByteReader, values: Float64Array, at: number, count: number): void {
  const head = reader.u8();
  const width = head & 0x3f;
  if (width > 53) throw new CorruptDataError(`bit width ${width}`);
  const base = reader.zigzag();
  const exceptions: number[] = [];
  if (head & EXCEPTIONS) {
    let position = 0;
    for (let left = reader.count(2); left > 0; left--) {
      position += reader.varint();
      if (position >= count) throw new CorruptDataError("exception outside its frame");
      exceptions.push(position, reader.zigzag());
    }
  }
  if (width === 0) values.fill(base, at, at + count);
  else {
    const bits = new BitReader(reader);
    for (let i = at; i < at + count; i++) values[i] = base + bits.get(width);
    bits.end();
  }
  for (let i = 0; i < exceptions.length; i += 2) values[at + (exceptions[i] as number)] = exceptions[i + 1] as number;
}

/** The cheaper of two: everything above the smallest value, or everything in the upper half of the range. */
function choosePlan(values: Float64Array, from: number, to: number): Plan {
  let min = Infinity;
  let max = -Infinity;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const fromMin = planFor(values, from, to, min);
  const middle = min + (max - min) / 2;
  let upper = Infinity;
  let lower = 0;
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (value < middle) lower++;
    else if (value < upper) upper = value;
  }
  if (lower > 8) return fromMin;
  const fromUpper = planFor(values, from, to, upper);
  return fromUpper.bits < fromMin.bits ? fromUpper : fromMin;
}

const widths = new Uint16Array(64);

function planFor(values: Float64Array, from: number, to: number, base: number): Plan {
  widths.fill(0);
  let below = 0;
  let exceptionBits = 0;
  for (let i = from; i < to; i++) {
    const offset = (values[i] as number) - base;
    if (offset >= 0 && offset < 2 ** 53) widths[bitWidth(offset)] = (widths[bitWidth(offset)] as number) + 1;
    else {
      below++;
      exceptionBits += 16 + bitWidth(Math.min(2 ** 52, -offset));
    }
  }
  let best: Plan = { base, width: 53, exceptions: below, bits: Infinity };
  let wider = 0;
  let widerBits = 0;
  for (let width = 53; width >= 0; width--) {
    const bits = (to - from) * width + exceptionBits + widerBits;
    if (bits < best.bits) best = { base, width, exceptions: below + wider, bits };
    const here = widths[width] as number;
    wider += here;
    widerBits += here * (16 + width);
  }
  return best;
}
