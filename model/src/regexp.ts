import { RE2JS } from "re2js";

/** A pattern from a user, compiled to run in linear time. */
export interface CompiledPattern {
  /** Whether the whole text matches (anchored at both ends, `.` also matches newlines, as Prometheus does it). */
  matches(text: string): boolean;
  /** The values it can match when these are few and known (`a|b|c`), so that an index can look them up. */
  readonly literals: readonly string[] | undefined;
  /** A literal beginning that every match has; may be empty. */
  readonly prefix: string;
}

const META = /[\\.+*?()|[\]{}^$]/;

/** Compiles an RE2 pattern, anchored. Throws an Error with the reason when it is not valid RE2. */
export function compilePattern(pattern: string): CompiledPattern {
  const body = stripGroup(pattern);
  const alternatives = body.split("|");
  if (alternatives.every((part) => !META.test(part))) {
    const set = new Set(alternatives);
    return { matches: (text) => set.has(text), literals: [...set], prefix: set.size === 1 ? body : "" };
  }
  const head = /^[^\\.+*?()|[\]{}^$]*/.exec(pattern)?.[0] ?? "";
  const tail = pattern.slice(head.length);
  if (tail === ".*") return { matches: (text) => text.startsWith(head), literals: undefined, prefix: head };
  if (tail === ".+")
    return {
      matches: (text) => text.length > head.length && text.startsWith(head),
      literals: undefined,
      prefix: head,
    };
  const re = RE2JS.compile(pattern, RE2JS.DOTALL);
  // A quantifier or an alternation after the head may take its last character back.
  const certain = /^[?*{]/.test(tail) ? head.slice(0, -1) : head;
  const prefix = tail.includes("|") ? "" : certain;
  return { matches: (text) => text.startsWith(prefix) && re.matches(text), literals: undefined, prefix };
}

/** `(a|b)` and `(?:a|b)` → `a|b`, when the group spans the pattern and has no group inside. */
function stripGroup(pattern: string): string {
  const match = /^\((?:\?:)?([^()\\[\]]*)\)$/.exec(pattern);
  return match?.[1] ?? pattern;
}
