import { CompiledMatcher, type Matcher, parseMatcher } from "@tocsin/model";
import { conditionOf, type GettableAlert } from "../../api/alertmanager.ts";

/** A filter as it is typed: matchers on labels, matchers on `@state`, `@receiver` and `@age`, and words. */
export interface AlertFilter {
  readonly conditions: readonly CompiledMatcher[];
  /** Matchers whose name began with `@`; the name is kept without it. */
  readonly facts: readonly CompiledMatcher[];
  readonly words: readonly string[];
  /** What looked like a condition and is none. */
  readonly bad: readonly string[];
}

const FACTS = ["state", "receiver", "silenced_by", "inhibited_by"];

/** Reads `severity=critical @state=active "disk full"`; conditions may also be parted by commas, in braces or not. */
export function parseAlertFilter(text: string): AlertFilter {
  const filter = {
    conditions: [] as CompiledMatcher[],
    facts: [] as CompiledMatcher[],
    words: [] as string[],
    bad: [] as string[],
  };
  for (const token of tokens(text)) {
    if (!/[=~]/.test(token.replace(/"[^"]*"/g, ""))) {
      filter.words.push(token.replace(/^"|"$/g, "").toLowerCase());
      continue;
    }
    const fact = token.startsWith("@");
    const matcher = compile(fact ? token.slice(1) : token);
    if (matcher === undefined || (fact && !FACTS.includes(matcher.name))) filter.bad.push(token);
    else (fact ? filter.facts : filter.conditions).push(matcher);
  }
  return filter;
}

function tokens(text: string): string[] {
  const inner = text.trim().replace(/^\{(.*)\}$/, "$1");
  return inner.match(/(?:"(?:[^"\\]|\\.)*"|[^\s,"])+/g) ?? [];
}

function compile(text: string): CompiledMatcher | undefined {
  try {
    return new CompiledMatcher(parseMatcher(text).matcher);
  } catch {
    // Half-typed conditions are the normal case; the box shows them as not understood.
    return undefined;
  }
}

export function filterMatches(filter: AlertFilter, alert: GettableAlert): boolean {
  return (
    filter.conditions.every((matcher) => matcher.matchesLabels(alert.labels)) &&
    filter.facts.every((matcher) => factValues(alert, matcher.name).some((value) => matcher.matches(value))) &&
    filter.words.every((word) => contains(alert, word))
  );
}

function factValues(alert: GettableAlert, name: string): readonly string[] {
  switch (name) {
    case "state":
      return [conditionOf(alert)];
    case "receiver":
      return alert.receivers.map((receiver) => receiver.name);
    case "silenced_by":
      return orNone(alert.status.silencedBy);
    default:
      return orNone(alert.status.inhibitedBy);
  }
}

const orNone = (ids: readonly string[]): readonly string[] => (ids.length > 0 ? ids : [""]);

function contains(alert: GettableAlert, word: string): boolean {
  const texts = [...Object.values(alert.labels), ...Object.values(alert.annotations)];
  return texts.some((text) => text.toLowerCase().includes(word));
}

/** The filter text with one more condition; the same condition is not written twice. */
export function withCondition(text: string, matcher: Matcher): string {
  const value = /^[\w.:/-]+$/.test(matcher.value) ? matcher.value : JSON.stringify(matcher.value);
  const condition = `${matcher.name}${matcher.type}${value}`;
  return tokens(text).includes(condition) ? text : `${text.trim()} ${condition}`.trim();
}
