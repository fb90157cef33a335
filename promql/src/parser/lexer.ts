import { describeRune, quoteRune, quoteString } from "./go-format.ts";
import { ParseError } from "./parse-error.ts";

/** Punctuation, operators and keywords are their own kind, in lower case. */
export type TokenKind = string;

export interface Token {
  kind: TokenKind;
  /** As written. */
  text: string;
  start: number;
  end: number;
}

export const AGGREGATORS: ReadonlySet<string> = new Set([
  "sum",
  "avg",
  "count",
  "min",
  "max",
  "group",
  "stddev",
  "stdvar",
  "topk",
  "bottomk",
  "count_values",
  "quantile",
  "limitk",
  "limit_ratio",
]);
const WORD_OPERATORS: ReadonlySet<string> = new Set(["and", "or", "unless", "atan2"]);
const MODIFIERS: ReadonlySet<string> = new Set([
  "offset",
  "smoothed",
  "anchored",
  "by",
  "without",
  "on",
  "ignoring",
  "group_left",
  "group_right",
  "fill",
  "fill_left",
  "fill_right",
  "bool",
]);
const DURATION_WORDS: ReadonlySet<string> = new Set(["step", "range", "max_of", "min_of"]);
const KEYWORDS: ReadonlySet<string> = new Set([
  ...AGGREGATORS,
  ...WORD_OPERATORS,
  ...MODIFIERS,
  ...DURATION_WORDS,
  "start",
  "end",
]);
const SYMBOL_OPERATORS: ReadonlySet<string> = new Set([
  "-",
  "+",
  "*",
  "%",
  "/",
  "==",
  "!=",
  "<=",
  "<",
  ">=",
  ">",
  "</",
  ">/",
  "=~",
  "!~",
  "^",
  "@",
]);
const NAMED_KINDS: Readonly<Record<string, string>> = {
  identifier: "identifier",
  metricIdentifier: "metric identifier",
  string: "string",
  number: "number",
  duration: "duration",
};

/** What an error message calls the token. */
export function describeToken(token: Token): string {
  if (token.kind === "eof") return "end of input";
  const named = NAMED_KINDS[token.kind];
  const isName = token.kind === "identifier" || token.kind === "metricIdentifier";
  if (MODIFIERS.has(token.kind)) return `<${token.text}>`;
  if (WORD_OPERATORS.has(token.kind) || SYMBOL_OPERATORS.has(token.kind)) return `<op:${token.text}>`;
  if (AGGREGATORS.has(token.kind)) return `<aggr:${token.text}>`;
  const runes = Array.from(token.text);
  const isLong = !isName && new TextEncoder().encode(token.text).length > 10;
  const shown = isLong ? `${quoteString(runes.slice(0, 10).join(""))}...` : quoteString(token.text);
  return named === undefined ? shown : `${named} ${shown}`;
}

const isSpace = (c: string): boolean => c === " " || c === "\t" || c === "\n" || c === "\r";
const isDigit = (c: string): boolean => c >= "0" && c <= "9" && c !== "";
const isAlpha = (c: string): boolean => c === "_" || (c >= "a" && c <= "z") || (c >= "A" && c <= "Z");
const isAlphaNumeric = (c: string): boolean => isAlpha(c) || isDigit(c);
const startsDurationWord = (c: string): boolean => c !== "" && "srmSRM".includes(c);

const ESCAPE_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/** Cuts a query into tokens, on demand. Where it stands (in braces, in brackets) decides what is a token. */
export class Lexer {
  readonly text: string;
  private at = 0;
  private start = 0;
  private parens = 0;
  private inBraces = false;
  private inBrackets = false;
  /** In brackets, until the first number: only duration arithmetic is allowed. */
  private inDuration = false;
  private sawColon = false;
  private sawDuration = false;

  constructor(text: string) {
    this.text = text;
  }

  /** The next token; comments and spaces are skipped. Throws `ParseError`. */
  next(): Token {
    for (;;) {
      this.skipSpaces();
      if (this.inDuration) return this.duration();
      if (this.peek() !== "#") return this.inBraces ? this.braces() : this.statement();
      this.skipComment();
    }
  }

  private statement(): Token {
    const c = this.take();
    switch (c) {
      case "":
        if (this.parens !== 0) this.fail("unclosed left parenthesis");
        if (this.inBrackets) this.fail("unclosed left bracket");
        return this.token("eof");
      case ",":
      case "*":
      case "/":
      case "%":
      case "+":
      case "-":
      case "^":
      case "@":
        return this.token(c);
      case "=":
        if (this.peek() === "~") this.fail(`unexpected character after '=': ${quoteRune("~")}`);
        return this.token(this.accept("=") ? "==" : "=");
      case "!": {
        const next = this.take();
        if (next !== "=") this.fail(`unexpected character after '!': ${quoteRune(next)}`);
        return this.token("!=");
      }
      case "<":
      case ">": {
        const second = this.accept("=") ? "=" : this.accept("/") ? "/" : "";
        return this.token(c + second);
      }
      case '"':
      case "'":
        return this.string(c);
      case "`":
        return this.rawString();
      case "(":
      case ")":
        return this.parenthesis(c);
      case "{":
        this.inBraces = true;
        return this.token("{");
      case "[":
        return this.openBracket();
      case "]":
        if (!this.inBrackets) this.fail(`unexpected right bracket ${quoteRune(c)}`);
        this.inBrackets = false;
        return this.token("]");
      default:
        break;
    }
    if (isDigit(c) || (c === "." && isDigit(this.peek()))) return this.number(c);
    if (isAlpha(c) || c === ":") return this.inBrackets ? this.bracketWord(c) : this.word(c);
    return this.fail(`unexpected character: ${quoteRune(c)}`);
  }

  private braces(): Token {
    const c = this.take();
    switch (c) {
      case "":
        return this.fail("unexpected end of input inside braces");
      case ",":
        return this.token(",");
      case '"':
      case "'":
        return this.string(c);
      case "`":
        return this.rawString();
      case "=":
        return this.token(this.accept("~") ? "=~" : "=");
      case "!": {
        const next = this.take();
        if (next === "~") return this.token("!~");
        if (next === "=") return this.token("!=");
        return this.fail(`unexpected character after '!' inside braces: ${quoteRune(next)}`);
      }
      case "{":
        return this.fail(`unexpected left brace ${quoteRune(c)}`);
      case "}":
        this.inBraces = false;
        return this.token("}");
      default:
        break;
    }
    if (!isAlpha(c)) return this.fail(`unexpected character inside braces: ${quoteRune(c)}`);
    while (isAlphaNumeric(this.peek())) this.at++;
    return this.token("identifier");
  }

  private duration(): Token {
    const c = this.take();
    switch (c) {
      case "":
        return this.fail("unexpected end of input in duration expression");
      case "]":
        this.inBrackets = false;
        this.inDuration = false;
        this.sawColon = false;
        return this.token("]");
      case ":":
        if (!this.sawDuration) this.failAfter("unexpected colon before duration in duration expression");
        if (this.sawColon) this.failAfter("unexpected repeated colon in duration expression");
        this.sawColon = true;
        return this.token(":");
      case "(":
      case ")":
        return this.parenthesis(c);
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
      case "^":
      case ",":
        return this.token(c);
      default:
        break;
    }
    if (startsDurationWord(c)) {
      const word = this.durationWord();
      if (word === undefined) this.fail(`unexpected character in duration expression: ${quoteRune(c)}`);
      return this.token(word);
    }
    if (isDigit(c) || (c === "." && isDigit(this.peek()))) {
      this.sawDuration = true;
      this.inDuration = false;
      return this.number(c);
    }
    return this.fail(`unexpected character in duration expression: ${quoteRune(c)}`);
  }

  private parenthesis(c: string): Token {
    this.parens += c === "(" ? 1 : -1;
    if (this.parens < 0) this.failAfter(`unexpected right parenthesis ${quoteRune(c)}`);
    return this.token(c);
  }

  private openBracket(): Token {
    if (this.inBrackets) this.fail(`unexpected left bracket ${quoteRune("[")}`);
    this.sawColon = false;
    this.inBrackets = true;
    this.inDuration = true;
    return this.token("[");
  }

  private bracketWord(c: string): Token {
    if (c === ":") {
      if (this.sawColon) this.fail(`unexpected colon ${quoteRune(c)}`);
      this.sawColon = true;
      return this.token(":");
    }
    const word = startsDurationWord(c) ? this.durationWord() : undefined;
    if (word === undefined) this.fail(`unexpected character: ${quoteRune(c)}, expected ${quoteRune(":")}`);
    return this.token(word);
  }

  private durationWord(): string | undefined {
    while (isAlpha(this.peek())) this.at++;
    const word = this.text.slice(this.start, this.at).toLowerCase();
    return DURATION_WORDS.has(word) ? word : undefined;
  }

  private word(first: string): Token {
    let hasColon = first === ":";
    for (let c = this.peek(); isAlphaNumeric(c) || c === ":"; c = this.peek()) {
      hasColon ||= c === ":";
      this.at++;
    }
    const word = this.text.slice(this.start, this.at).toLowerCase();
    if (word === "inf" || word === "nan") return this.token("number");
    if (KEYWORDS.has(word) && !(word.startsWith("fill") && !this.isBeforeParenthesis())) return this.token(word);
    return this.token(hasColon ? "metricIdentifier" : "identifier");
  }

  /** `fill` is a modifier only where arguments follow, so that metrics may have the name. */
  private isBeforeParenthesis(): boolean {
    let at = this.at;
    while (isSpace(this.text.charAt(at))) at++;
    return this.text.charAt(at) === "(";
  }

  private number(first: string): Token {
    this.at -= first.length;
    if (this.scanNumber()) return this.token("number");
    if (this.scanDurationRest()) return this.token("duration");
    return this.fail(`bad number or duration syntax: ${quoteString(this.text.slice(this.start, this.at))}`);
  }

  private scanNumber(): boolean {
    let digits = "0123456789";
    if (this.accept("0") && this.acceptAny("xX")) {
      this.accept("_");
      digits = "0123456789abcdefABCDEF";
    }
    this.accept(".");
    this.acceptAny(digits);
    let sawDot = false;
    let sawExponent = false;
    for (;;) {
      const c = this.peek();
      if (c === "" || !`${digits}._eE`.includes(c)) break;
      if (c === ".") {
        if (sawDot) {
          this.at++;
          return false;
        }
      } else if ((c === "e" || c === "E") && sawExponent) {
        this.at++;
        return false;
      }
      if (this.accept(".")) {
        sawDot = true;
        if (this.acceptAny("_.") || digits.length > 10) return false;
      } else if (this.acceptAny("eE")) {
        sawExponent = true;
        this.acceptAny("+-");
        if (this.acceptAny("._eE") || this.peek() === "") return false;
      } else if (this.accept("_")) {
        if (this.acceptAny("._eE") || this.peek() === "") return false;
      } else {
        while (this.acceptAny(digits));
      }
    }
    return this.at > this.start && !isAlphaNumeric(this.peek());
  }

  private scanDurationRest(): boolean {
    if (!this.acceptAny("smhdwy")) return false;
    this.accept("s");
    while (this.acceptAny("0123456789")) {
      while (this.acceptAny("0123456789"));
      if (!this.acceptAny("smhdw")) return false;
      this.accept("s");
    }
    if (!isAlphaNumeric(this.peek())) return true;
    this.at++;
    return false;
  }

  private string(quote: string): Token {
    for (;;) {
      const c = this.take();
      if (c === "\\") this.escape(quote);
      else if (isBadRune(c)) this.fail("invalid UTF-8 rune");
      else if (c === "" || c === "\n") this.fail("unterminated quoted string");
      else if (c === quote) return this.token("string");
    }
  }

  private rawString(): Token {
    for (;;) {
      const c = this.take();
      if (isBadRune(c)) this.fail("invalid UTF-8 rune");
      if (c === "") this.fail("unterminated raw string");
      if (c === "`") return this.token("string");
    }
  }

  private escape(quote: string): void {
    let c = this.take();
    if (c === "") this.fail("escape sequence not terminated");
    if ("abfnrtv\\".includes(c) || c === quote) return;
    const isOctal = c >= "0" && c <= "7" && c.length === 1;
    const length = isOctal ? 3 : ESCAPE_LENGTHS.get(c);
    if (length === undefined) return this.fail(`unknown escape sequence ${describeRune(c)}`);
    const base = isOctal ? 8 : 16;
    const max = isOctal || c === "x" ? 255 : 0x10ffff;
    if (!isOctal) c = this.take();
    let value = 0;
    for (let left = length; left > 0; left--) {
      const digit = /^[0-9a-fA-F]$/.test(c) ? Number.parseInt(c, 16) : 16;
      if (digit >= base) {
        this.fail(
          c === "" ? "escape sequence not terminated" : `illegal character ${describeRune(c)} in escape sequence`,
        );
      }
      value = value * base + digit;
      if (left > 1) c = this.take();
    }
    if (value > max || (value >= 0xd800 && value < 0xe000))
      this.fail("escape sequence is an invalid Unicode code point");
  }

  private skipSpaces(): void {
    while (isSpace(this.text.charAt(this.at))) this.at++;
    this.start = this.at;
  }

  private skipComment(): void {
    while (this.at < this.text.length && !"\r\n".includes(this.text.charAt(this.at))) this.at++;
    this.start = this.at;
  }

  /** The next character without consuming it; empty at the end. */
  private peek(): string {
    return this.text.charAt(this.at);
  }

  /** Consumes a whole code point. */
  private take(): string {
    const code = this.text.codePointAt(this.at);
    if (code === undefined) return "";
    const rune = String.fromCodePoint(code);
    this.at += rune.length;
    return rune;
  }

  private accept(c: string): boolean {
    if (this.peek() !== c) return false;
    this.at++;
    return true;
  }

  private acceptAny(valid: string): boolean {
    const c = this.peek();
    if (c === "" || !valid.includes(c)) return false;
    this.at++;
    return true;
  }

  private token(kind: TokenKind): Token {
    const token = { kind, text: this.text.slice(this.start, this.at), start: this.start, end: this.at };
    this.start = this.at;
    return token;
  }

  private fail(reason: string): never {
    throw new ParseError(reason, { start: this.start, end: this.text.length }, this.text);
  }

  /** For errors that concern a character already taken as a token. */
  private failAfter(reason: string): never {
    this.start = this.at;
    return this.fail(reason);
  }
}

function isBadRune(c: string): boolean {
  return c === "\ufffd" || (c.length === 1 && c >= "\ud800" && c <= "\udfff");
}
