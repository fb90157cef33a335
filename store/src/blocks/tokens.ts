import { valueText, type AttributeValue } from "@tocsin/model";

/**
 * Tokens of the block-level index: letters and digits only, so that FTS5 leaves them whole. They are hashes: a block
 * they point to is looked into again, so a collision costs time and never a wrong answer.
 */
export const existsToken = (key: string): string => `k${hash(key)}`;
export const equalsToken = (key: string, text: string): string => `e${hash(`${key}\0${text.toLowerCase()}`)}`;
export const serviceToken = (service: string): string => `s${hash(service.toLowerCase())}`;
export const pairToken = (service: string, other: string): string => `p${hash(`${service.toLowerCase()}\0${other}`)}`;
export const knownToken = (field: string, text: string): string => `f${hash(`${field}\0${text.toLowerCase()}`)}`;
export const wordToken = (word: string): string => `w_${word}`;
/** The last 16 digits, which W3C Trace Context asks to be random. */
export const traceToken = (traceId: string): string => `t_${traceId.slice(-16)}`;

/** FNV-1a 32 over UTF-16 units, in base 36. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(36);
}

/** The tokens that make an attribute findable by `key:*` and `key:value`, also by one member of a list. */
export function addValueTokens(into: Set<string>, key: string, value: AttributeValue): void {
  into.add(existsToken(key));
  if (Array.isArray(value)) for (const item of value) into.add(equalsToken(key, valueText(item)));
  else into.add(equalsToken(key, valueText(value)));
}
