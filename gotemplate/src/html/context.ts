import type { Node } from "../nodes.ts";

/** Where in a page's languages a place of the template stands. The names are html/template's, as its errors show them. */
export type State =
  | "stateText"
  | "stateTag"
  | "stateAttrName"
  | "stateAfterName"
  | "stateBeforeValue"
  | "stateHTMLCmt"
  | "stateRCDATA"
  | "stateAttr"
  | "stateURL"
  | "stateSrcset"
  | "stateJS"
  | "stateJSDqStr"
  | "stateJSSqStr"
  | "stateJSTmplLit"
  | "stateJSRegexp"
  | "stateJSBlockCmt"
  | "stateJSLineCmt"
  | "stateJSHTMLOpenCmt"
  | "stateJSHTMLCloseCmt"
  | "stateCSS"
  | "stateCSSDqStr"
  | "stateCSSSqStr"
  | "stateCSSDqURL"
  | "stateCSSSqURL"
  | "stateCSSURL"
  | "stateCSSBlockCmt"
  | "stateCSSLineCmt"
  | "stateError"
  | "stateMetaContent"
  | "stateMetaContentURL"
  /** Behind a break or continue. */
  | "stateDead";

/** What ends the attribute value. */
type Delim = "delimNone" | "delimDoubleQuote" | "delimSingleQuote" | "delimSpaceOrTagEnd";
type UrlPart = "urlPartNone" | "urlPartPreQuery" | "urlPartQueryOrFrag" | "urlPartUnknown";
/** Whether a slash begins a regular expression or divides. */
export type JsCtx = "jsCtxRegexp" | "jsCtxDivOp" | "jsCtxUnknown";
/** Elements whose body is not ordinary text, or whose attributes are special. */
export type Element =
  | "elementNone"
  | "elementScript"
  | "elementStyle"
  | "elementTextarea"
  | "elementTitle"
  | "elementMeta";
export type Attr =
  | "attrNone"
  | "attrScript"
  | "attrScriptType"
  | "attrStyle"
  | "attrURL"
  | "attrSrcset"
  | "attrMetaContent";

/** Why a template cannot be escaped; the place is filled in where it is known. */
export interface EscapeProblem {
  readonly description: string;
  readonly node?: Node | undefined;
  readonly line?: number;
}

export interface Context {
  readonly state: State;
  readonly delim: Delim;
  readonly urlPart: UrlPart;
  readonly jsCtx: JsCtx;
  /** Open braces in each `${` of JavaScript template literals around. */
  readonly jsBraceDepth: readonly number[];
  readonly attr: Attr;
  readonly element: Element;
  readonly problem: EscapeProblem | undefined;
}

/** The beginning of a fragment of HTML. */
export const START: Context = {
  state: "stateText",
  delim: "delimNone",
  urlPart: "urlPartNone",
  jsCtx: "jsCtxRegexp",
  jsBraceDepth: [],
  attr: "attrNone",
  element: "elementNone",
  problem: undefined,
};

export const context = (parts: Partial<Context>): Context => ({ ...START, ...parts });

export const failed = (description: string, node?: Node, line = 0): Context =>
  context({ state: "stateError", problem: { description, node, line } });

export function sameContext(a: Context, b: Context): boolean {
  return (
    a.state === b.state &&
    a.delim === b.delim &&
    a.urlPart === b.urlPart &&
    a.jsCtx === b.jsCtx &&
    a.jsBraceDepth.join() === b.jsBraceDepth.join() &&
    a.attr === b.attr &&
    a.element === b.element &&
    a.problem === b.problem
  );
}

export function describeContext(c: Context): string {
  const depth = `[${c.jsBraceDepth.join(" ")}]`;
  return `{${c.state} ${c.delim} ${c.urlPart} ${c.jsCtx} ${depth} ${c.attr} ${c.element} ${c.problem?.description ?? "<nil>"}}`;
}

/** A name for the copy of a template that is escaped for another beginning than plain text. */
export function mangle(c: Context, name: string): string {
  if (c.state === "stateText") return name;
  let mangled = `${name}$htmltemplate_${c.state}`;
  if (c.delim !== "delimNone") mangled += `_${c.delim}`;
  if (c.urlPart !== "urlPartNone") mangled += `_${c.urlPart}`;
  if (c.jsCtx !== "jsCtxRegexp") mangled += `_${c.jsCtx}`;
  if (c.jsBraceDepth.length > 0) mangled += `_jsBraceDepth([${c.jsBraceDepth.join(" ")}])`;
  if (c.attr !== "attrNone") mangled += `_${c.attr}`;
  if (c.element !== "elementNone") mangled += `_${c.element}`;
  return mangled;
}

const COMMENTS: ReadonlySet<State> = new Set([
  "stateHTMLCmt",
  "stateJSBlockCmt",
  "stateJSLineCmt",
  "stateJSHTMLOpenCmt",
  "stateJSHTMLCloseCmt",
  "stateCSSBlockCmt",
  "stateCSSLineCmt",
]);
const IN_TAG: ReadonlySet<State> = new Set([
  "stateTag",
  "stateAttrName",
  "stateAfterName",
  "stateBeforeValue",
  "stateAttr",
]);
const SCRIPT_LITERALS: ReadonlySet<State> = new Set([
  "stateJSDqStr",
  "stateJSSqStr",
  "stateJSTmplLit",
  "stateJSRegexp",
]);

export const isComment = (state: State): boolean => COMMENTS.has(state);
export const isInTag = (state: State): boolean => IN_TAG.has(state);
/** In these, `<script`, `</script` and `<!--` need special care. */
export const isInScriptLiteral = (state: State): boolean => SCRIPT_LITERALS.has(state);
