const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whether Go would print the character as it is: letters, marks, numbers, punctuation, symbols and the ASCII space. */
export const isPrintable = (char: string): boolean => PRINTABLE.test(char);

/** A Go string literal, as strconv.Quote and `%q` write it; `ascii` escapes everything else, as `%+q` does. */
export function quote(text: string, mark = '"', ascii = false): string {
  let out = mark;
  for (const char of text) out += escapeChar(char, mark, ascii);
  return out + mark;
}

function escapeChar(char: string, mark: string, ascii: boolean): string {
  if (char === mark) return `\\${char}`;
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
  if (isPrintable(char) && (!ascii || code < 0x80)) return char;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Reads a Go string literal (`"…"` or `` `…` ``). Throws `invalid syntax`, as strconv.Unquote does. */
export function unquote(literal: string): string {
  const mark = literal[0];
  const body = literal.slice(1, -1);
  if (literal.length < 2 || literal.at(-1) !== mark) throw new Error("invalid syntax");
  if (mark === "`") return body.replaceAll("\r", "");
  if (!body.includes("\\")) return body;
  const bytes: number[] = [];
  let rest = body;
  while (rest !== "") {
    const { value, tail, byte } = unescapeFirst(rest, mark ?? "");
    if (byte !== undefined) bytes.push(byte);
    else bytes.push(...encoder.encode(value));
    rest = tail;
  }
  return decoder.decode(Uint8Array.from(bytes));
}

/** The first character of an escaped text, and what follows it. `\xHH` and octal stand for a byte of UTF-8. */
export function unescapeFirst(text: string, mark: string): { value: string; tail: string; byte?: number } {
  const first = String.fromCodePoint(text.codePointAt(0) ?? 0);
  if (first === mark || first === "\n") throw new Error("invalid syntax");
  if (first !== "\\") return { value: first, tail: text.slice(first.length) };
  const char = text[1] ?? "";
  const simple = ESCAPES[char];
  if (simple !== undefined) return { value: simple, tail: text.slice(2) };
  if ((char === "'" || char === '"') && char === mark) return { value: char, tail: text.slice(2) };
  const numeric = /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/.exec(text);
  if (numeric === null) throw new Error("invalid syntax");
  const [all, hex, u4, u8, octal] = numeric;
  const tail = text.slice(all.length);
  if (hex !== undefined) return byteOf(Number.parseInt(hex, 16), tail);
  if (octal !== undefined) return byteOf(Number.parseInt(octal, 8), tail);
  const code = Number.parseInt(u4 ?? u8 ?? "", 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new Error("invalid syntax");
  return { value: String.fromCodePoint(code), tail };
}

function byteOf(byte: number, tail: string): { value: string; tail: string; byte: number } {
  if (byte > 255) throw new Error("invalid syntax");
  return { value: String.fromCharCode(byte), tail, byte };
}
