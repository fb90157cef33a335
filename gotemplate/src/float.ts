/** Decimal digits d₁d₂… with the point before digit `point`: 0.d₁d₂… × 10^point. Zero has no digits. */
interface Decimal {
  digits: string;
  point: number;
}

const view = new DataView(new ArrayBuffer(8));

/** Every digit of a finite, non-negative double. */
function exactDecimal(x: number): Decimal {
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponentBits = Number((bits >> 52n) & 0x7ffn);
  const fractionBits = bits & 0xfffffffffffffn;
  const mantissa = exponentBits === 0 ? fractionBits : fractionBits | 0x10000000000000n;
  const exponent = (exponentBits === 0 ? 1 : exponentBits) - 1075;
  const digits = exponent >= 0 ? String(mantissa << BigInt(exponent)) : String(mantissa * 5n ** BigInt(-exponent));
  return trim({ digits, point: exponent >= 0 ? digits.length : digits.length + exponent });
}

function trim(decimal: Decimal): Decimal {
  const leading = /^0*/.exec(decimal.digits)?.[0].length ?? 0;
  const digits = decimal.digits.slice(leading).replace(/0+$/, "");
  return digits === "" ? { digits, point: 0 } : { digits, point: decimal.point - leading };
}

/** Rounds half to even at `count` digits. */
function round(decimal: Decimal, count: number): Decimal {
  const { digits, point } = decimal;
  if (count < 0) return { digits: "", point: 0 };
  if (count >= digits.length) return decimal;
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const odd = Number(kept.at(-1) ?? "0") % 2 === 1;
  const up = rest[0] !== "5" ? (rest[0] ?? "0") > "5" : rest.length > 1 || odd;
  if (!up) return trim({ digits: kept, point });
  const grown = String(BigInt(kept === "" ? "0" : kept) + 1n).padStart(kept.length, "0");
  return trim({ digits: grown, point: point + (grown.length - kept.length) });
}

function shortestDecimal(x: number): Decimal {
  if (x === 0) return { digits: "", point: 0 };
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(x.toExponential());
  return { digits: `${match?.[1]}${match?.[2] ?? ""}`, point: Number(match?.[3]) + 1 };
}

/**
 * Prints a double as Go's strconv.FormatFloat: `verb` e, E, f, F, g or G; `precision` −1 for the fewest digits that
 * round-trip. NaN, +Inf and -Inf as such.
 */
export function formatFloat(x: number, verb: string, precision: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "+Inf" : "-Inf";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  const size = Math.abs(x);
  const upper = verb === "E" || verb === "G";
  const text = sign + formatSize(size, verb.toLowerCase(), precision);
  return upper ? text.toUpperCase() : text;
}

function formatSize(size: number, verb: string, precision: number): string {
  const shortest = precision < 0;
  if (verb === "e") {
    const decimal = shortest ? shortestDecimal(size) : round(exactDecimal(size), precision + 1);
    return exponential(decimal, shortest ? Math.max(decimal.digits.length - 1, 0) : precision);
  }
  if (verb === "f") {
    if (shortest) {
      const decimal = shortestDecimal(size);
      return fixed(decimal, Math.max(decimal.digits.length - decimal.point, 0));
    }
    const exact = exactDecimal(size);
    return fixed(round(exact, exact.point + precision), precision);
  }
  const digits = Math.max(precision, 1);
  const decimal = shortest ? shortestDecimal(size) : round(exactDecimal(size), digits);
  const count = decimal.digits.length;
  const limit = shortest ? 6 : digits > count && count >= decimal.point ? count : digits;
  const exponent = decimal.point - 1;
  if (exponent < -4 || exponent >= limit) return exponential(decimal, count - 1);
  return fixed(decimal, Math.max(count - decimal.point, 0));
}

function exponential(decimal: Decimal, fractionDigits: number): string {
  const digits = decimal.digits.padEnd(fractionDigits + 1, "0");
  const exponent = decimal.digits === "" ? 0 : decimal.point - 1;
  const sign = exponent < 0 ? "-" : "+";
  const fraction = fractionDigits > 0 ? `.${digits.slice(1, fractionDigits + 1)}` : "";
  return `${digits[0] ?? "0"}${fraction}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function fixed(decimal: Decimal, fractionDigits: number): string {
  const { digits, point } = decimal;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  if (fractionDigits <= 0) return whole;
  const fraction = point >= 0 ? digits.slice(point) : "0".repeat(-point) + digits;
  return `${whole}.${fraction.padEnd(fractionDigits, "0").slice(0, fractionDigits)}`;
}
