import { compileMatchers, compilePattern, parseMatcher, type CompiledMatcher, type MatcherMode } from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import { ApiError } from "./api-error.ts";

export type Query = Readonly<Record<string, string | string[] | undefined>>;

const TRUE = new Set(["true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"]);

/** A flag that is true unless said otherwise; anything that does not mean true is false. */
export function flag(query: Query, name: string): boolean {
  const value = all(query, name).at(-1);
  return value === undefined || value === "" ? true : TRUE.has(value.toLowerCase());
}

function all(query: Query, name: string): string[] {
  const value = query[name];
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/** A repeatable parameter of one matcher each, as `filter` and `receiver_matchers` are. */
export function matchers(query: Query, name: string, mode: MatcherMode): CompiledMatcher[] {
  try {
    return compileMatchers(all(query, name).map((text) => parseMatcher(text, mode).matcher));
  } catch (error) {
    throw ApiError.handler(400, errorMessage(error));
  }
}

/** The parameter `receiver`: a regular expression for the whole name. */
export function receiverPattern(query: Query): (name: string) => boolean {
  const text = all(query, "receiver").at(-1);
  if (text === undefined || text === "") return () => true;
  try {
    const pattern = compilePattern(text);
    return (name) => pattern.matches(name);
  } catch (error) {
    throw ApiError.handler(400, `failed to parse receiver param: ${text}: ${errorMessage(error)}`);
  }
}
