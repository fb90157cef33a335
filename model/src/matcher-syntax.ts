import { goUnquote } from "./go-quote.ts";
import { CompiledMatcher, type Matcher, type MatchType } from "./matcher.ts";
import { compareStrings } from "./order.ts";

/**
 * Which of Alertmanager's grammars reads matchers. `default` runs both: where only one accepts, its result counts;
 * where they differ, the classic one's, with a warning; where both refuse, the classic error.
 */
export type MatcherMode = "default" | "classic" | "utf8";

export interface ParsedMatchers {
  readonly matchers: Matcher[];
  /** Set when the text means something else, or nothing, in the UTF-8 grammar. */
  readonly warning?: string;
}

/** Reads `a="x",b=~"y.*"`, braces optional. Throws an Error with the reason, also for a bad regular expression. */
export function parseMatchers(text: string, mode: MatcherMode = "default"): ParsedMatchers {
  if (mode === "classic") return { matchers: parseClassic(text) };
  if (mode === "utf8") return { matchers: parseUtf8(text) };
  return withFallback(text, parseClassic, parseUtf8);
}

/** Reads exactly one matcher, as the API's `filter` parameters take it. Throws an Error with the reason. */
export function parseMatcher(text: string, mode: MatcherMode = "default"): { matcher: Matcher; warning?: string } {
  const { matchers, warning } = parseSingle(text, mode);
  return { matcher: matchers[0] as Matcher, ...(warning !== undefined && { warning }) };
}

function parseSingle(text: string, mode: MatcherMode): ParsedMatchers {
  if (mode === "classic") return { matchers: [parseClassicOne(text)] };
  if (text.startsWith("{") || text.endsWith("}")) throw new Error(`unexpected open or close brace: ${text}`);
  if (mode === "utf8") return { matchers: exactlyOne(parseUtf8(text)) };
  return withFallback(
    text,
    (input) => [parseClassicOne(input)],
    (input) => exactlyOne(parseUtf8(input)),
  );
}

function exactlyOne(matchers: Matcher[]): Matcher[] {
  if (matchers.length === 0) throw new Error("no matchers");
  if (matchers.length > 1) throw new Error(`expected 1 matcher, found ${matchers.length}`);
  return matchers;
}

type Grammar = (text: string) => Matcher[];

function withFallback(text: string, classic: Grammar, utf8: Grammar): ParsedMatchers {
  const next = attempt(utf8, text);
  const old = attempt(classic, text);
  if (old.matchers === undefined) {
    if (next.matchers === undefined) throw old.error;
    return { matchers: next.matchers };
  }
  if (next.matchers === undefined) {
    return {
      matchers: old.matchers,
      warning: `${text} is not valid in the UTF-8 matcher syntax (${next.error.message}); write it as ${formatMatchers(old.matchers)}`,
    };
  }
  if (sameMatchers(old.matchers, next.matchers)) return { matchers: old.matchers };
  return {
    matchers: old.matchers,
    warning: `${text} means ${formatMatchers(next.matchers)} in the UTF-8 matcher syntax; it is taken as ${formatMatchers(old.matchers)}`,
  };
}

function attempt(grammar: Grammar, text: string): { matchers: Matcher[] } | { matchers?: undefined; error: Error } {
  try {
    return { matchers: grammar(text) };
  } catch (error) {
    return { error: error as Error };
  }
}

/** Same name, type and value, in the same order. */
export function sameMatchers(a: readonly Matcher[], b: readonly Matcher[]): boolean {
  return a.length === b.length && a.every((matcher, i) => sameMatcher(matcher, b[i] as Matcher));
}

export function sameMatcher(a: Matcher, b: Matcher): boolean {
  return a.name === b.name && a.type === b.type && a.value === b.value;
}

// --- the classic grammar -------------------------------------------------------------------------------------------

const CLASSIC_MATCHER = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*([\s\S]*?)\s*$/;

function parseClassic(text: string): Matcher[] {
  const body = text.replace(/^\{/, "").replace(/\}$/, "");
  return splitAtCommas(body).map(parseClassicOne);
}

/** Commas inside double quotes do not split; an empty last part is left out. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  let quoted = false;
  let escaped = false;
  for (const char of text) {
    if (char === "," && !quoted) {
      parts.push(part);
      part = "";
      continue;
    }
    if (char === '"' && !escaped) quoted = !quoted;
    escaped = char === "\\" && !escaped;
    part += char;
  }
  if (part.trim() !== "") parts.push(part.trim());
  return parts;
}

function parseClassicOne(text: string): Matcher {
  const match = CLASSIC_MATCHER.exec(text);
  if (!match) throw new Error(`bad matcher format: ${text}`);
  const [, name = "", type = "", written = ""] = match;
  return checked({ name, type: type as MatchType, value: classicValue(written) });
}

function classicValue(written: string): string {
  const opened = written.startsWith('"');
  const body = opened ? written.slice(1) : written;
  let value = "";
  let closed = !opened;
  for (let i = 0; i < body.length; i++) {
    const char = body[i] as string;
    const last = i === body.length - 1;
    if (char === "\\" && !last) {
      const next = body[++i] as string;
      value += next === "n" ? "\n" : next === '"' || next === "\\" ? next : `\\${next}`;
    } else if (char === '"') {
      if (!opened || !last) throw new Error(`matcher value contains unescaped double quote: ${written}`);
      closed = true;
    } else value += char;
  }
  if (!closed) throw new Error(`matcher value contains unescaped double quote: ${written}`);
  return value;
}

// --- the UTF-8 grammar ---------------------------------------------------------------------------------------------

type Token = { kind: "{" | "}" | "," | "operator" | "text" | "end"; value: string; at: number };

const RESERVED = /[\s{}!=~,\\"'`]/u;

function parseUtf8(text: string): Matcher[] {
  const tokens = tokenize(text);
  let position = 0;
  const peek = () => tokens[position] as Token;
  const take = (...kinds: Token["kind"][]): Token => {
    const token = peek();
    if (!kinds.includes(token.kind))
      throw new Error(`${token.at}: unexpected ${describe(token)}, expected ${EXPECTED[kinds[0] as Token["kind"]]}`);
    position++;
    return token;
  };
  const braced = peek().kind === "{";
  if (braced) position++;
  const end = braced ? "}" : "end";
  const matchers: Matcher[] = [];
  while (peek().kind !== end) {
    const name = take("text").value;
    const type = take("operator").value as MatchType;
    matchers.push(checked({ name, type, value: take("text").value }));
    if (peek().kind === end) break;
    take(",");
  }
  take(end);
  take("end");
  return matchers;
}

const EXPECTED: Record<Token["kind"], string> = {
  "{": "an opening brace",
  "}": "a comma or a closing brace",
  ",": "a comma or the end",
  operator: "an operator such as '=', '!=', '=~' or '!~'",
  text: "a label name or value",
  end: "the end",
};

function describe(token: Token): string {
  return token.kind === "end" ? "end of input" : token.value;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^\s+/u.exec(rest);
    if (space) {
      at += space[0].length;
      continue;
    }
    const token = nextToken(rest, at);
    tokens.push(token.token);
    at += token.length;
  }
  const last: Token = { kind: "end", value: "", at };
  // A second end keeps `take("end")` total after the first was consumed.
  return [...tokens, last, last];
}

function nextToken(rest: string, at: number): { token: Token; length: number } {
  const first = rest[0] as string;
  if (first === "{" || first === "}" || first === ",") return { token: { kind: first, value: first, at }, length: 1 };
  const operator = /^(?:=~|!=|!~|=)/.exec(rest)?.[0];
  if (operator !== undefined) return { token: { kind: "operator", value: operator, at }, length: operator.length };
  if (first === '"') {
    const literal = /^"(?:\\[\s\S]|[^"\\])*"/.exec(rest)?.[0];
    if (literal === undefined) throw new Error(`${at}: ${rest}: missing end quote`);
    return { token: { kind: "text", value: unquote(literal, at), at }, length: literal.length };
  }
  let length = 0;
  while (length < rest.length && !RESERVED.test(rest[length] as string)) length++;
  if (length === 0) throw new Error(`${at}: ${first}: invalid input`);
  return { token: { kind: "text", value: rest.slice(0, length), at }, length };
}

function unquote(literal: string, at: number): string {
  try {
    return goUnquote(literal);
  } catch (error) {
    throw new Error(`${at}: ${literal}: ${(error as Error).message}`, { cause: error });
  }
}

function checked(matcher: Matcher): Matcher {
  new CompiledMatcher(matcher);
  return matcher;
}

// --- printing ------------------------------------------------------------------------------------------------------

/** `name="value"`, as route keys and `config.original` show it; the name is quoted only where it has to be. */
export function formatMatcher({ name, type, value }: Matcher): string {
  const shown = name === "" || RESERVED.test(name) ? `"${escapeQuoted(name)}"` : name;
  return `${shown}${type}"${escapeQuoted(value)}"`;
}

/** `{a="x",b!="y"}` in the given order. */
export function formatMatchers(matchers: readonly Matcher[]): string {
  return `{${matchers.map(formatMatcher).join(",")}}`;
}

/** By name, then value, then operator: the order of matchers in route keys. */
export function compareMatchers(a: Matcher, b: Matcher): number {
  return compareStrings(a.name, b.name) || compareStrings(a.value, b.value) || TYPE_ORDER[a.type] - TYPE_ORDER[b.type];
}

const TYPE_ORDER: Record<MatchType, number> = { "=": 0, "!=": 1, "=~": 2, "!~": 3 };

function escapeQuoted(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** Whether alerts and matchers may use this label name: any text in UTF-8 mode, else `[a-zA-Z_][a-zA-Z0-9_]*`. */
export function isLabelName(name: string, mode: MatcherMode = "default"): boolean {
  return mode === "classic" ? /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) : name !== "" && name.isWellFormed();
}
