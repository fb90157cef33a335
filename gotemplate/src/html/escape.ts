import { TemplateError } from "../errors.ts";
import {
  type ActionNode,
  type BranchNode,
  type CommandNode,
  type JumpNode,
  type ListNode,
  locate,
  type Node,
  type Operand,
  type PipeNode,
  printNode,
  type Statement,
  type TemplateNode,
  type TextNode,
  type Tree,
} from "../nodes.ts";
import { quote } from "../quote.ts";
import {
  context,
  type Context,
  describeContext,
  type EscapeProblem,
  failed,
  isComment,
  isInScriptLiteral,
  mangle,
  sameContext,
  START,
} from "./context.ts";
import { unescapeHtml } from "./entities.ts";
import type { EscaperName } from "./escapers.ts";
import { isJsType } from "./js.ts";
import { appendEscapers, calledName, PREDEFINED } from "./pipeline.ts";
import { toSpecialEnd, transitions, VALUE_STATES } from "./transitions.ts";

/**
 * Copies of the templates that `name` reaches, with escapers in their pipelines, so that whatever the data, the page
 * has the structure that the templates' author gave it. A template called in another context than plain text gets a
 * copy of its own for it. Throws a TemplateError `html/template:NAME:LINE:COLUMN: …` when that cannot be made sure.
 */
export function escapeTemplates(trees: ReadonlyMap<string, Tree>, name: string): ReadonlyMap<string, Tree> {
  const shared: Shared = { originals: trees, copies: new Map() };
  const escaper = new Escaper(shared, new Map());
  const [end] = escaper.template(START, name, undefined, 0);
  if (end.problem !== undefined) throw new TemplateError(describeProblem(end.problem, name));
  if (end.state !== "stateText")
    throw new TemplateError(`html/template:${name}: ends in a non-text context: ${describeContext(end)}`);
  escaper.edits.apply();
  return shared.copies;
}

function describeProblem(problem: EscapeProblem, name: string): string {
  if (problem.node !== undefined) return `html/template:${locate(problem.node)}: ${problem.description}`;
  if (problem.line !== undefined && problem.line > 0)
    return `html/template:${name}:${problem.line}: ${problem.description}`;
  return `html/template:${name}: ${problem.description}`;
}

interface Shared {
  readonly originals: ReadonlyMap<string, Tree>;
  /** By name, mangled with the context it is for. */
  readonly copies: Map<string, Tree>;
}

/** Changes to nodes, made only once it is clear that they hold. */
class Edits {
  readonly actions = new Map<ActionNode, readonly EscaperName[]>();
  readonly texts = new Map<TextNode, string>();
  readonly calls = new Map<TemplateNode, string>();

  add(other: Edits): void {
    for (const [node, names] of other.actions) this.actions.set(node, names);
    for (const [node, text] of other.texts) this.texts.set(node, text);
    for (const [node, name] of other.calls) this.calls.set(node, name);
  }

  apply(): void {
    for (const [node, names] of this.actions) appendEscapers(node.pipe, names);
    for (const [node, text] of this.texts) node.text = text;
    for (const [node, name] of this.calls) node.name = name;
  }
}

interface Jumps {
  breaks: { at: Context; node: JumpNode }[];
  continues: { at: Context; node: JumpNode }[];
}

class Escaper {
  readonly edits = new Edits();
  readonly #shared: Shared;
  /** The context that each template, mangled, ends in. */
  readonly #ends: Map<string, Context>;
  readonly #called = new Set<string>();
  #jumps: Jumps | undefined;

  constructor(shared: Shared, ends: Map<string, Context>, jumps?: Jumps) {
    this.#shared = shared;
    this.#ends = ends;
    this.#jumps = jumps;
  }

  /** The context after a call of the template, and the name of the copy to call. */
  template(c: Context, name: string, node: Node | undefined, line: number): [Context, string] {
    const mangled = mangle(c, name);
    this.#called.add(mangled);
    const known = this.#ends.get(mangled);
    if (known !== undefined) return [known, mangled];
    const tree = this.#copyOf(name, mangled);
    if (tree === undefined) return [failed(`no such template ${quote(name)}`, node, line), mangled];
    return [this.#endOf(c, mangled, tree), mangled];
  }

  #copyOf(name: string, mangled: string): Tree | undefined {
    const existing = this.#shared.copies.get(mangled);
    if (existing !== undefined) return existing;
    const original = this.#shared.originals.get(name);
    if (original === undefined) return undefined;
    const copy: Tree = { ...original, name: mangled, root: copyList(original.root) };
    this.#shared.copies.set(mangled, copy);
    return copy;
  }

  /** Looks for the end context as a fixed point, for templates that call themselves. */
  #endOf(c: Context, name: string, tree: Tree): Context {
    const [first, holds] = this.#body(c, name, tree);
    if (holds) return first;
    const [second, holdsNow] = this.#body(first, name, tree);
    if (holdsNow) return second;
    if (first.state === "stateError") return first;
    return failed(`cannot compute output context for template ${name}`, tree.root);
  }

  /** The end of a body that begins in `assumed`, if its calls of itself end there too, and whether they do. */
  #body(assumed: Context, name: string, tree: Tree): [Context, boolean] {
    this.#ends.set(name, assumed);
    const trial = new Escaper(this.#shared, new Map(this.#ends), this.#jumps);
    const end = trial.#list(assumed, tree.root);
    const holds = end.state !== "stateError" && (!trial.#called.has(name) || sameContext(assumed, end));
    if (holds) {
      for (const [key, value] of trial.#ends) this.#ends.set(key, value);
      this.#ends.set(name, end);
      for (const key of trial.#called) this.#called.add(key);
      this.edits.add(trial.edits);
    }
    return [end, holds];
  }

  #list(start: Context, list: ListNode | undefined): Context {
    let c = start;
    for (const node of list?.nodes ?? []) {
      c = this.#statement(c, node);
      if (c.state === "stateDead") break;
    }
    return c;
  }

  #statement(c: Context, node: Statement): Context {
    switch (node.type) {
      case "text":
        return this.#text(c, node);
      case "action":
        return this.#action(c, node);
      case "if":
      case "with":
      case "range":
        return this.#branch(c, node);
      case "template": {
        const [end, name] = this.template(c, node.name, node, node.line);
        if (name !== node.name) this.edits.calls.set(node, name);
        return end;
      }
      case "break":
        this.#jumps?.breaks.push({ at: c, node });
        return context({ state: "stateDead" });
      case "continue":
        this.#jumps?.continues.push({ at: c, node });
        return context({ state: "stateDead" });
    }
  }

  #action(before: Context, node: ActionNode): Context {
    if (node.pipe.variables.length > 0) return before;
    const c = nudge(before);
    for (const [i, command] of node.pipe.commands.entries()) {
      const name = calledName(command);
      if (name === undefined || !PREDEFINED.has(name)) continue;
      const unquoted = c.state === "stateAttr" && c.delim === "delimSpaceOrTagEnd" && name === "html";
      if (i < node.pipe.commands.length - 1 || unquoted)
        return failed(`predefined escaper ${quote(name)} disallowed in template`, node, node.line);
    }
    if (c.state === "stateError") return c;
    const chosen = escapersFor(c);
    if (chosen === undefined)
      return failed(`${printNode(node)} appears in an ambiguous context within a URL`, node, node.line);
    if (c.delim === "delimSpaceOrTagEnd") chosen.push("_html_template_nospaceescaper");
    else if (c.delim !== "delimNone") chosen.push("_html_template_attrescaper");
    this.edits.actions.set(node, chosen);
    if (c.state === "stateJS") return { ...c, jsCtx: "jsCtxDivOp" };
    return c.state === "stateTag" ? { ...c, state: "stateAttrName" } : c;
  }

  #branch(c: Context, node: BranchNode): Context {
    const outer = this.#jumps;
    if (node.type !== "range") return join(this.#list(c, node.list), this.#list(c, node.elseList), node, node.type);
    this.#jumps = { breaks: [], continues: [] };
    let end = this.#list(c, node.list);
    if (end.state !== "stateError") end = joinJumps(end, this.#jumps);
    this.#jumps = outer;
    if (end.state === "stateError") return end;
    // A second turn must end as the first did.
    const again: Jumps = { breaks: [], continues: [] };
    const second = new Escaper(this.#shared, new Map(this.#ends), again).#list(end, node.list);
    end = join(end, second, node, "range");
    if (end.problem !== undefined)
      return {
        ...end,
        problem: { ...end.problem, line: node.line, description: `on range loop re-entry: ${end.problem.description}` },
      };
    end = joinJumps(end, again);
    if (end.state === "stateError") return end;
    return join(end, this.#list(c, node.elseList), node, "range");
  }

  #text(start: Context, node: TextNode): Context {
    const { text } = node;
    let out = "";
    let written = 0;
    let c = start;
    let i = 0;
    while (i < text.length) {
      const [next, read] = afterText(c, text.slice(i));
      const end = i + read;
      if (c.state === "stateText" || c.state === "stateRCDATA") {
        const tag = next.state === c.state ? -1 : text.slice(i, end).lastIndexOf("<");
        const stop = tag < 0 ? end : i + tag;
        // A "<" that begins no tag must not begin one with what a value adds.
        for (let j = i; j < stop; j++)
          if (text[j] === "<" && text.slice(j, j + 9).toUpperCase() !== "<!DOCTYPE") {
            out += `${text.slice(written, j)}&lt;`;
            written = j + 1;
          }
      } else if (isComment(c.state) && c.delim === "delimNone") {
        if (c.state === "stateJSBlockCmt") out += /[\n\r\u2028\u2029]/.test(text.slice(written, end)) ? "\n" : " ";
        else if (c.state === "stateCSSBlockCmt") out += " ";
        written = end;
      }
      if (c.state !== next.state && isComment(next.state) && next.delim === "delimNone") {
        out += text.slice(written, end - openingLength(next));
        written = end;
      }
      if (isInScriptLiteral(c.state) && SCRIPT_TAG.test(text.slice(i, end))) {
        out += text.slice(written, i) + text.slice(i, end).replaceAll(SCRIPT_TAGS, "\\x3C$1");
        written = end;
      }
      if (i === end && c.state === next.state) return failed("the text cannot be analysed", node);
      c = next;
      i = end;
    }
    if (written !== 0 && c.state !== "stateError") {
      if (!isComment(c.state) || c.delim !== "delimNone") out += text.slice(written);
      this.edits.texts.set(node, out);
    }
    return c;
  }
}

const SCRIPT_TAG = /<(?:script|\/script|!--)/i;
const SCRIPT_TAGS = /<(script|\/script|!--)/gi;

function openingLength(comment: Context): number {
  if (comment.state === "stateHTMLCmt" || comment.state === "stateJSHTMLOpenCmt") return 4;
  return comment.state === "stateJSHTMLCloseCmt" ? 3 : 2;
}

const VALUE_ENDS = { delimDoubleQuote: /"/, delimSingleQuote: /'/, delimSpaceOrTagEnd: /[ \t\n\f\r>]/ } as const;

/** The context after some text from the front, and how much of it that was. */
function afterText(c: Context, text: string): readonly [Context, number] {
  if (c.delim === "delimNone") {
    const [ended, before] = toSpecialEnd(c, text);
    return before === 0 ? [ended, 0] : transitions[c.state](c, text.slice(0, before));
  }
  const found = text.search(VALUE_ENDS[c.delim]);
  const end = found < 0 ? text.length : found;
  if (c.delim === "delimSpaceOrTagEnd") {
    // Browsers do not agree on where a value with these ends.
    const wrong = /["'<=`]/.exec(text.slice(0, end));
    if (wrong !== null)
      return [failed(`${quote(wrong[0])} in unquoted attr: ${quote(text.slice(0, end))}`), text.length];
  }
  if (end === text.length) {
    let inside = c;
    for (let rest = unescapeHtml(text); rest !== "";) {
      const [next, read] = transitions[inside.state](inside, rest);
      inside = next;
      rest = rest.slice(read);
    }
    return [inside, text.length];
  }
  const foreign =
    c.state === "stateAttr" &&
    c.element === "elementScript" &&
    c.attr === "attrScriptType" &&
    !isJsType(text.slice(0, end));
  const element = foreign ? "elementNone" : c.element;
  return [context({ state: "stateTag", element }), c.delim === "delimSpaceOrTagEnd" ? end : end + 1];
}

/** The escapers for a value here, without what its delimiter asks for; undefined where it cannot be told. */
function escapersFor(c: Context): EscaperName[] | undefined {
  switch (c.state) {
    case "stateURL":
    case "stateCSSDqStr":
    case "stateCSSSqStr":
    case "stateCSSDqURL":
    case "stateCSSSqURL":
    case "stateCSSURL":
      return urlEscapers(c);
    case "stateMetaContentURL":
      return ["_html_template_urlfilter"];
    case "stateJS":
      return ["_html_template_jsvalescaper"];
    case "stateJSDqStr":
    case "stateJSSqStr":
      return ["_html_template_jsstrescaper"];
    case "stateJSTmplLit":
      return ["_html_template_jstmpllitescaper"];
    case "stateJSRegexp":
      return ["_html_template_jsregexpescaper"];
    case "stateCSS":
      return ["_html_template_cssvaluefilter"];
    case "stateText":
      return ["_html_template_htmlescaper"];
    case "stateRCDATA":
      return ["_html_template_rcdataescaper"];
    case "stateAttrName":
    case "stateTag":
      return ["_html_template_htmlnamefilter"];
    case "stateSrcset":
      return ["_html_template_srcsetescaper"];
    case "stateHTMLCmt":
    case "stateJSBlockCmt":
    case "stateJSLineCmt":
    case "stateJSHTMLOpenCmt":
    case "stateJSHTMLCloseCmt":
    case "stateCSSBlockCmt":
    case "stateCSSLineCmt":
      return ["_html_template_commentescaper"];
    case "stateAttr":
    case "stateMetaContent":
    case "stateAfterName":
    case "stateBeforeValue":
    case "stateError":
    case "stateDead":
      return [];
  }
}

function urlEscapers(c: Context): EscaperName[] | undefined {
  if (c.urlPart === "urlPartUnknown") return undefined;
  if (c.urlPart === "urlPartQueryOrFrag") return ["_html_template_urlescaper"];
  const string = c.state === "stateCSSDqStr" || c.state === "stateCSSSqStr";
  const encode: EscaperName = string ? "_html_template_cssescaper" : "_html_template_urlnormalizer";
  return c.urlPart === "urlPartNone" ? ["_html_template_urlfilter", encode] : [encode];
}

/** The context that a value moves on to before it is written: `<a href=` waits for a value, `{{.}}` begins it. */
function nudge(c: Context): Context {
  if (c.state === "stateTag") return { ...c, state: "stateAttrName" };
  if (c.state === "stateAfterName") return { ...c, state: "stateAttrName", attr: "attrNone" };
  if (c.state === "stateBeforeValue")
    return { ...c, state: VALUE_STATES[c.attr], delim: "delimSpaceOrTagEnd", attr: "attrNone" };
  return c;
}

/** The context after a branch: both ways must end alike. */
function join(a: Context, b: Context, node: Node, name: string): Context {
  if (a.state === "stateError") return a;
  if (b.state === "stateError") return b;
  if (a.state === "stateDead") return b;
  if (b.state === "stateDead" || sameContext(a, b)) return a;
  if (sameContext({ ...a, urlPart: b.urlPart }, b)) return { ...a, urlPart: "urlPartUnknown" };
  if (sameContext({ ...a, jsCtx: b.jsCtx }, b)) return { ...a, jsCtx: "jsCtxUnknown" };
  const [c, d] = [nudge(a), nudge(b)];
  if (!(sameContext(c, a) && sameContext(d, b))) {
    const joined = join(c, d, node, name);
    if (joined.state !== "stateError") return joined;
  }
  return failed(`{{${name}}} branches end in different contexts: ${describeContext(a)}, ${describeContext(b)}`, node);
}

/** What a loop ends in when its breaks and continues are counted in. */
function joinJumps(end: Context, jumps: Jumps): Context {
  let c = end;
  for (const [kind, list] of [
    ["break", jumps.breaks],
    ["continue", jumps.continues],
  ] as const)
    for (const { at, node } of list) {
      c = join(c, at, node, "range");
      if (c.problem !== undefined)
        return {
          ...c,
          problem: { ...c.problem, line: node.line, description: `at range loop ${kind}: ${c.problem.description}` },
        };
    }
  return c;
}

const copyList = (list: ListNode): ListNode => ({ ...list, nodes: list.nodes.map(copyStatement) });

function copyStatement(node: Statement): Statement {
  switch (node.type) {
    case "action":
      return { ...node, pipe: copyPipe(node.pipe) };
    case "if":
    case "range":
    case "with":
      return {
        ...node,
        pipe: copyPipe(node.pipe),
        list: copyList(node.list),
        elseList: node.elseList === undefined ? undefined : copyList(node.elseList),
      };
    case "template":
      return { ...node, pipe: node.pipe === undefined ? undefined : copyPipe(node.pipe) };
    case "text":
    case "break":
    case "continue":
      return { ...node };
  }
}

const copyPipe = (pipe: PipeNode): PipeNode => ({ ...pipe, commands: pipe.commands.map(copyCommand) });
const copyCommand = (command: CommandNode): CommandNode => ({ ...command, args: command.args.map(copyOperand) });
const copyOperand = (operand: Operand): Operand => (operand.type === "pipe" ? copyPipe(operand) : operand);
