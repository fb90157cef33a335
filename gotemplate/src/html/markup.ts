import type { GoValue } from "../value.ts";
import { attributeType } from "./attribute-types.ts";
import { type Context, isInTag, START, context } from "./context.ts";
import { FILTERED, stringify } from "./stringify.ts";
import { transitions } from "./transitions.ts";

const BASIC: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "&": "&amp;",
  "'": "&#39;",
  "+": "&#43;",
  "<": "&lt;",
  ">": "&gt;",
};
const escapeAll = (text: string) => text.replaceAll(/[\0"&'+<>]/g, (char) => BASIC[char] ?? char);
/** Leaves entities that are there already. */
const escapeButEntities = (text: string) => text.replaceAll(/[\0"'+<>]/g, (char) => BASIC[char] ?? char);

/** For text between tags. */
export function htmlEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  return kind === "HTML" ? text : escapeAll(text);
}

/** For the body of title and textarea. */
export function rcdataEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  return kind === "HTML" ? escapeButEntities(text) : escapeAll(text);
}

/** For an attribute's value in quotes. */
export function attrEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  return kind === "HTML" ? escapeButEntities(stripTags(text)) : escapeAll(text);
}

/** For an attribute's value without quotes. */
export function htmlNospaceEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  if (text === "") return FILTERED;
  const [source, pattern] =
    kind === "HTML"
      ? [stripTags(text), /[\0\t\n\v\f\r "'+<=>`\ufdd0-\ufdef\ufff0-\uffff]/g]
      : [text, /[\0\t\n\v\f\r "&'+<=>`\ufdd0-\ufdef\ufff0-\uffff]/g];
  return source.replaceAll(pattern, (char) => {
    if (char === "\0") return "&#xfffd;";
    const code = char.charCodeAt(0);
    return BASIC[char] ?? (code < 0x80 ? `&#${code};` : `&#x${code.toString(16)};`);
  });
}

/** For the name of an attribute: lets only names through whose values are harmless. */
export function htmlNameFilter(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  if (kind === "HTMLAttr") return text;
  const name = text.toLowerCase();
  return /^[a-z0-9]+$/.test(name) && attributeType(name) === "plain" ? name : FILTERED;
}

/** Nothing is shown in comments. */
export const commentEscaper = (..._values: GoValue[]): string => "";

const VALUE_ENDS = { delimDoubleQuote: /"/, delimSingleQuote: /'/, delimSpaceOrTagEnd: /[ \t\n\f\r>]/ } as const;

/** The text of a piece of HTML without its tags. */
function stripTags(html: string): string {
  let out = "";
  let c: Context = START;
  let i = 0;
  let allText = true;
  while (i < html.length) {
    if (c.delim !== "delimNone") {
      const end = html.slice(i).search(VALUE_ENDS[c.delim]);
      if (end < 0) break;
      i += end + (c.delim === "delimSpaceOrTagEnd" ? 0 : 1);
      c = context({ state: "stateTag", element: c.element });
      continue;
    }
    const state = c.element !== "elementNone" && !isInTag(c.state) ? "stateRCDATA" : c.state;
    const [next, read] = transitions[state](c, html.slice(i));
    if (c.state === "stateText" || c.state === "stateRCDATA") {
      const tag = next.state === c.state ? -1 : html.slice(i, i + read).lastIndexOf("<");
      out += html.slice(i, tag < 0 ? i + read : i + tag);
    } else allText = false;
    c = next;
    i += read;
  }
  if (allText) return html;
  return c.state === "stateText" || c.state === "stateRCDATA" ? out + html.slice(i) : out;
}
