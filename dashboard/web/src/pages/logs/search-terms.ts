import { parseQuery, SearchSyntaxError, type SearchTarget } from "@tocsin/model";

/** What is wrong with a search, in words and as a place in its text; undefined when nothing is. */
export function searchProblem(
  text: string,
  target: SearchTarget,
): { message: string; start: number; end: number } | undefined {
  try {
    parseQuery(text, target);
    return undefined;
  } catch (error) {
    if (!(error instanceof SearchSyntaxError)) throw error;
    return { message: error.message, start: error.start, end: error.end };
  }
}

/** `key:value`, quoted where the value would not read as one word. */
export function term(key: string, value: string): string {
  return `${key}:${/^[\w./-]+$/.test(value) ? value : JSON.stringify(value)}`;
}

/** Whether a search asks for exactly this term. */
export function hasTerm(text: string, wanted: string): boolean {
  return split(text).includes(wanted);
}

/** Adds a term, or takes it out where it stands; its opposite leaves in any case. */
export function toggleTerm(text: string, wanted: string): string {
  const opposite = wanted.startsWith("-") ? wanted.slice(1) : `-${wanted}`;
  const parts = split(text);
  const kept = parts.filter((part) => part !== wanted && part !== opposite);
  return (parts.includes(wanted) ? kept : [...kept, wanted]).join(" ");
}

/** On white space, but not inside quotes. */
function split(text: string): string[] {
  return text.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"])+/g) ?? [];
}
