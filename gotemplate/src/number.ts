import { quote, unescapeFirst } from "./quote.ts";

export interface Constant {
  int: bigint | undefined;
  float: number | undefined;
}

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;

/** Reads a character constant such as `'a'` or `'\n'`. */
export function parseCharConstant(text: string): Constant {
  const { value, tail, byte } = unescapeFirst(text.slice(1), "'");
  if (tail !== "'") throw new Error(`malformed character constant: ${text}`);
  const code = byte ?? value.codePointAt(0) ?? 0;
  return { int: BigInt(code), float: code };
}

/** Reads an int or float constant as Go does; a whole float counts as an int too where one is wanted. */
export function parseNumber(text: string): Constant {
  const int = parseInteger(text);
  if (int !== undefined && int >= MIN_INT && int <= MAX_INT) return { int, float: Number(int) };
  if (int !== undefined && int > 0n && int <= MAX_UINT) return { int: undefined, float: Number(int) };
  const float = parseFloatConstant(text);
  if (float === undefined) throw new Error(`illegal number syntax: ${quote(text)}`);
  if (!/[.eEpP]/.test(text)) throw new Error(`integer overflow: ${quote(text)}`);
  const whole = Number.isInteger(float) && Math.abs(float) < 2 ** 63;
  return { int: whole ? BigInt(float) : undefined, float };
}

function parseInteger(text: string): bigint | undefined {
  const match =
    /^([+-]?)(0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[bB]_?[01]+(?:_[01]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|[0-9]|[1-9][0-9]*(?:_[0-9]+)*)$/.exec(
      text,
    );
  if (match === null) return undefined;
  const digits = (match[2] ?? "").replaceAll("_", "").toLowerCase();
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  return match[1] === "-" ? -BigInt(octal) : BigInt(octal);
}

function parseFloatConstant(text: string): number | undefined {
  const hex =
    /^([+-]?)0[xX]((?:_?[0-9a-fA-F])*)(?:\.((?:[0-9a-fA-F](?:_?[0-9a-fA-F])*)?))?[pP]([+-]?\d+(?:_\d+)*)$/.exec(text);
  if (hex !== null) {
    const fraction = (hex[3] ?? "").replaceAll("_", "");
    const digits = (hex[2] ?? "").replaceAll("_", "") + fraction;
    if (digits === "") return undefined;
    const value =
      Number(BigInt(`0x${digits}`)) * 2 ** (Number((hex[4] ?? "").replaceAll("_", "")) - 4 * fraction.length);
    return hex[1] === "-" ? -value : value;
  }
  if (!/^[+-]?(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text.replaceAll("_", ""));
  return Number.isFinite(value) ? value : undefined;
}
