import type { GoValue } from "../value.ts";
import { FILTERED, stringify } from "./stringify.ts";

const NMCHAR = /[A-Za-z0-9\-_\u0080-\ud7ff\ue000-\ufffd]|[\ud800-\udfff]/;

/** Whether CSS ends with a keyword (lower case), and not with a longer word. */
export function endsWithCssKeyword(text: string, keyword: string): boolean {
  const at = text.length - keyword.length;
  if (at < 0 || (at > 0 && NMCHAR.test(text[at - 1] ?? ""))) return false;
  return text.slice(at).toLowerCase() === keyword;
}

/** Resolves CSS escapes: `\26 ` is `&`, `\"` is `"`. */
export function decodeCss(text: string): string {
  return text.replaceAll(
    /\\(?:([0-9a-fA-F]{1,6})(?:\r\n|[\t\n\f\r ])?|([\s\S]))?/gu,
    (_, hex?: string, char?: string) => (hex === undefined ? (char ?? "") : fromHex(hex)),
  );
}

function fromHex(hex: string): string {
  const code = Number.parseInt(hex, 16);
  // Too large a number ends one digit earlier.
  if (code > 0x10ffff) return String.fromCodePoint(code >> 4) + hex.slice(-1);
  return code >= 0xd800 && code <= 0xdfff ? "\ufffd" : String.fromCodePoint(code);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\t": "\\9",
  "\n": "\\a",
  "\f": "\\c",
  "\r": "\\d",
  '"': "\\22",
  "&": "\\26",
  "'": "\\27",
  "(": "\\28",
  ")": "\\29",
  "+": "\\2b",
  "/": "\\2f",
  ":": "\\3a",
  ";": "\\3b",
  "<": "\\3c",
  ">": "\\3e",
  "\\": "\\\\",
  "{": "\\7b",
  "}": "\\7d",
};

/** For the inside of a CSS string. */
export function cssEscaper(...values: GoValue[]): string {
  const { text } = stringify(values);
  return text.replaceAll(/[\0\t\n\f\r"&'()+/:;<>\\{}]/g, (char, at: number) => {
    const escaped = ESCAPES[char] ?? char;
    const next = text[at + 1];
    return escaped !== "\\\\" && (next === undefined || /[0-9a-fA-F\t\n\f\r ]/.test(next)) ? `${escaped} ` : escaped;
  });
}

/** For a CSS value: lets harmless values such as `10px`, `#888` or `inherit` through and nothing else. */
export function cssValueFilter(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  if (kind === "CSS") return text;
  const decoded = decodeCss(text);
  if (/[\0"'()/;@[\\\]`{}<>]|--/.test(decoded)) return FILTERED;
  const word = decoded.replaceAll(/[^A-Za-z0-9\-_]/g, "").toLowerCase();
  return word.includes("expression") || word.includes("mozbinding") ? FILTERED : decoded;
}
