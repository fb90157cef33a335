import type { Labels } from "./labels.ts";
import { type CompiledPattern, compilePattern } from "./regexp.ts";

export type MatchType = "=" | "!=" | "=~" | "!~";

/** One condition on one label. A missing label counts as the empty string. */
export interface Matcher {
  readonly name: string;
  readonly type: MatchType;
  readonly value: string;
}

/** A matcher ready to run; regular expressions are RE2 and anchored at both ends. */
export class CompiledMatcher implements Matcher {
  readonly name: string;
  readonly type: MatchType;
  readonly value: string;
  readonly pattern: CompiledPattern | undefined;

  /** Throws an Error when a regular expression is not valid RE2. */
  constructor(matcher: Matcher) {
    this.name = matcher.name;
    this.type = matcher.type;
    this.value = matcher.value;
    this.pattern = matcher.type === "=~" || matcher.type === "!~" ? compilePattern(matcher.value) : undefined;
  }

  matches(value: string): boolean {
    switch (this.type) {
      case "=":
        return value === this.value;
      case "!=":
        return value !== this.value;
      case "=~":
        return (this.pattern as CompiledPattern).matches(value);
      case "!~":
        return !(this.pattern as CompiledPattern).matches(value);
    }
  }

  matchesLabels(labels: Labels): boolean {
    return this.matches(labels[this.name] ?? "");
  }
}

export function compileMatchers(matchers: readonly Matcher[]): CompiledMatcher[] {
  return matchers.map((matcher) => new CompiledMatcher(matcher));
}

/** Whether every matcher holds. No matchers match everything. */
export function matchesAll(matchers: readonly CompiledMatcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matchesLabels(labels));
}
