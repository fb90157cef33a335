import type { NumberLiteral, PositionRange } from "./ast.ts";
import { Lexer, type Token, type TokenKind, describeToken } from "./lexer.ts";
import { parseDurationSeconds, parseNumber } from "./literals.ts";
import { ParseError } from "./parse-error.ts";

/** How deep expressions may nest: far more than anyone writes, far less than the stack holds. */
export const MAX_DEPTH = 600;

/** What the message says of an unexpected token: where it stands and what could stand there instead. */
export interface Situation {
  within: string;
  expected: string;
}

const TOP: Situation = { within: "", expected: "" };

/** What every part of the parser stands on: one token of look-ahead, and errors that say where they are. */
export class TokenStream {
  protected readonly text: string;
  private readonly lexer: Lexer;
  private ahead: Token | undefined;
  /** End of the last token consumed. */
  protected lastEnd = 0;
  protected depth = 0;
  /** The innermost construct that has something of its own to say of unexpected tokens. */
  protected situation = TOP;

  constructor(text: string) {
    this.text = text;
    this.lexer = new Lexer(text);
  }

  protected peek(): Token {
    this.ahead ??= this.lexer.next();
    return this.ahead;
  }

  protected take(): Token {
    const token = this.peek();
    this.ahead = undefined;
    this.lastEnd = token.end;
    return token;
  }

  protected accept(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.take() : undefined;
  }

  protected expect(kind: TokenKind, situation = this.situation): Token {
    if (this.peek().kind !== kind) this.unexpected(situation);
    return this.take();
  }

  protected within<T>(situation: Situation, parse: () => T): T {
    const outer = this.situation;
    this.situation = situation;
    const result = parse();
    this.situation = outer;
    return result;
  }

  protected nested<T>(parse: () => T): T {
    if (++this.depth > MAX_DEPTH) this.tooDeep();
    const result = parse();
    this.depth--;
    return result;
  }

  protected tooDeep(): never {
    return this.fail(`expression nested more than ${MAX_DEPTH} levels deep`, this.peek());
  }

  protected unexpected({ within, expected } = this.situation): never {
    const token = this.peek();
    const where = within === "" ? "" : ` in ${within}`;
    const instead = expected === "" ? "" : `, expected ${expected}`;
    return this.fail(`unexpected ${describeToken(token)}${where}${instead}`, token);
  }

  protected fail(reason: string, { start, end }: PositionRange): never {
    throw new ParseError(reason, { start, end }, this.text);
  }

  protected numberLiteral(): NumberLiteral {
    const token = this.take();
    const pos = { start: token.start, end: token.end };
    const duration = token.kind === "duration";
    try {
      const value = duration ? parseDurationSeconds(token.text) : parseNumber(token.text);
      return { type: "number", value, duration, pos };
    } catch (error) {
      return this.fail((error as Error).message, pos);
    }
  }
}
