import { goFunction, goTypes, safeHtml as markSafe } from "@tocsin/gotemplate";
import { matchesSomewhere, replacePattern } from "@tocsin/model";

const { string } = goTypes;

/** Upper-cases the first letter of every word and leaves the rest as it is. */
export const title = goFunction([string], (text) =>
  text.replaceAll(/(?<![\p{L}\p{M}\p{N}_]|[\p{L}\p{M}\p{N}]['’.])\p{L}/gu, upperChar),
);
export const toUpper = goFunction([string], (text) => text.replaceAll(/\p{L}|\p{N}|\p{M}/gu, upperChar));
export const toLower = goFunction([string], (text) => text.replaceAll(/\p{L}|\p{N}|\p{M}/gu, lowerChar));
/** `match PATTERN TEXT`: whether an RE2 pattern matches somewhere. */
export const match = goFunction([string, string], (pattern, text) => checked(() => matchesSomewhere(pattern, text)));
/** `reReplaceAll PATTERN REPLACEMENT TEXT`, RE2, groups by `$1`. */
export const reReplaceAll = goFunction([string, string, string], (pattern, replacement, text) =>
  checked(() => replacePattern(pattern, text, replacement)),
);
/** Marks a text as HTML that needs no escaping. */
export const safeHtml = goFunction([string], markSafe);

/** Go changes case letter by letter, so one letter never becomes two. */
function upperChar(char: string): string {
  const upper = char.toUpperCase();
  return Array.from(upper).length === 1 ? upper : char;
}

function lowerChar(char: string): string {
  const lower = char.toLowerCase();
  return Array.from(lower).length === 1 ? lower : char;
}

function checked<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
