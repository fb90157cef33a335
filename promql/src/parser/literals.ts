import { quoteString } from "./go-format.ts";

const INTEGER = /^(?:0[xX]_?[0-9a-fA-F](?:_?[0-9a-fA-F])*|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;
const DECIMAL = /^(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?$/;

/** Reads a number as Go does: decimal, 0x hexadecimal, leading-zero octal, `_` between digits, Inf, NaN. Throws. */
export function parseNumber(text: string): number {
  const word = text.toLowerCase();
  if (word === "inf") return Infinity;
  if (word === "nan") return Number.NaN;
  const plain = text.replaceAll("_", "");
  if (INTEGER.test(text)) {
    const value = BigInt(/^0[0-7]/.test(plain) ? `0o${plain.slice(1)}` : plain);
    if (value < 1n << 63n) return Number(value);
  }
  const invalid = (why: string) =>
    new Error(`error parsing number: strconv.ParseFloat: parsing ${quoteString(text)}: ${why}`);
  if (!DECIMAL.test(text)) throw invalid("invalid syntax");
  const value = Number(plain);
  if (value === Infinity) throw invalid("value out of range");
  return value;
}

const UNITS: Readonly<Record<string, { rank: number; ns: bigint }>> = {
  ms: { rank: 7, ns: 1_000_000n },
  s: { rank: 6, ns: 1_000_000_000n },
  m: { rank: 5, ns: 60_000_000_000n },
  h: { rank: 4, ns: 3_600_000_000_000n },
  d: { rank: 3, ns: 86_400_000_000_000n },
  w: { rank: 2, ns: 604_800_000_000_000n },
  y: { rank: 1, ns: 31_536_000_000_000_000n },
};

/** Reads `1h30m` as seconds. Throws an Error worded as Prometheus does. */
export function parseDurationSeconds(text: string): number {
  if (text === "0") return 0;
  const malformed = () => new Error(`not a valid duration string: ${quoteString(text)}`);
  let sum = 0n;
  let lastRank = 0;
  let rest = text;
  while (rest !== "") {
    const match = /^(\d+)(\D+)/.exec(rest);
    if (!match) throw malformed();
    const [whole, count = "", name = ""] = match;
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    if (unit === undefined) throw new Error(`unknown unit ${quoteString(name)} in duration ${quoteString(text)}`);
    if (unit.rank <= lastRank || BigInt(count) >= 1n << 64n) throw malformed();
    lastRank = unit.rank;
    sum += BigInt(count) * unit.ns;
    if (sum >= 1n << 63n) throw new Error("duration out of range");
    rest = rest.slice(whole.length);
  }
  return Number(sum / 1_000_000_000n) + Number(sum % 1_000_000_000n) / 1e9;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const SIMPLE: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Takes the quotes and escapes off a string token, which the lexer has found to be well-formed. */
export function unquote(token: string): string {
  const body = token.slice(1, -1);
  if (token.startsWith("`") || !body.includes("\\")) return body;
  const bytes: number[] = [];
  const pattern =
    /\\(?:([abfnrtv])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(["'\\]))|([^\\]+)/g;
  for (const [, simple, octal, hex, short, long, quoted, plain] of body.matchAll(pattern)) {
    if (simple !== undefined) bytes.push(SIMPLE[simple] ?? 0);
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (short !== undefined) bytes.push(...encoder.encode(String.fromCodePoint(Number.parseInt(short, 16))));
    else if (long !== undefined) bytes.push(...encoder.encode(String.fromCodePoint(Number.parseInt(long, 16))));
    else for (const byte of encoder.encode(quoted ?? plain ?? "")) bytes.push(byte);
  }
  return decodeBytes(bytes);
}

/**
 * Decodes UTF-8. A byte that is not part of a character becomes the lone surrogate U+DC00 + byte: no text has these, so
 * that such strings stay distinct, and `isWellFormed` finds them.
 */
function decodeBytes(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const rune = decodeRune(bytes, at);
    text += rune ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += rune === undefined ? 1 : encoder.encode(rune).length;
  }
  return text;
}

function decodeRune(bytes: readonly number[], at: number): string | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return String.fromCharCode(first);
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  try {
    return utf8.decode(new Uint8Array(bytes.slice(at, at + length)));
  } catch {
    // Not the beginning of a character: the caller takes it as a single byte.
    return undefined;
  }
}
