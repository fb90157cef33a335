import { type ByteReader, ByteWriter, CorruptDataError } from "./bytes.ts";
import { BitReader, BitWriter } from "./bits.ts";
import { packIntegers, unpackIntegers } from "./integers.ts";

const CONSTANT = 0;
const DECIMAL = 1;
const XOR = 2;

const MAX_EXPONENT = 15;
const MAX_MANTISSA = 2 ** 51;
const POWERS = Array.from({ length: MAX_EXPONENT + 1 }, (_, e) => 10 ** e);
/** A decimal chunk that needs more than this many bytes a value is tried as XOR too. */
const DECIMAL_IS_GOOD = 3;

const bits = new Uint32Array(2);
const double = new Float64Array(bits.buffer);
let mantissas = new Float64Array(1024);
const scratch = new ByteWriter(8192);

/**
 * Writes floats so that every bit comes back. Values that are decimals of up to 15 places (counts, bytes, rounded
 * seconds) become integers: the first, then differences over their greatest common divisor. Others are XORed with
 * their predecessor, as in Gorilla. The smaller one wins.
 */
export function packFloats(out: ByteWriter, values: Float64Array, count: number): void {
  if (isConstant(values, count)) {
    out.u8(CONSTANT);
    out.f64(values[0] as number);
    return;
  }
  scratch.clear();
  const decimal = packDecimal(scratch, values, count);
  if (decimal && scratch.length <= count * DECIMAL_IS_GOOD) {
    out.u8(DECIMAL);
    out.bytes(scratch.view());
    return;
  }
  const start = out.length;
  out.u8(XOR);
  packXor(out, values, count);
  if (decimal && scratch.length < out.length - start) {
    out.length = start;
    out.u8(DECIMAL);
    out.bytes(scratch.view());
  }
}

export function unpackFloats(reader: ByteReader, values: Float64Array, at: number, count: number): void {
  const mode = reader.u8();
  if (mode === CONSTANT) values.fill(reader.f64(), at, at + count);
  else if (mode === DECIMAL) unpackDecimal(reader, values, at, count);
  else if (mode === XOR) unpackXor(reader, values, at, count);
  else throw new CorruptDataError(`unknown float mode ${mode}`);
}

function isConstant(values: Float64Array, count: number): boolean {
  const first = values[0] as number;
  for (let i = 1; i < count; i++) if (!Object.is(values[i], first)) return false;
  return true;
}

/** Whether the values could be written; not when more than one in 16 is no decimal. */
function packDecimal(out: ByteWriter, values: Float64Array, count: number): boolean {
  const exponent = commonExponent(values, count);
  if (exponent === undefined) return false;
  if (mantissas.length < count) mantissas = new Float64Array(count * 2);
  const power = POWERS[exponent] as number;
  const odd: number[] = [];
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    const mantissa = Math.round(value * power);
    if (isExact(value, mantissa, power)) previous = mantissa;
    else odd.push(i);
    mantissas[i] = previous;
  }
  if (odd.length * 16 > count) return false;
  const first = mantissas[0] as number;
  for (let i = count - 1; i > 0; i--) mantissas[i] = (mantissas[i] as number) - (mantissas[i - 1] as number);
  const deltas = mantissas.subarray(1, count);
  const divisor = commonDivisor(deltas);
  if (divisor > 1) for (let i = 0; i < deltas.length; i++) deltas[i] = (deltas[i] as number) / divisor;
  out.u8(exponent | (odd.length > 0 ? 0x80 : 0) | (divisor > 1 ? 0x40 : 0));
  out.zigzag(first);
  if (divisor > 1) out.varint(divisor);
  if (odd.length > 0) {
    out.varint(odd.length);
    let last = 0;
    for (const index of odd) {
      out.varint(index - last);
      out.f64(values[index] as number);
      last = index;
    }
  }
  packIntegers(out, deltas, deltas.length);
  return true;
}

function unpackDecimal(reader: ByteReader, values: Float64Array, at: number, count: number): void {
  const head = reader.u8();
  const power = POWERS[head & 0x3f];
  if (power === undefined) throw new CorruptDataError(`decimal exponent ${head & 0x3f}`);
  let mantissa = reader.zigzag();
  const divisor = head & 0x40 ? reader.varint() : 1;
  const odd: number[] = [];
  if (head & 0x80) {
    let index = 0;
    for (let left = reader.count(9); left > 0; left--) {
      index += reader.varint();
      if (index >= count) throw new CorruptDataError("exception outside its chunk");
      odd.push(index, reader.f64());
    }
  }
  unpackIntegers(reader, values, at + 1, count - 1);
  values[at] = mantissa / power;
  for (let i = at + 1; i < at + count; i++) {
    mantissa += (values[i] as number) * divisor;
    values[i] = mantissa / power;
  }
  for (let i = 0; i < odd.length; i += 2) values[at + (odd[i] as number)] = odd[i + 1] as number;
}

/** The smallest exponent under which nearly all values are integers. */
function commonExponent(values: Float64Array, count: number): number | undefined {
  let exponent = 0;
  let odd = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    let e = exponent;
    while (e <= MAX_EXPONENT && !isExact(value, Math.round(value * (POWERS[e] as number)), POWERS[e] as number)) e++;
    if (e <= MAX_EXPONENT) exponent = e;
    else if (++odd * 16 > count) return undefined;
  }
  return exponent;
}

function isExact(value: number, mantissa: number, power: number): boolean {
  const inRange = mantissa <= MAX_MANTISSA && mantissa >= -MAX_MANTISSA;
  return inRange && mantissa / power === value && !Object.is(value, -0);
}

function commonDivisor(values: Float64Array): number {
  let divisor = 0;
  for (let i = 0; i < values.length; i++) {
    let a = Math.abs(values[i] as number);
    while (a !== 0) {
      const rest = divisor % a;
      divisor = a;
      a = rest;
    }
    if (divisor === 1) return 1;
  }
  return divisor;
}

function packXor(out: ByteWriter, values: Float64Array, count: number): void {
  double[0] = values[0] as number;
  let low = bits[0] as number;
  let high = bits[1] as number;
  out.u32(low);
  out.u32(high);
  const stream = new BitWriter(out);
  let leading = 65;
  let trailing = 0;
  for (let i = 1; i < count; i++) {
    double[0] = values[i] as number;
    const xorLow = ((bits[0] as number) ^ low) >>> 0;
    const xorHigh = ((bits[1] as number) ^ high) >>> 0;
    low = bits[0] as number;
    high = bits[1] as number;
    if (xorLow === 0 && xorHigh === 0) {
      stream.put(0, 1);
      continue;
    }
    const zerosBefore = Math.min(31, xorHigh === 0 ? 32 + Math.clz32(xorLow) : Math.clz32(xorHigh));
    const zerosAfter = xorLow === 0 ? 32 + trailingZeros(xorHigh) : trailingZeros(xorLow);
    if (zerosBefore >= leading && zerosAfter >= trailing) stream.put(1, 2);
    else {
      leading = zerosBefore;
      trailing = zerosAfter;
      stream.put(3, 2);
      stream.put(leading, 5);
      stream.put(63 - leading - trailing, 6);
    }
    putWide(stream, xorHigh, xorLow, 64 - leading - trailing, trailing);
  }
  stream.end();
}

function unpackXor(reader: ByteReader, values: Float64Array, at: number, count: number): void {
  let low = reader.u32();
  let high = reader.u32();
  bits[0] = low;
  bits[1] = high;
  values[at] = double[0] as number;
  const stream = new BitReader(reader);
  let length = 0;
  let trailing = 0;
  for (let i = at + 1; i < at + count; i++) {
    if (stream.get(1) === 1) {
      if (stream.get(1) === 1) {
        const leading = stream.get(5);
        length = stream.get(6) + 1;
        trailing = 64 - leading - length;
      }
      if (length === 0 || trailing < 0) throw new CorruptDataError("XOR window outside 64 bits");
      const first = stream.get(Math.min(length, 32));
      const second = length > 32 ? stream.get(length - 32) : 0;
      // (second:first) << trailing
      if (trailing === 0) {
        low = (low ^ first) >>> 0;
        high = (high ^ second) >>> 0;
      } else if (trailing < 32) {
        low = (low ^ (first << trailing)) >>> 0;
        high = (high ^ ((second << trailing) | (first >>> (32 - trailing)))) >>> 0;
      } else high = (high ^ (first << (trailing - 32))) >>> 0;
    }
    bits[0] = low;
    bits[1] = high;
    values[i] = double[0] as number;
  }
  stream.end();
}

/** Puts `(high:low) >> shift`, `length` bits of it. */
function putWide(stream: BitWriter, high: number, low: number, length: number, shift: number): void {
  let first = low;
  let second = high;
  if (shift >= 32) {
    first = high >>> (shift - 32);
    second = 0;
  } else if (shift > 0) {
    first = ((low >>> shift) | (high << (32 - shift))) >>> 0;
    second = high >>> shift;
  }
  stream.put(first, Math.min(length, 32));
  if (length > 32) stream.put(second, length - 32);
}

function trailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value);
}
