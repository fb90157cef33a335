import { TemplateError } from "./errors.ts";
import { describeToken, type Token, tokenize, type TokenType } from "./lexer.ts";
import {
  type BranchNode,
  type CommandNode,
  isEmptyTree,
  type ListNode,
  type NumberNode,
  type Operand,
  type PipeNode,
  printNode,
  type Source,
  type Statement,
  type TemplateNode,
  type Tree,
  type VariableNode,
} from "./nodes.ts";
import { parseCharConstant, parseNumber } from "./number.ts";
import { quote, unquote } from "./quote.ts";

/** Limits on what is parsed, so that no text can exhaust the stack. */
const MAX_NESTING = 300;
const MAX_TEXT = 4 * 1024 * 1024;

type Jump = { type: "end"; text: "{{end}}" } | { type: "else"; text: "{{else}}" };

/** What a define or block has of its own; the text and the tokens it shares with the template around it. */
interface Scope {
  variables: string[];
}

/**
 * Reads a template and the ones it defines. `hasFunction` says which names may be called. Returns the trees by name;
 * throws a TemplateError `template: NAME:LINE: …`.
 */
export function parse(name: string, text: string, hasFunction: (name: string) => boolean): Map<string, Tree> {
  if (text.length > MAX_TEXT)
    throw new TemplateError(`template: ${name}:1: text is longer than ${MAX_TEXT} characters`);
  return new Parser(name, text, hasFunction).run();
}

class Parser {
  readonly #source: Source;
  readonly #tokens: Token[];
  readonly #hasFunction: (name: string) => boolean;
  readonly #trees = new Map<string, Tree>();
  /** Index of the next token, and the furthest one looked at, whose line errors name. */
  #next = 0;
  #seen = 0;
  #scope: Scope = { variables: ["$"] };
  #rangeDepth = 0;
  #depth = 0;
  #actionLine = 0;

  constructor(name: string, text: string, hasFunction: (name: string) => boolean) {
    this.#source = { name, text };
    this.#hasFunction = hasFunction;
    this.#tokens = tokenize(text, { breakOk: !hasFunction("break"), continueOk: !hasFunction("continue") });
  }

  run(): Map<string, Tree> {
    const root: ListNode = { type: "list", source: this.#source, pos: this.#peek().pos, nodes: [] };
    while (this.#peek().type !== "EOF") {
      if (this.#atDefine()) {
        this.#define();
        continue;
      }
      const node = this.#textOrAction();
      if (node.type === "end" || node.type === "else") this.#fail(`unexpected ${node.text}`);
      else root.nodes.push(node);
    }
    this.#add(this.#source.name, root);
    return this.#trees;
  }

  #atDefine(): boolean {
    if (this.#peek().type !== "leftDelim") return false;
    const mark = this.#next;
    this.#take();
    if (this.#takeNonSpace().type === "define") return true;
    this.#next = mark;
    return false;
  }

  #define(): void {
    const context = "define clause";
    const token = this.#takeNonSpace();
    if (token.type !== "string" && token.type !== "rawString") this.#unexpected(token, context);
    const name = this.#unquote(token.text);
    this.#expect("rightDelim", context);
    this.#add(name, this.#separateList(context));
  }

  /** A list up to its `end`, in a scope of its own. */
  #separateList(context: string): ListNode {
    const outer = { scope: this.#scope, rangeDepth: this.#rangeDepth };
    this.#scope = { variables: ["$"] };
    this.#rangeDepth = 0;
    const { list, end } = this.#list();
    if (end.type !== "end") this.#fail(`unexpected ${end.text} in ${context}`);
    this.#scope = outer.scope;
    this.#rangeDepth = outer.rangeDepth;
    return list;
  }

  #add(name: string, root: ListNode): void {
    const existing = this.#trees.get(name);
    if (existing === undefined || isEmptyTree(existing.root))
      this.#trees.set(name, { name, source: this.#source, root });
    else if (!isEmptyTree(root)) this.#fail(`template: multiple definition of template ${quote(name)}`);
  }

  #list(): { list: ListNode; end: Jump } {
    const list: ListNode = { type: "list", source: this.#source, pos: this.#peekNonSpace().pos, nodes: [] };
    while (this.#peekNonSpace().type !== "EOF") {
      const node = this.#textOrAction();
      if (node.type === "end" || node.type === "else") return { list, end: node };
      list.nodes.push(node);
    }
    return this.#fail("unexpected EOF");
  }

  #textOrAction(): Statement | Jump {
    const token = this.#takeNonSpace();
    if (token.type === "text") return { type: "text", source: this.#source, pos: token.pos, text: token.text };
    if (token.type !== "leftDelim") return this.#unexpected(token, "input");
    this.#actionLine = token.line;
    const node = this.#action();
    this.#actionLine = 0;
    return node;
  }

  #action(): Statement | Jump {
    const token = this.#takeNonSpace();
    const { type } = token;
    if (type === "block") return this.#block();
    if (type === "break" || type === "continue") return this.#jump(token, type);
    if (type === "else") return this.#else();
    if (type === "if" || type === "range" || type === "with") return this.#branch(type);
    if (type === "template") return this.#template();
    if (type === "end") {
      this.#expect("rightDelim", "end");
      return { type: "end", text: "{{end}}" };
    }
    this.#next--;
    const { pos, line } = this.#peek();
    return { type: "action", source: this.#source, pos, line, pipe: this.#pipeline("command", "rightDelim") };
  }

  #jump(keyword: Token, type: "break" | "continue"): Statement {
    const token = this.#takeNonSpace();
    if (token.type !== "rightDelim") this.#unexpected(token, `{{${type}}}`);
    if (this.#rangeDepth === 0) this.#fail(`{{${type}}} outside {{range}}`);
    return { type, source: this.#source, pos: keyword.pos, line: keyword.line };
  }

  #else(): Jump {
    const { type } = this.#peekNonSpace();
    if (type !== "if" && type !== "with") this.#expect("rightDelim", "else");
    return { type: "else", text: "{{else}}" };
  }

  #branch(type: BranchNode["type"]): BranchNode {
    this.#enter();
    const variables = this.#scope.variables.length;
    const pipe = this.#pipeline(type, "rightDelim");
    if (type === "range") this.#rangeDepth++;
    const { list, end } = this.#list();
    if (type === "range") this.#rangeDepth--;
    const elseList = end.type === "else" ? this.#elseList(type) : undefined;
    this.#scope.variables.length = variables;
    this.#depth--;
    return { type, source: this.#source, pos: pipe.pos, line: pipe.line, pipe, list, elseList };
  }

  /** `else if` and `else with` are an else holding an if or with that ends with the same `end`. */
  #elseList(type: BranchNode["type"]): ListNode {
    const { pos } = this.#peek();
    if (type !== "range" && this.#peekNonSpace().type === type) {
      this.#takeNonSpace();
      return { type: "list", source: this.#source, pos, nodes: [this.#branch(type)] };
    }
    const { list, end } = this.#list();
    if (end.type !== "end") this.#fail(`expected end; found ${end.text}`);
    return list;
  }

  #block(): TemplateNode {
    const context = "block clause";
    const token = this.#takeNonSpace();
    const name = this.#templateName(token, context);
    const pipe = this.#pipeline(context, "rightDelim");
    this.#enter();
    this.#add(name, this.#separateList(context));
    this.#depth--;
    return { type: "template", source: this.#source, pos: token.pos, line: token.line, name, pipe };
  }

  #template(): TemplateNode {
    const context = "template clause";
    const token = this.#takeNonSpace();
    const name = this.#templateName(token, context);
    let pipe: PipeNode | undefined;
    if (this.#takeNonSpace().type !== "rightDelim") {
      this.#next--;
      pipe = this.#pipeline(context, "rightDelim");
    }
    return { type: "template", source: this.#source, pos: token.pos, line: token.line, name, pipe };
  }

  #templateName(token: Token, context: string): string {
    if (token.type !== "string" && token.type !== "rawString") return this.#unexpected(token, context);
    return this.#unquote(token.text);
  }

  #pipeline(context: string, end: "rightDelim" | "rightParen"): PipeNode {
    const { pos, line } = this.#peekNonSpace();
    const { variables, assign } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#takeNonSpace();
      if (token.type === end) {
        this.#checkPipeline(commands, context);
        return { type: "pipe", source: this.#source, pos, line, assign, variables, commands };
      }
      if (!OPERAND_STARTS.has(token.type)) this.#unexpected(token, context);
      this.#next--;
      commands.push(this.#command());
    }
  }

  #declarations(context: string): { variables: VariableNode[]; assign: boolean } {
    const variables: VariableNode[] = [];
    for (;;) {
      const token = this.#peekNonSpace();
      if (token.type !== "variable") return { variables, assign: false };
      const mark = this.#next;
      this.#takeNonSpace();
      const next = this.#peekNonSpace();
      const comma = next.type === "char" && next.text === ",";
      if (next.type !== "assign" && next.type !== "declare" && !comma) {
        this.#next = mark;
        return { variables, assign: false };
      }
      this.#takeNonSpace();
      variables.push({ type: "variable", source: this.#source, pos: token.pos, path: [token.text] });
      this.#scope.variables.push(token.text);
      if (!comma) return { variables, assign: next.type === "assign" };
      if (context !== "range" || variables.length > 1) this.#fail(`too many declarations in ${context}`);
      const { type } = this.#peekNonSpace();
      if (type !== "variable" && type !== "rightDelim" && type !== "rightParen")
        this.#fail("range can only initialize variables");
    }
  }

  #checkPipeline(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    for (const [i, command] of commands.entries()) {
      const first = command.args[0]?.type ?? "";
      if (i > 0 && ["bool", "dot", "nil", "number", "string"].includes(first))
        this.#fail(`non executable command in pipeline stage ${i + 1}`);
    }
  }

  #command(): CommandNode {
    const command: CommandNode = { type: "command", source: this.#source, pos: this.#peekNonSpace().pos, args: [] };
    for (;;) {
      this.#peekNonSpace();
      const operand = this.#operand();
      if (operand !== undefined) command.args.push(operand);
      const token = this.#take();
      if (token.type === "space") continue;
      if (token.type === "rightDelim" || token.type === "rightParen") this.#next--;
      else if (token.type !== "pipe") this.#unexpected(token, "operand");
      break;
    }
    if (command.args.length === 0) this.#fail("empty command");
    return command;
  }

  #operand(): Operand | undefined {
    const node = this.#term();
    if (node === undefined || this.#peek().type !== "field") return node;
    const { pos } = this.#peek();
    const path: string[] = [];
    while (this.#peek().type === "field") path.push(this.#take().text.slice(1));
    switch (node.type) {
      case "field":
        return { ...node, pos, path: [...node.path, ...path] };
      case "variable":
        return { ...node, pos, path: [...node.path, ...path] };
      case "bool":
      case "string":
      case "number":
      case "nil":
      case "dot":
        return this.#fail(`unexpected . after term ${quote(printNode(node))}`);
      case "chain":
      case "identifier":
      case "pipe":
        return { type: "chain", source: this.#source, pos, node, path };
    }
  }

  #term(): Operand | undefined {
    const token = this.#takeNonSpace();
    const { type, text } = token;
    const at = { source: this.#source, pos: token.pos };
    if (type === "identifier") {
      if (!this.#hasFunction(text)) this.#fail(`function ${quote(text)} not defined`);
      return { type: "identifier", ...at, name: text };
    }
    if (type === "variable") {
      if (!this.#scope.variables.includes(text)) this.#fail(`undefined variable ${quote(text)}`);
      return { type: "variable", ...at, path: [text] };
    }
    if (type === ".") return { type: "dot", ...at };
    if (type === "nil") return { type: "nil", ...at };
    if (type === "field") return { type: "field", ...at, path: [text.slice(1)] };
    if (type === "bool") return { type: "bool", ...at, value: text === "true" };
    if (type === "charConstant" || type === "complex" || type === "number") return this.#number(token);
    if (type === "string" || type === "rawString")
      return { type: "string", ...at, quoted: text, text: this.#unquote(text) };
    if (type === "leftParen") return this.#parenthesized();
    this.#next--;
    return undefined;
  }

  #parenthesized(): PipeNode {
    this.#enter();
    const pipe = this.#pipeline("parenthesized pipeline", "rightParen");
    this.#depth--;
    return pipe;
  }

  #number(token: Token): NumberNode {
    const at = { source: this.#source, pos: token.pos };
    if (token.type === "complex" || (token.type === "number" && token.text.endsWith("i")))
      return this.#fail(`complex constants are not supported: ${quote(token.text)}`);
    try {
      const constant = token.type === "charConstant" ? parseCharConstant(token.text) : parseNumber(token.text);
      return { type: "number", ...at, text: token.text, ...constant };
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #unquote(literal: string): string {
    try {
      return unquote(literal);
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #enter(): void {
    if (++this.#depth > MAX_NESTING) this.#fail("max expression depth exceeded");
  }

  #take(): Token {
    const token = this.#peek();
    this.#next = Math.min(this.#next, this.#tokens.length - 1) + 1;
    return token;
  }

  #peek(): Token {
    const last = this.#tokens.length - 1;
    const token = this.#tokens[Math.min(this.#next, last)] as Token;
    this.#seen = Math.max(this.#seen, Math.min(this.#next, last));
    return token;
  }

  #takeNonSpace(): Token {
    for (;;) {
      const token = this.#take();
      if (token.type !== "space") return token;
    }
  }

  #peekNonSpace(): Token {
    while (this.#peek().type === "space") this.#take();
    return this.#peek();
  }

  #expect(type: TokenType, context: string): Token {
    const token = this.#takeNonSpace();
    return token.type === type ? token : this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.type !== "error") return this.#fail(`unexpected ${describeToken(token)} in ${context}`);
    if (this.#actionLine === 0 || this.#actionLine === token.line) return this.#fail(token.text);
    const started = ` started at ${this.#source.name}:${this.#actionLine}`;
    return this.#fail(token.text + (token.text.endsWith(" action") ? started : ` in action${started}`));
  }

  #fail(message: string): never {
    const line = this.#tokens[this.#seen]?.line ?? 1;
    throw new TemplateError(`template: ${this.#source.name}:${line}: ${message}`);
  }
}

const OPERAND_STARTS: ReadonlySet<TokenType> = new Set([
  "bool",
  "charConstant",
  "complex",
  ".",
  "field",
  "identifier",
  "number",
  "nil",
  "rawString",
  "string",
  "variable",
  "leftParen",
]);
