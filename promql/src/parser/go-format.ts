/**
 * How Go prints strings, runes and floats. Prometheus' messages and label values are made of these, so they have to
 * come out byte for byte.
 */

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const SHORT: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** Like Go's `%q` of a string. */
export function quoteString(text: string): string {
  let out = '"';
  for (const rune of text) out += rune === '"' ? '\\"' : escapeRune(rune);
  return `${out}"`;
}

/** Like Go's `%q` of a rune; the end of input counts as U+FFFD. */
export function quoteRune(rune: string): string {
  if (rune === "") return "'\ufffd'";
  return `'${rune === "'" ? "\\'" : escapeRune(rune)}'`;
}

/** Like Go's `%#U`: `U+0063 'c'`. */
export function describeRune(rune: string): string {
  if (rune === "") return "U+FFFFFFFFFFFFFFFF";
  const code = (rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return PRINTABLE.test(rune) ? `U+${code} '${rune}'` : `U+${code}`;
}

function escapeRune(rune: string): string {
  const short = SHORT[rune];
  if (short !== undefined) return short;
  if (PRINTABLE.test(rune)) return rune;
  const code = rune.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  // The parser's stand-in for a byte that is not UTF-8.
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code >= 0xd800 && code < 0xe000) return "\ufffd";
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return Object.is(value, -0) ? "-0" : undefined;
}

/** The shortest decimal form without an exponent, as Go's `FormatFloat(v, 'f', -1, 64)`. */
export function formatPlain(value: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = "", head = "", tail = "", exponent = "0"] = match;
  const digits = head + tail;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, "0")}`;
}

/** The shortest form with an exponent of at least two digits, as Go's `FormatFloat(v, 'e', -1, 64)`. */
export function formatExponent(value: number): string {
  const named = special(value);
  if (named !== undefined) return named === "-0" ? "-0e+00" : named;
  return padExponent(value.toExponential());
}

/** Like Go's `%g`, and `%v` of a float64. */
export function formatShortest(value: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const exponent = Number(value.toExponential().split("e")[1]);
  return value !== 0 && (exponent < -4 || exponent >= 6) ? formatExponent(value) : formatPlain(value);
}

/** Like Go's `%.Ng`: exact ties go to the even digit, where JavaScript rounds up. */
export function formatPrecision(value: number, digits: number): string {
  const named = special(value);
  if (named !== undefined) return named;
  const { mantissa, exponent } = roundToEven(value, digits);
  const sign = value < 0 ? "-" : "";
  if (value !== 0 && (exponent < -4 || exponent >= digits)) {
    const text = `${mantissa.slice(0, 1)}.${mantissa.slice(1)}`;
    return padExponent(`${sign}${trimZeros(text)}e${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`);
  }
  if (exponent < 0) return sign + trimZeros(`0.${"0".repeat(-exponent - 1)}${mantissa}`);
  return sign + trimZeros(`${mantissa.slice(0, exponent + 1)}.${mantissa.slice(exponent + 1)}`);
}

/** The first significant digits of a number, and the power of ten of the first one. */
function roundToEven(value: number, digits: number): { mantissa: string; exponent: number } {
  // Enough digits to tell a tie from what is near it.
  // oxlint-disable-next-line oxc/number-arg-out-of-range -- up to 100 is in the language
  const [all = "", power = "0"] = Math.abs(value).toExponential(100).replace(".", "").split("e");
  const rest = all.slice(digits);
  const head = BigInt(all.slice(0, digits));
  const isTie = /^50*$/.test(rest);
  const up = isTie ? head % 2n === 1n : rest >= "5";
  const mantissa = String(up ? head + 1n : head).padStart(digits, "0");
  // 9.99 may have become 10.0.
  if (mantissa.length > digits) return { mantissa: mantissa.slice(0, digits), exponent: Number(power) + 1 };
  return { mantissa, exponent: Number(power) };
}

const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0*$/, "") : text);
const padExponent = (text: string): string => text.replace(/e([+-])(\d)$/, "e$10$2");

/** Like Go's `%.Nf`. */
export function formatFixed(value: number, digits: number): string {
  const named = Object.is(value, -0) ? undefined : special(value);
  if (named !== undefined) return named;
  if (Math.abs(value) < 1e21) return value.toFixed(digits);
  return `${BigInt(value)}.${"0".repeat(digits)}`;
}

/** A number as OpenMetrics writes it in labels: always with a point or an exponent. */
export function formatOpenMetrics(value: number): string {
  if (Object.is(value, -0)) return "0.0";
  const text = formatShortest(value);
  return /[e.]|NaN|Inf/.test(text) ? text : `${text}.0`;
}

/** Reads a float as Go's ParseFloat does; undefined when it is none. */
export function parseGoFloat(text: string): number | undefined {
  const match = /^([+-]?)(?:(inf|infinity)|(nan)|(\d[\d_]*\.?[\d_]*(?:e[+-]?\d+)?|\.\d[\d_]*(?:e[+-]?\d+)?))$/i.exec(
    text,
  );
  if (!match) return undefined;
  const [, sign, infinity, nan, number] = match;
  if (nan !== undefined) return Number.NaN;
  const value = infinity === undefined ? Number(number) : Infinity;
  return Number.isNaN(value) ? undefined : sign === "-" ? -value : value;
}
