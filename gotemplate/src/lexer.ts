import { quote } from "./quote.ts";

export type TokenType =
  | "error"
  | "bool"
  | "char"
  | "charConstant"
  | "comment"
  | "complex"
  | "assign"
  | "declare"
  | "EOF"
  | "field"
  | "identifier"
  | "leftDelim"
  | "leftParen"
  | "number"
  | "pipe"
  | "rawString"
  | "rightDelim"
  | "rightParen"
  | "space"
  | "string"
  | "text"
  | "variable"
  | Keyword;

const KEYWORDS = [
  ".",
  "block",
  "break",
  "continue",
  "define",
  "else",
  "end",
  "if",
  "nil",
  "range",
  "template",
  "with",
] as const;
type Keyword = (typeof KEYWORDS)[number];
const KEYWORD_SET: ReadonlySet<string> = new Set(KEYWORDS);

export interface Token {
  type: TokenType;
  /** Index into the text, in UTF-16 units. */
  pos: number;
  text: string;
  /** 1-based line of its beginning. */
  line: number;
}

/** A token as parse errors show it. */
export function describeToken(token: Token): string {
  if (token.type === "EOF") return "EOF";
  if (token.type === "error") return token.text;
  if (KEYWORD_SET.has(token.type)) return `<${token.text}>`;
  const bytes = new TextEncoder().encode(token.text).length;
  return bytes > 10 ? `${quote(Array.from(token.text).slice(0, 10).join(""))}...` : quote(token.text);
}

const LEFT = "{{";
const RIGHT = "}}";
const SPACES = " \t\r\n";
const ALPHANUMERIC = /[\p{L}\p{Nd}_]/u;

const isSpace = (char: string | undefined): boolean => char !== undefined && SPACES.includes(char);

/** Cuts a template into tokens. The last one is EOF or an error. */
export function tokenize(text: string, options: { breakOk: boolean; continueOk: boolean }): Token[] {
  return new Lexer(text, options).run();
}

class Lexer {
  readonly #text: string;
  readonly #options: { breakOk: boolean; continueOk: boolean };
  readonly #tokens: Token[] = [];
  #pos = 0;
  #start = 0;
  #line = 1;
  #countedTo = 0;
  #parens = 0;

  constructor(text: string, options: { breakOk: boolean; continueOk: boolean }) {
    this.#text = text;
    this.#options = options;
  }

  run(): Token[] {
    let failed = false;
    while (!failed && this.#pos < this.#text.length) failed = !this.#textAndAction();
    if (!failed) this.#emit("EOF");
    return this.#tokens;
  }

  /** Text up to the next action, and that action. False when an error token ended it. */
  #textAndAction(): boolean {
    const text = this.#text;
    const delimiter = text.indexOf(LEFT, this.#pos);
    if (delimiter < 0) {
      this.#pos = text.length;
      this.#emit("text");
      return true;
    }
    const trimmed = text[delimiter + 2] === "-" && isSpace(text[delimiter + 3]);
    let end = delimiter;
    if (trimmed) while (end > this.#pos && isSpace(text[end - 1])) end--;
    this.#pos = end;
    if (end > this.#start) this.#emit("text");
    this.#start = delimiter;
    this.#pos = delimiter + LEFT.length;
    // A trim marker is a minus and one space.
    const body = this.#pos + (trimmed ? 2 : 0);
    if (this.#comment(body)) return this.#tokens.at(-1)?.type !== "error";
    this.#emit("leftDelim");
    this.#pos = body;
    this.#start = body;
    this.#parens = 0;
    return this.#action();
  }

  /** Skips a comment, if one begins there. */
  #comment(begin: number): boolean {
    const text = this.#text;
    if (!text.startsWith("/*", begin)) return false;
    this.#start = begin;
    const close = text.indexOf("*/", begin + 2);
    if (close < 0) {
      this.#error("unclosed comment");
      return true;
    }
    this.#pos = close + 2;
    const right = this.#rightDelimiter();
    if (right === undefined) {
      this.#error("comment ends before closing delimiter");
      return true;
    }
    this.#skipRight(right);
    return true;
  }

  /** Whether a right delimiter stands here, with or without a trim marker before it. */
  #rightDelimiter(): "plain" | "trim" | undefined {
    const text = this.#text;
    if (isSpace(text[this.#pos]) && text[this.#pos + 1] === "-" && text.startsWith(RIGHT, this.#pos + 2)) return "trim";
    return text.startsWith(RIGHT, this.#pos) ? "plain" : undefined;
  }

  #skipRight(kind: "plain" | "trim"): void {
    this.#pos += RIGHT.length + (kind === "trim" ? 2 : 0);
    if (kind === "trim") while (isSpace(this.#text[this.#pos])) this.#pos++;
    this.#start = this.#pos;
  }

  #action(): boolean {
    for (;;) {
      const right = this.#rightDelimiter();
      if (right !== undefined) {
        if (this.#parens > 0) return this.#error("unclosed left paren");
        if (right === "trim") {
          this.#pos += 2;
          this.#start = this.#pos;
        }
        this.#pos += RIGHT.length;
        this.#emit("rightDelim");
        if (right === "trim") while (isSpace(this.#text[this.#pos])) this.#pos++;
        this.#start = this.#pos;
        return true;
      }
      if (!this.#token()) return false;
    }
  }

  #token(): boolean {
    const char = this.#peek();
    if (char === "") return this.#error("unclosed action");
    if (isSpace(char)) return this.#space();
    this.#pos += char.length;
    switch (char) {
      case "=":
        return this.#emit("assign");
      case ":":
        if (this.#peek() !== "=") {
          this.#pos += this.#peek().length;
          return this.#error("expected :=");
        }
        this.#pos++;
        return this.#emit("declare");
      case "|":
        return this.#emit("pipe");
      case '"':
        return this.#quoted('"', "string", "unterminated quoted string");
      case "'":
        return this.#quoted("'", "charConstant", "unterminated character constant");
      case "`":
        return this.#raw();
      case "$":
        return this.#name("variable");
      case "(":
        this.#parens++;
        return this.#emit("leftParen");
      case ")":
        this.#parens--;
        return this.#parens < 0 ? this.#error("unexpected right paren") : this.#emit("rightParen");
      default:
        break;
    }
    if (char === "." && !/[0-9]/.test(this.#peek()) && this.#pos < this.#text.length) return this.#name("field");
    if (/[+\-.0-9]/.test(char)) {
      this.#pos--;
      return this.#number();
    }
    if (ALPHANUMERIC.test(char)) return this.#identifier();
    if (char >= " " && char < "\x7f") return this.#emit("char");
    const code = char.codePointAt(0) ?? 0;
    const shown = code >= 0x20 && code !== 0x7f ? ` '${char}'` : "";
    return this.#error(
      `unrecognized character in action: U+${code.toString(16).toUpperCase().padStart(4, "0")}${shown}`,
    );
  }

  #space(): boolean {
    while (isSpace(this.#text[this.#pos])) this.#pos++;
    // The last space may belong to a trim marker before the right delimiter.
    this.#pos--;
    const trim = this.#rightDelimiter() === "trim";
    if (!trim) this.#pos++;
    if (this.#pos > this.#start) this.#emit("space");
    return true;
  }

  #identifier(): boolean {
    this.#skipAlphanumeric();
    const word = this.#text.slice(this.#start, this.#pos);
    if (!this.#atTerminator()) return this.#badCharacter();
    if (word === "break" && !this.#options.breakOk) return this.#emit("identifier");
    if (word === "continue" && !this.#options.continueOk) return this.#emit("identifier");
    if (KEYWORD_SET.has(word)) return this.#emit(word as Keyword);
    return this.#emit(word === "true" || word === "false" ? "bool" : "identifier");
  }

  /** What follows a `$` or a dot. */
  #name(type: "variable" | "field"): boolean {
    if (this.#atTerminator()) return this.#emit(type === "variable" ? "variable" : ".");
    this.#skipAlphanumeric();
    return this.#atTerminator() ? this.#emit(type) : this.#badCharacter();
  }

  #skipAlphanumeric(): void {
    for (let char = this.#peek(); char !== "" && ALPHANUMERIC.test(char); char = this.#peek()) this.#pos += char.length;
  }

  #badCharacter(): boolean {
    const char = this.#peek();
    const code = char.codePointAt(0) ?? 0;
    return this.#error(`bad character U+${code.toString(16).toUpperCase().padStart(4, "0")} '${char}'`);
  }

  #atTerminator(): boolean {
    const char = this.#peek();
    if (char === "" || isSpace(char) || ".,|:()".includes(char)) return true;
    return this.#text.startsWith(RIGHT, this.#pos);
  }

  #quoted(mark: string, type: TokenType, unterminated: string): boolean {
    for (;;) {
      const char = this.#peek();
      this.#pos += char.length;
      if (char === mark) return this.#emit(type);
      if (char === "\\") {
        const escaped = this.#peek();
        this.#pos += escaped.length;
        if (escaped !== "" && escaped !== "\n") continue;
        return this.#error(unterminated);
      }
      if (char === "" || char === "\n") return this.#error(unterminated);
    }
  }

  #raw(): boolean {
    const close = this.#text.indexOf("`", this.#pos);
    if (close < 0) {
      this.#pos = this.#text.length;
      return this.#error("unterminated raw quoted string");
    }
    this.#pos = close + 1;
    return this.#emit("rawString");
  }

  #number(): boolean {
    const syntax = () => this.#error(`bad number syntax: ${quote(this.#text.slice(this.#start, this.#pos))}`);
    if (!this.#scanNumber()) return syntax();
    const sign = this.#peek();
    if (sign !== "+" && sign !== "-") return this.#emit("number");
    if (!this.#scanNumber() || this.#text[this.#pos - 1] !== "i") return syntax();
    return this.#emit("complex");
  }

  #scanNumber(): boolean {
    const rest = this.#text.slice(this.#pos);
    const pattern =
      /^[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/;
    this.#pos += pattern.exec(rest)?.[0].length ?? 0;
    const next = this.#peek();
    if (next === "" || !ALPHANUMERIC.test(next)) return true;
    this.#pos += next.length;
    return false;
  }

  #peek(): string {
    const code = this.#text.codePointAt(this.#pos);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #lineAt(pos: number): number {
    for (; this.#countedTo < pos; this.#countedTo++) if (this.#text[this.#countedTo] === "\n") this.#line++;
    return this.#line;
  }

  #emit(type: TokenType): true {
    const line = this.#lineAt(this.#start);
    this.#tokens.push({ type, pos: this.#start, text: this.#text.slice(this.#start, this.#pos), line });
    this.#start = this.#pos;
    return true;
  }

  #error(message: string): false {
    this.#tokens.push({ type: "error", pos: this.#start, text: message, line: this.#lineAt(this.#start) });
    return false;
  }
}
