import { quote } from "../quote.ts";
import { attributeType } from "./attribute-types.ts";
import {
  type Attr,
  context,
  type Context,
  type Element,
  failed,
  isComment,
  isInScriptLiteral,
  START,
  type State,
} from "./context.ts";
import { decodeCss, endsWithCssKeyword } from "./css.ts";
import { nextJsCtx } from "./js.ts";

/** The context after some text from the front, and how much of it that was. */
type Step = readonly [Context, number];
type Transition = (c: Context, text: string) => Step;

const quoteStart = (text: string, count: number) => quote(Array.from(text).slice(0, count).join(""));

const SPECIAL_ELEMENTS: ReadonlyMap<string, Element> = new Map([
  ["script", "elementScript"],
  ["style", "elementStyle"],
  ["textarea", "elementTextarea"],
  ["title", "elementTitle"],
  ["meta", "elementMeta"],
]);
const CONTENT_STATES: Readonly<Record<Element, State>> = {
  elementNone: "stateText",
  elementScript: "stateJS",
  elementStyle: "stateCSS",
  elementTextarea: "stateRCDATA",
  elementTitle: "stateRCDATA",
  elementMeta: "stateText",
};
/** The state in which an attribute's value begins. */
export const VALUE_STATES: Readonly<Record<Attr, State>> = {
  attrNone: "stateAttr",
  attrScript: "stateJS",
  attrScriptType: "stateAttr",
  attrStyle: "stateCSS",
  attrURL: "stateURL",
  attrSrcset: "stateSrcset",
  attrMetaContent: "stateMetaContent",
};

const spaceAt = (text: string, from: number): number => {
  let i = from;
  while (i < text.length && " \t\n\f\r".includes(text[i] ?? "")) i++;
  return i;
};

const inText: Transition = (c, text) => {
  let from = 0;
  for (;;) {
    let i = text.indexOf("<", from);
    if (i < 0 || i + 1 === text.length) return [c, text.length];
    if (text.startsWith("<!--", i)) return [context({ state: "stateHTMLCmt" }), i + 4];
    i++;
    let end = false;
    if (text[i] === "/") {
      if (i + 1 === text.length) return [c, text.length];
      end = true;
      i++;
    }
    const name = /^[A-Za-z][A-Za-z0-9]*(?:[:-][A-Za-z0-9]+)*/.exec(text.slice(i))?.[0] ?? "";
    if (name !== "") {
      const element = end ? "elementNone" : (SPECIAL_ELEMENTS.get(name.toLowerCase()) ?? "elementNone");
      return [context({ state: "stateTag", element }), i + name.length];
    }
    from = i;
  }
};

const inTag: Transition = (c, text) => {
  const i = spaceAt(text, 0);
  if (i === text.length) return [c, text.length];
  if (text[i] === ">") {
    // A meta element has no body.
    const element = c.element === "elementMeta" ? "elementNone" : c.element;
    return [context({ state: CONTENT_STATES[element], element }), i + 1];
  }
  const name = attributeName(text, i);
  if (typeof name !== "number") return [name, text.length];
  if (name === i)
    return [failed(`expected space, attr name, or end of tag, but got ${quote(text.slice(i))}`), text.length];
  const attr = attributeKind(c.element, text.slice(i, name).toLowerCase());
  const state = name === text.length ? "stateAttrName" : "stateAfterName";
  return [context({ state, element: c.element, attr }), name];
};

function attributeKind(element: Element, name: string): Attr {
  if (element === "elementScript" && name === "type") return "attrScriptType";
  if (element === "elementMeta" && name === "content") return "attrMetaContent";
  switch (attributeType(name)) {
    case "url":
      return "attrURL";
    case "css":
      return "attrStyle";
    case "js":
      return "attrScript";
    case "srcset":
      return "attrSrcset";
    case "plain":
    case "html":
    case "unsafe":
      return "attrNone";
  }
}

/** Where the attribute name that begins at `from` ends. */
function attributeName(text: string, from: number): number | Context {
  for (let i = from; i < text.length; i++) {
    const char = text[i] ?? "";
    if (" \t\n\f\r=>".includes(char)) return i;
    if (`'"<`.includes(char)) return failed(`${quote(char)} in attribute name: ${quoteStart(text, 32)}`);
  }
  return text.length;
}

const inAttrName: Transition = (c, text) => {
  const end = attributeName(text, 0);
  if (typeof end !== "number") return [end, text.length];
  return [end === text.length ? c : { ...c, state: "stateAfterName" }, end];
};

const afterName: Transition = (c, text) => {
  const i = spaceAt(text, 0);
  if (i === text.length) return [c, text.length];
  if (text[i] !== "=") return [{ ...c, state: "stateTag" }, i];
  return [{ ...c, state: "stateBeforeValue" }, i + 1];
};

const beforeValue: Transition = (c, text) => {
  const i = spaceAt(text, 0);
  if (i === text.length) return [c, text.length];
  const state = VALUE_STATES[c.attr];
  if (text[i] === "'") return [{ ...c, state, delim: "delimSingleQuote" }, i + 1];
  if (text[i] === '"') return [{ ...c, state, delim: "delimDoubleQuote" }, i + 1];
  return [{ ...c, state, delim: "delimSpaceOrTagEnd" }, i];
};

const inHtmlComment: Transition = (c, text) => {
  const end = text.indexOf("-->");
  return end < 0 ? [c, text.length] : [START, end + 3];
};

const END_MARKERS: Readonly<Record<Element, string>> = {
  elementNone: "",
  elementScript: "script",
  elementStyle: "style",
  elementTextarea: "textarea",
  elementTitle: "title",
  elementMeta: "",
};

/** To the end tag of a special element; at it already when the number is 0. */
export const toSpecialEnd: Transition = (c, text) => {
  if (c.element === "elementNone") return [c, text.length];
  // A script's end tag within its strings is escaped later and ends nothing.
  if (c.element === "elementScript" && (isInScriptLiteral(c.state) || isComment(c.state))) return [c, text.length];
  const end = new RegExp(`</${END_MARKERS[c.element]}[> \\t\\n\\f/]`, "i").exec(text);
  return end === null ? [c, text.length] : [START, end.index];
};

const inUrl: Transition = (c, text) => {
  if (/[#?]/.test(text)) return [{ ...c, urlPart: "urlPartQueryOrFrag" }, text.length];
  if (spaceAt(text, 0) !== text.length && c.urlPart === "urlPartNone")
    return [{ ...c, urlPart: "urlPartPreQuery" }, text.length];
  return [c, text.length];
};

const inJs: Transition = (c, text) => {
  const i = text.search(/["`'/{}<\-#]/);
  if (i < 0) return [{ ...c, jsCtx: nextJsCtx(text, c.jsCtx) }, text.length];
  const jsCtx = nextJsCtx(text.slice(0, i), c.jsCtx);
  const here: Context = { ...c, jsCtx };
  const char = text[i] ?? "";
  switch (char) {
    case '"':
      return [{ ...here, state: "stateJSDqStr", jsCtx: "jsCtxRegexp" }, i + 1];
    case "'":
      return [{ ...here, state: "stateJSSqStr", jsCtx: "jsCtxRegexp" }, i + 1];
    case "`":
      return [{ ...here, state: "stateJSTmplLit", jsCtx: "jsCtxRegexp" }, i + 1];
    case "/":
      return atSlash(here, text, i);
    case "<":
      return text.startsWith("<!--", i) ? [{ ...here, state: "stateJSHTMLOpenCmt" }, i + 4] : [here, i + 1];
    case "-":
      return text.startsWith("-->", i) ? [{ ...here, state: "stateJSHTMLCloseCmt" }, i + 3] : [here, i + 1];
    case "#":
      return text[i + 1] === "!" ? [{ ...here, state: "stateJSLineCmt" }, i + 2] : [here, i + 1];
    default:
      return [atBrace(here, char), i + 1];
  }
};

function atSlash(c: Context, text: string, i: number): Step {
  if (text[i + 1] === "/") return [{ ...c, state: "stateJSLineCmt" }, i + 2];
  if (text[i + 1] === "*") return [{ ...c, state: "stateJSBlockCmt" }, i + 2];
  if (c.jsCtx === "jsCtxRegexp") return [{ ...c, state: "stateJSRegexp" }, i + 1];
  if (c.jsCtx === "jsCtxDivOp") return [{ ...c, jsCtx: "jsCtxRegexp" }, i + 1];
  return [failed(`'/' could start a division or regexp: ${quoteStart(text.slice(i), 32)}`), text.length];
}

/** Braces matter only to know which one ends a `${…}`. */
function atBrace(c: Context, brace: string): Context {
  const jsCtx = nextJsCtx(brace, c.jsCtx);
  const depth = c.jsBraceDepth.at(-1);
  if (depth === undefined) return { ...c, jsCtx };
  const outer = c.jsBraceDepth.slice(0, -1);
  if (brace === "{") return { ...c, jsCtx, jsBraceDepth: [...outer, depth + 1] };
  if (depth > 0) return { ...c, jsCtx, jsBraceDepth: [...outer, depth - 1] };
  return { ...c, jsBraceDepth: outer, state: "stateJSTmplLit" };
}

const unfinishedEscape = (language: string, text: string): Step => [
  failed(`unfinished escape sequence in ${language} string: ${quote(text)}`),
  text.length,
];

const inJsTemplate: Transition = (c, text) => {
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "\\") {
      i++;
      if (i === text.length) return unfinishedEscape("JS", text);
    } else if (char === "$" && text[i + 1] === "{")
      return [{ ...c, state: "stateJS", jsBraceDepth: [...c.jsBraceDepth, 0] }, i + 2];
    else if (char === "`") return [{ ...c, state: "stateJS" }, i + 1];
  }
  return [c, text.length];
};

const inJsDelimited: Transition = (c, text) => {
  const regexp = c.state === "stateJSRegexp";
  const end = regexp ? "/" : c.state === "stateJSSqStr" ? "'" : '"';
  let inCharset = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "\\") {
      i++;
      if (i === text.length) return unfinishedEscape("JS", text);
    } else if (regexp && char === "[") inCharset = true;
    else if (regexp && char === "]") inCharset = false;
    else if (char === end) {
      // "</script" in a regular expression is escaped later; its slash ends nothing.
      if (regexp && i > 0 && text.slice(i - 1, i + 7).toLowerCase() === "</script") i++;
      else if (!inCharset) return [{ ...c, state: "stateJS", jsCtx: "jsCtxDivOp" }, i + 1];
    }
  }
  if (inCharset) return [failed(`unfinished JS regexp charset: ${quote(text)}`), text.length];
  return [c, text.length];
};

const inBlockComment: Transition = (c, text) => {
  const end = text.indexOf("*/");
  if (end < 0) return [c, text.length];
  return [{ ...c, state: c.state === "stateJSBlockCmt" ? "stateJS" : "stateCSS" }, end + 2];
};

const inLineComment: Transition = (c, text) => {
  const css = c.state === "stateCSSLineCmt";
  const end = text.search(css ? /[\n\f\r]/ : /[\n\r\u2028\u2029]/);
  if (end < 0) return [c, text.length];
  return [{ ...c, state: css ? "stateCSS" : "stateJS" }, end];
};

const inCss: Transition = (c, text) => {
  for (let i = 0; i < text.length; i++) {
    switch (text[i] ?? "") {
      case "(": {
        if (!endsWithCssKeyword(text.slice(0, i).replace(/[\t\n\f\r ]+$/, ""), "url")) break;
        const j = spaceAt(text, i + 1);
        if (text[j] === '"') return [{ ...c, state: "stateCSSDqURL" }, j + 1];
        if (text[j] === "'") return [{ ...c, state: "stateCSSSqURL" }, j + 1];
        return [{ ...c, state: "stateCSSURL" }, j];
      }
      case "/":
        if (text[i + 1] === "/") return [{ ...c, state: "stateCSSLineCmt" }, i + 2];
        if (text[i + 1] === "*") return [{ ...c, state: "stateCSSBlockCmt" }, i + 2];
        break;
      case '"':
        return [{ ...c, state: "stateCSSDqStr" }, i + 1];
      case "'":
        return [{ ...c, state: "stateCSSSqStr" }, i + 1];
      default:
        break;
    }
  }
  return [c, text.length];
};

const inCssString: Transition = (c, text) => {
  const double = c.state === "stateCSSDqStr" || c.state === "stateCSSDqURL";
  const ends = c.state === "stateCSSURL" ? /[\t\n\f\r )]/ : double ? /"/ : /'/;
  let here = c;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char === "\\") {
      i++;
      if (i === text.length) return unfinishedEscape("CSS", text);
      here = inUrl(here, decodeCss(text.slice(0, i + 1)))[0];
      from = i + 1;
    } else if (ends.test(char)) return [{ ...here, state: "stateCSS" }, i + 1];
  }
  return [inUrl(here, decodeCss(text.slice(from)))[0], text.length];
};

const inMetaContent: Transition = (c, text) => {
  for (let i = 0; i + 3 <= text.length - 1; i++) {
    if (text.slice(i, i + 3).toLowerCase() !== "url") continue;
    const j = spaceAt(text, i + 3);
    if (text[j] === "=") return [{ ...c, state: "stateMetaContentURL" }, j + 1];
  }
  return [c, text.length];
};

const inMetaContentUrl: Transition = (c, text) => {
  const end = text.indexOf(";");
  return end < 0 ? [c, text.length] : [{ ...c, state: "stateMetaContent" }, end + 1];
};

const stay: Transition = (c, text) => [c, text.length];

/** How text leads from each state to the next. */
export const transitions: Readonly<Record<State, Transition>> = {
  stateText: inText,
  stateTag: inTag,
  stateAttrName: inAttrName,
  stateAfterName: afterName,
  stateBeforeValue: beforeValue,
  stateHTMLCmt: inHtmlComment,
  stateRCDATA: toSpecialEnd,
  stateAttr: stay,
  stateURL: inUrl,
  stateSrcset: inUrl,
  stateJS: inJs,
  stateJSDqStr: inJsDelimited,
  stateJSSqStr: inJsDelimited,
  stateJSTmplLit: inJsTemplate,
  stateJSRegexp: inJsDelimited,
  stateJSBlockCmt: inBlockComment,
  stateJSLineCmt: inLineComment,
  stateJSHTMLOpenCmt: inLineComment,
  stateJSHTMLCloseCmt: inLineComment,
  stateCSS: inCss,
  stateCSSDqStr: inCssString,
  stateCSSSqStr: inCssString,
  stateCSSDqURL: inCssString,
  stateCSSSqURL: inCssString,
  stateCSSURL: inCssString,
  stateCSSBlockCmt: inBlockComment,
  stateCSSLineCmt: inLineComment,
  stateError: stay,
  stateMetaContent: inMetaContent,
  stateMetaContentURL: inMetaContentUrl,
  stateDead: stay,
};
