/**
 * Logarithms and powers by the methods of Go's math package, so that results agree with the reference to the last digit,
 * where JavaScript engines round differently now and then. Sources of the methods: FreeBSD's msun (logarithm, powers of
 * two) and repeated squaring (powers).
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

const floats = new Float64Array(1);
const words = new Uint32Array(floats.buffer);

/** x as fraction × 2^exponent with ½ ≤ |fraction| < 1; zero, infinities and NaN have exponent 0. */
export function splitExponent(x: number): { fraction: number; exponent: number } {
  if (x === 0 || !Number.isFinite(x)) return { fraction: x, exponent: 0 };
  let shift = 0;
  floats[0] = x;
  if (Math.abs(x) < 2 ** -1022) {
    floats[0] = x * 2 ** 54;
    shift = -54;
  }
  const high = words[1] as number;
  const exponent = ((high >>> 20) & 0x7ff) - 1022;
  words[1] = (high & 0x800fffff) | (1022 << 20);
  return { fraction: floats[0], exponent: exponent + shift };
}

/** fraction × 2^exponent, rounded once. */
export function scaleByPower(fraction: number, exponent: number): number {
  if (fraction === 0 || !Number.isFinite(fraction)) return fraction;
  const split = splitExponent(fraction);
  const total = split.exponent + exponent;
  if (total > 1024) return fraction < 0 ? -Infinity : Infinity;
  if (total < -1100) return fraction < 0 ? -0 : 0;
  if (total > 1023) return split.fraction * 2 * 2 ** (total - 1);
  return total < -1000 ? split.fraction * 2 ** -1000 * 2 ** (total + 1000) : split.fraction * 2 ** total;
}

export function logarithm(x: number): number {
  if (x < 0 || Number.isNaN(x)) return Number.NaN;
  if (x === Infinity) return x;
  if (x === 0) return -Infinity;
  let { fraction, exponent } = splitExponent(x);
  if (fraction < Math.SQRT1_2) {
    fraction *= 2;
    exponent--;
  }
  const f = fraction - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const odd =
    s2 * (0.6666666666666735 + s4 * (0.2857142874366239 + s4 * (0.1818357216161805 + s4 * 0.14798198605116586)));
  const even = s4 * (0.3999999999940942 + s4 * (0.22222198432149784 + s4 * 0.15313837699209373));
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + (odd + even)) + exponent * LN2_LOW) - f);
}

export function logarithm2(x: number): number {
  const { fraction, exponent } = splitExponent(x);
  return fraction === 0.5 ? exponent - 1 : logarithm(fraction) * Math.LOG2E + exponent;
}

export const logarithm10 = (x: number): number => logarithm(x) * Math.LOG10E;

/** 2^x */
export function powerOfTwo(x: number): number {
  if (Number.isNaN(x) || x === Infinity) return x;
  if (x === -Infinity || x < -1.074e3) return 0;
  if (x > 1023.9999999999999) return Infinity;
  const whole = x > 0 ? Math.trunc(x + 0.5) : x < 0 ? Math.trunc(x - 0.5) : 0;
  const t = x - whole;
  const high = t * LN2_HIGH;
  const low = -t * LN2_LOW;
  const r = high - low;
  const r2 = r * r;
  const c =
    r -
    r2 *
      (0.16666666666666666 +
        r2 *
          (-0.0027777777777015593 +
            r2 * (6.613756321437934e-5 + r2 * (-1.6533902205465252e-6 + r2 * 4.1381367970572385e-8))));
  return scaleByPower(1 - (low - (r * c) / (2 - c) - high), whole);
}

/** x^y; 1 to any power is 1, and so is -1 to an infinite one. */
export function power(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (y === 1) return x;
  if (x === -1 && Math.abs(y) === Infinity) return 1;
  if (x === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return x ** y;
  if (y === 0.5) return Math.sqrt(x);
  if (y === -0.5) return 1 / Math.sqrt(x);
  const size = Math.abs(y);
  let whole = Math.trunc(size);
  let rest = size - whole;
  if (rest !== 0 && x < 0) return Number.NaN;
  if (whole >= 2 ** 63) return x ** y;
  let factor = 1;
  if (rest !== 0) {
    if (rest > 0.5) {
      rest--;
      whole++;
    }
    factor = Math.exp(rest * logarithm(x));
  }
  const { fraction, exponent } = raise(factor, x, whole);
  return y < 0 ? scaleByPower(1 / fraction, -exponent) : scaleByPower(fraction, exponent);
}

/** factor × x^n by repeated squaring, with the exponent kept apart. */
function raise(factor: number, x: number, n: number): { fraction: number; exponent: number } {
  let { fraction: base, exponent: baseExponent } = splitExponent(x);
  let fraction = factor;
  let exponent = 0;
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (Math.abs(baseExponent) > 4096) {
      // Far beyond all numbers: the result is zero or infinite.
      exponent += baseExponent;
      break;
    }
    if (left % 2 === 1) {
      fraction *= base;
      exponent += baseExponent;
    }
    base *= base;
    baseExponent *= 2;
    if (base < 0.5) {
      base += base;
      baseExponent--;
    }
  }
  return { fraction, exponent };
}
