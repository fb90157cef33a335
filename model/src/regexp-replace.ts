import { RE2JS } from "re2js";

/** Whether an RE2 pattern matches anywhere in the text. Throws an Error when the pattern is not valid RE2. */
export function matchesSomewhere(pattern: string, text: string): boolean {
  return RE2JS.compile(pattern).matcher(text).find();
}

/**
 * Replaces every match of an RE2 pattern as Go's `regexp.ReplaceAllString`: `$1`, `${1}`, `$name` and `${name}` stand
 * for groups, `$$` for a dollar. Throws an Error when the pattern is not valid RE2.
 */
export function replacePattern(pattern: string, text: string, replacement: string): string {
  const re = RE2JS.compile(pattern);
  const matcher = re.matcher(text);
  const groups = re.namedGroups();
  let out = "";
  let copied = 0;
  let lastEnd = 0;
  while (matcher.find()) {
    const start = matcher.start();
    const end = matcher.end();
    // An empty match right behind another match does not count.
    if (end > lastEnd || start === 0) {
      out += text.slice(copied, start) + expand(replacement, (name) => group(matcher, groups, name));
      copied = end;
    }
    lastEnd = end;
  }
  return out + text.slice(copied);
}

/**
 * A pattern that has to match the whole text (`.` also matches newlines), and what templates make of the match: `$1`,
 * `${name}` as in Go. For patterns that meet many texts, as in relabelling.
 */
export interface CompiledTemplatePattern {
  readonly source: string;
  matches(text: string): boolean;
  /** The template with its references filled in; undefined when the text does not match. */
  expand(text: string, template: string): string | undefined;
}

/** Compiles once what `expand` uses often. Throws an Error when the pattern is not valid RE2. */
export function compileTemplatePattern(pattern: string): CompiledTemplatePattern {
  const re = RE2JS.compile(`^(?s:${pattern})$`);
  const groups = re.namedGroups();
  return {
    source: pattern,
    matches: (text) => re.matcher(text).find(),
    expand(text, template) {
      const matcher = re.matcher(text);
      return matcher.find() ? expand(template, (name) => group(matcher, groups, name)) : undefined;
    },
  };
}

const REFERENCE = /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu;

function expand(template: string, value: (name: string) => string): string {
  return template.replaceAll(REFERENCE, (_, dollar?: string, braced?: string, bare?: string) =>
    dollar === undefined ? value(braced ?? bare ?? "") : "$",
  );
}

function group(matcher: ReturnType<RE2JS["matcher"]>, groups: Readonly<Record<string, number>>, name: string): string {
  const index = /^\d+$/.test(name) ? Number(name) : groups[name];
  if (index === undefined || index > matcher.groupCount()) return "";
  return matcher.group(index) ?? "";
}
