const NAMED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};
const PLAIN = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Quotes a text as Go's `%q` does, so that keys made of labels are the same as Alertmanager's. */
export function goQuote(text: string): string {
  if (/^[\w .,:;/|()[\]{}<>=!?*+$%&@#^~'`-]*$/.test(text)) return `"${text}"`;
  let out = '"';
  for (const char of text) out += NAMED[char] ?? (PLAIN.test(char) ? char : escapeRune(char.codePointAt(0) as number));
  return `${out}"`;
}

function escapeRune(code: number): string {
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

const SHORT: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, "\\": 0x5c, '"': 0x22 };
const DIGITS: Readonly<Record<string, { count: number; limit: number }>> = {
  x: { count: 2, limit: 0xff },
  u: { count: 4, limit: 0xffff },
  U: { count: 8, limit: 0x10ffff },
};

/**
 * Reads a double-quoted Go string literal, quotes included. Throws an Error on an unknown escape, a raw newline or
 * bytes that are not UTF-8.
 */
export function goUnquote(literal: string): string {
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) throw new Error("invalid syntax");
  const body = literal.slice(1, -1);
  if (!/[\\"\n]/.test(body)) return body;
  const bytes: number[] = [];
  const text = new TextEncoder();
  for (let i = 0; i < body.length;) {
    const char = String.fromCodePoint(body.codePointAt(i) as number);
    if (char === '"' || char === "\n") throw new Error("invalid syntax");
    if (char !== "\\") {
      bytes.push(...text.encode(char));
      i += char.length;
      continue;
    }
    const escape = readEscape(body, i + 1);
    bytes.push(...(escape.rune === undefined ? [escape.byte] : text.encode(String.fromCodePoint(escape.rune))));
    i = escape.end;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch (cause) {
    throw new Error("not valid UTF-8", { cause });
  }
}

type Escape = { rune: number; end: number } | { rune?: undefined; byte: number; end: number };

/** The escape whose first character after the backslash is at `at`. */
function readEscape(body: string, at: number): Escape {
  const kind = body[at] ?? "";
  const short = SHORT[kind];
  if (short !== undefined) return { rune: short, end: at + 1 };
  const octal = /^[0-7]{3}/.exec(body.slice(at, at + 3))?.[0];
  if (octal !== undefined && Number.parseInt(octal, 8) <= 0xff) return { byte: Number.parseInt(octal, 8), end: at + 3 };
  const form = DIGITS[kind];
  const digits = form && body.slice(at + 1, at + 1 + form.count);
  if (!form || digits === undefined || digits.length !== form.count || !/^[0-9a-fA-F]+$/.test(digits))
    throw new Error(`invalid escape \\${kind}`);
  const code = Number.parseInt(digits, 16);
  const end = at + 1 + form.count;
  if (kind === "x") return { byte: code, end };
  if (code > form.limit || (code >= 0xd800 && code <= 0xdfff)) throw new Error(`invalid escape \\${kind}${digits}`);
  return { rune: code, end };
}
