import { formatValue, sprint } from "../format.ts";
import { kindOf, mapEntries, methodOf, sliceItems, sortedEntries, typeName } from "../reflect.ts";
import { GoDuration, GoTime } from "../time.ts";
import { GoStruct, type GoValue, SafeContent } from "../value.ts";
import type { JsCtx } from "./context.ts";
import { stringify } from "./stringify.ts";

const REGEXP_PRECEDERS: ReadonlySet<string> = new Set(
  "break case continue delete do else finally in instanceof return throw try typeof void".split(" "),
);

/** Whether a slash after this run of tokens begins a regular expression; a guess that holds for real programs. */
export function nextJsCtx(text: string, preceding: JsCtx): JsCtx {
  const code = text.trimEnd();
  if (code === "") return preceding;
  const last = code.at(-1) ?? "";
  if (last === "+" || last === "-") {
    // `++` and `--` follow a value; an odd sign is an operator.
    const run = /(\++|-+)$/.exec(code)?.[0].length ?? 0;
    return run % 2 === 1 ? "jsCtxRegexp" : "jsCtxDivOp";
  }
  if (last === ".") return /\d\.$/.test(code) ? "jsCtxDivOp" : "jsCtxRegexp";
  if (",<>=*%&|^?!~([:;{}".includes(last)) return "jsCtxRegexp";
  return REGEXP_PRECEDERS.has(/[$\w]*$/.exec(code)?.[0] ?? "") ? "jsCtxRegexp" : "jsCtxDivOp";
}

/** A value as a JavaScript expression: JSON, padded so that it joins no word beside it. */
export function jsValEscaper(...values: GoValue[]): string {
  const value = values.length === 1 ? values[0] : sprint(...values);
  if (value instanceof SafeContent && value.kind === "JS") return value.text;
  if (value instanceof SafeContent && value.kind === "JSStr") return `"${value.text}"`;
  let json: string;
  try {
    json = toJson(stringer(value), 0);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error))
      .replaceAll(/<(\/?)script/gi, "\\x3C$1script")
      .replaceAll("*/", "* /")
      .replaceAll("<!--", "\\x3C!--");
    return ` /* ${reason} */null `;
  }
  return /^[$\w]|[$\w]$/.test(json) ? ` ${json} ` : json;
}

/** What prints itself is shown as it prints, save times, which have a JSON form of their own. */
function stringer(value: GoValue): GoValue {
  if (value instanceof GoDuration) return value.toString();
  if (typeof value !== "object" || value === null || value instanceof GoTime) return value;
  return methodOf(value, "String") === undefined ? value : formatValue(value);
}

/** A value as Go's encoding/json writes it: sorted keys, `<`, `>` and `&` escaped. */
function toJson(value: GoValue, depth = 0): string {
  if (depth > 100) throw new Error("json: unsupported value: nested too deeply");
  if (value === undefined || value === null) return "null";
  if (value instanceof GoTime) return jsonString(value.format("2006-01-02T15:04:05.999999999Z07:00"));
  if (value instanceof GoDuration) return String(value.nanos);
  if (value instanceof GoStruct) return jsonObject(Object.entries(value.fields), depth);
  switch (kindOf(value)) {
    case "string":
      return jsonString(value instanceof SafeContent ? value.text : (value as string));
    case "float64":
      return jsonNumber(Number(value));
    case "slice":
      return `[${(sliceItems(value) ?? []).map((item) => toJson(item, depth + 1)).join(",")}]`;
    case "map":
      return jsonObject(sortedEntries(mapEntries(value) ?? new Map()), depth);
    case "func":
      throw new Error(`json: unsupported type: ${typeName(value)}`);
    case "bool":
    case "int":
    case "invalid":
    case "struct":
      return formatValue(value);
  }
}

function jsonNumber(number: number): string {
  if (!Number.isFinite(number)) throw new Error(`json: unsupported value: ${formatValue(number)}`);
  return Object.is(number, -0) ? "-0" : String(number);
}

function jsonObject(entries: readonly (readonly [string, GoValue])[], depth: number): string {
  return `{${entries.map(([key, item]) => `${jsonString(key)}:${toJson(item, depth + 1)}`).join(",")}}`;
}

const jsonString = (text: string): string =>
  JSON.stringify(text.toWellFormed()).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const SHORT: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "/": "\\/",
  "\\": "\\\\",
};
/** Written as a number, for these mean something to HTML too. */
const HTML_SPECIALS = new Set("\"&'+<>\u2028\u2029");
const STRING_SPECIALS: ReadonlySet<string> = new Set("`/\\");
const SAFE_STRING_SPECIALS: ReadonlySet<string> = new Set("`/");
const TEMPLATE_SPECIALS: ReadonlySet<string> = new Set("`/\\${}");
const REGEXP_SPECIALS: ReadonlySet<string> = new Set("/\\$()*-.?[]^{|}");

/** Escapes control characters, what HTML minds, and these; `escape` says how where there is no short form. */
function escapeChars(text: string, specials: ReadonlySet<string>, escape: (char: string) => string): string {
  let out = "";
  for (const char of text) {
    if (char < " " || HTML_SPECIALS.has(char)) out += SHORT[char] ?? unicode(char);
    else out += specials.has(char) ? (SHORT[char] ?? escape(char)) : char;
  }
  return out;
}

const unicode = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** For the inside of a JavaScript string. */
export function jsStrEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  return escapeChars(text, kind === "JSStr" ? SAFE_STRING_SPECIALS : STRING_SPECIALS, unicode);
}

/** For the inside of a JavaScript template literal. */
export function jsTmplLitEscaper(...values: GoValue[]): string {
  return escapeChars(stringify(values).text, TEMPLATE_SPECIALS, unicode);
}

/** For the inside of a regular expression, where it matches itself. */
export function jsRegexpEscaper(...values: GoValue[]): string {
  const { text } = stringify(values);
  // Nothing at all would make the expression a comment.
  return text === "" ? "(?:)" : escapeChars(text, REGEXP_SPECIALS, (char) => `\\${char}`);
}

/** Whether a script element of this MIME type holds JavaScript or JSON. */
export const isJsType = (mimeType: string): boolean =>
  JS_TYPES.has((mimeType.split(";", 1)[0] ?? "").toLowerCase().trim());

const JS_TYPES: ReadonlySet<string> = new Set([
  "",
  "application/ecmascript",
  "application/javascript",
  "application/json",
  "application/ld+json",
  "application/x-ecmascript",
  "application/x-javascript",
  "module",
  "text/ecmascript",
  "text/javascript",
  "text/javascript1.0",
  "text/javascript1.1",
  "text/javascript1.2",
  "text/javascript1.3",
  "text/javascript1.4",
  "text/javascript1.5",
  "text/jscript",
  "text/livescript",
  "text/x-ecmascript",
  "text/x-javascript",
]);
