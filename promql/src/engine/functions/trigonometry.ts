import { logarithm } from "./elementary.ts";

/**
 * Trigonometric functions by the methods of Go's math package (the Cephes library's), so that results agree with the
 * reference to the last digit.
 */

const QUARTER = Math.PI / 4;
/** π/4 in three parts, for a remainder with extra precision. */
const QUARTER_PARTS = [0.7853981256484985, 3.774894707930798e-8, 2.6951514290790595e-15] as const;
/** From here on the remainder needs π to many digits. */
const LARGE = 2 ** 29;

const SIN = [
  1.5896230157654656e-10, -2.5050747762857807e-8, 2.7557313621385722e-6, -0.0001984126982958954, 0.008333333333322118,
  -0.1666666666666663,
];
const COS = [
  -1.1358536521387682e-11, 2.087570084197473e-9, -2.755731417929674e-7, 2.4801587288851704e-5, -0.0013888888888873056,
  0.041666666666666595,
];

/** Coefficients from the highest power down. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0] ?? 0;
  for (let i = 1; i < coefficients.length; i++) sum = sum * x + (coefficients[i] as number);
  return sum;
}

/** A positive angle as a number of eighths of a turn, rounded up to an even one, and what is left. */
function reduce(x: number): { octant: number; rest: number } {
  if (x >= LARGE) return reduceLarge(x);
  let octant = Math.trunc(x * (4 / Math.PI));
  if (octant % 2 === 1) octant++;
  const [a, b, c] = QUARTER_PARTS;
  return { octant: octant % 8, rest: x - octant * a - octant * b - octant * c };
}

/** The binary digits of 4/π. */
const FOUR_OVER_PI =
  0x000000000000000145f306dc9c882a53f84eafa3ea69bb81b6c52b3278872083fca2c757bd778ac36e48dc74849ba5c00c925dd413a32439fc3bd63962534e7dd1046bea5d768909d338e04d68befc827323ac7306a673e93908bf177bf250763ff12fffbc0b301fde5e2316b414da3eda6cfd9e4f96136e9e8c7ecd3cbfd45aea4f758fd7cbe2f67a0e73ef14a525d4d7f6bf623f1aba10ac06608df8f6d757n;
const DIGIT_WORDS = 20;

const bits = new DataView(new ArrayBuffer(8));

/** Payne and Hanek's method: only the digits of 4/π that matter are multiplied. */
function reduceLarge(x: number): { octant: number; rest: number } {
  bits.setFloat64(0, x);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn) - 1023 - 52;
  const mantissa = (raw & 0xfffffffffffffn) | (1n << 52n);
  const start = exponent + 61;
  const window = BigInt.asUintN(192, FOUR_OVER_PI >> BigInt(DIGIT_WORDS * 64 - 192 - start));
  // The product's lowest 64 bits do not count, as the reference drops them.
  const [z0, z1, z2] = [window >> 128n, BigInt.asUintN(64, window >> 64n), BigInt.asUintN(64, window)];
  const product = BigInt.asUintN(128, ((z0 * mantissa) << 64n) + z1 * mantissa + ((z2 * mantissa) >> 64n));
  let octant = Number(product >> 125n);
  const fraction = BigInt.asUintN(125, product);
  let rest = toFraction(fraction);
  if (octant % 2 === 1) {
    octant = (octant + 1) % 8;
    rest--;
  }
  return { octant, rest: rest * QUARTER };
}

/** A fraction of 125 binary digits, cut to what a float holds. */
function toFraction(fraction: bigint): number {
  if (fraction === 0n) return 0;
  const length = fraction.toString(2).length;
  const kept = length > 53 ? fraction >> BigInt(length - 53) : fraction;
  return Number(kept) * 2 ** (Math.max(0, length - 53) - 125);
}

function sineOf(octant: number, rest: number): number {
  const square = rest * rest;
  if (octant === 2) return 1 - 0.5 * square + square * square * polynomial(COS, square);
  return rest + rest * square * polynomial(SIN, square);
}

export function sin(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? x : Number.NaN;
  const { octant, rest } = reduce(Math.abs(x));
  const value = sineOf(octant % 4, rest);
  return octant > 3 !== x < 0 ? -value : value;
}

export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN;
  const { octant, rest } = reduce(Math.abs(x));
  const value = sineOf(octant % 4 === 2 ? 0 : 2, rest);
  return octant > 3 !== octant % 4 > 1 ? -value : value;
}

const TAN_ABOVE = [-13093.693918138379, 1153516.6483858742, -17956525.197648488];
const TAN_BELOW = [1, 13681.296347069296, -1320892.3444021097, 25008380.18233579, -53869575.592945464];

export function tan(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x === 0 ? x : Number.NaN;
  const { octant, rest } = reduce(Math.abs(x));
  const square = rest * rest;
  let value = rest;
  if (square > 1e-14) value += rest * ((square * polynomial(TAN_ABOVE, square)) / polynomial(TAN_BELOW, square));
  if (octant % 4 === 2) value = -1 / value;
  return x < 0 ? -value : value;
}

const ATAN_ABOVE = [
  -0.8750608600031904, -16.157537187333652, -75.00855792314705, -122.88666844901361, -64.85021904942025,
];
const ATAN_BELOW = [
  1, 24.858464901423062, 165.02700983169885, 432.88106049129027, 485.3903996359137, 194.5506571482614,
];
/** What π/2 as a float lacks. */
const HALF_PI_REST = 6.123233995736766e-17;

function smallArctangent(x: number): number {
  const square = x * x;
  const z = (square * polynomial(ATAN_ABOVE, square)) / polynomial(ATAN_BELOW, square);
  return x * z + x;
}

function positiveArctangent(x: number): number {
  if (x <= 0.66) return smallArctangent(x);
  if (x > 2.414213562373095) return Math.PI / 2 - smallArctangent(1 / x) + HALF_PI_REST;
  return QUARTER + smallArctangent((x - 1) / (x + 1)) + 0.5 * HALF_PI_REST;
}

export function atan(x: number): number {
  if (x === 0) return x;
  return x > 0 ? positiveArctangent(x) : -positiveArctangent(-x);
}

export function asin(x: number): number {
  if (x === 0) return x;
  const size = Math.abs(x);
  if (!(size <= 1)) return Number.NaN;
  const other = Math.sqrt(1 - size * size);
  const value = size > 0.7 ? Math.PI / 2 - positiveArctangent(other / size) : positiveArctangent(size / other);
  return x < 0 ? -value : value;
}

export const acos = (x: number): number => Math.PI / 2 - asin(x);

export function atan2(y: number, x: number): number {
  if (x === 0 || y === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return Math.atan2(y, x);
  const quotient = atan(y / x);
  if (x >= 0) return quotient;
  return quotient <= 0 ? quotient + Math.PI : quotient - Math.PI;
}

const SINH_ABOVE = [-26.30563213397497, -2894.211355989564, -89912.72022039509, -630767.3640497717];
const SINH_BELOW = [1, -173.6789535582337, 15215.17378790019, -630767.3640497717];

export function sinh(x: number): number {
  const size = Math.abs(x);
  let value: number;
  if (size > 21) {
    value = Math.exp(size) * 0.5;
  } else if (size > 0.5) {
    const e = Math.exp(size);
    value = (e - 1 / e) * 0.5;
  } else {
    value = (polynomial(SINH_ABOVE, size * size) * size) / polynomial(SINH_BELOW, size * size);
  }
  return x < 0 ? -value : value;
}

export function cosh(x: number): number {
  const size = Math.abs(x);
  if (size > 21) return Math.exp(size) * 0.5;
  const e = Math.exp(size);
  return (e + 1 / e) * 0.5;
}

const TANH_ABOVE = [-0.9643991794250523, -99.28772310019185, -1614.6876844170845];
const TANH_BELOW = [1, 112.81167849163293, 2235.4883906010045, 4844.063053251255];

export function tanh(x: number): number {
  const size = Math.abs(x);
  if (size > 0.5 * 88.02969193111305) return Math.sign(x);
  if (size >= 0.625) {
    const value = 1 - 2 / (Math.exp(2 * size) + 1);
    return x < 0 ? -value : value;
  }
  if (x === 0 || Number.isNaN(x)) return x;
  const square = x * x;
  return x + (x * square * polynomial(TANH_ABOVE, square)) / polynomial(TANH_BELOW, square);
}

export function asinh(x: number): number {
  if (!Number.isFinite(x)) return x;
  const size = Math.abs(x);
  let value = size;
  if (size > 2 ** 28) value = logarithm(size) + Math.LN2;
  else if (size > 2) value = logarithm(2 * size + 1 / (Math.sqrt(size * size + 1) + size));
  else if (size >= 2 ** -28) value = Math.log1p(size + (size * size) / (1 + Math.sqrt(1 + size * size)));
  return x < 0 ? -value : value;
}

export function acosh(x: number): number {
  if (!(x >= 1)) return Number.NaN;
  if (x === 1) return 0;
  if (x >= 2 ** 28) return logarithm(x) + Math.LN2;
  if (x > 2) return logarithm(2 * x - 1 / (x + Math.sqrt(x * x - 1)));
  const above = x - 1;
  return Math.log1p(above + Math.sqrt(2 * above + above * above));
}

export function atanh(x: number): number {
  const size = Math.abs(x);
  if (!(size <= 1)) return Number.NaN;
  let value = size;
  if (size >= 0.5) value = 0.5 * Math.log1p((size + size) / (1 - size));
  else if (size >= 2 ** -28) value = 0.5 * Math.log1p(2 * size + (2 * size * size) / (1 - size));
  return x < 0 || Object.is(x, -0) ? -value : value;
}
