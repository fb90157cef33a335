import { createHash } from "node:crypto";
import { atoms, indexText, numericValue, valueText, type Attributes, type AttributeValue } from "@tocsin/model";

/**
 * What attributes are found by, on any server and without a mapping for each key: terms `a.key` and `a.key=value` of a
 * record's own attributes, `r.…` of its resource's, in lower case; and numbers as text that sorts as they do.
 */
export type Holder = "a" | "r";

const LONGEST = 1024;

/** Members of two JSON lists, parted by commas: they go into the document as they are. */
export interface SearchTerms {
  terms: string;
  numbers: string;
}

export function attributeTerms(holder: Holder, attributes: Attributes): SearchTerms {
  let terms = "";
  let numbers = "";
  for (const key of Object.keys(attributes)) {
    const value = attributes[key] as AttributeValue;
    const json = keyJson(holder, key);
    terms += `,${json}"`;
    for (const one of Array.isArray(value) ? value : [value]) {
      const text = JSON.stringify(clip(valueText(one).toLowerCase()));
      terms += `,${json}=${text.slice(1)}`;
      const number = numericValue(one);
      if (!Number.isNaN(number)) numbers += `,${json}=${typeof one === "number" ? "n" : "s"}${sortable(number)}"`;
    }
  }
  return { terms: terms.slice(1), numbers: numbers.slice(1) };
}

const MAX_KEYS = 10_000;
const keys: Record<Holder, Map<string, string>> = { a: new Map(), r: new Map() };

/** The term of a key as the beginning of a JSON text. Keys repeat from record to record, so they are made once. */
function keyJson(holder: Holder, key: string): string {
  const known = keys[holder].get(key);
  if (known !== undefined) return known;
  const json = JSON.stringify(keyTerm(holder, key)).slice(0, -1);
  if (keys[holder].size >= MAX_KEYS) keys[holder].clear();
  keys[holder].set(key, json);
  return json;
}

export const keyTerm = (holder: Holder, key: string): string => clip(`${holder}.${key.replaceAll(/[\\=]/g, "\\$&")}`);

export const valueTerm = (holder: Holder, key: string, text: string): string =>
  `${keyTerm(holder, key)}=${clip(text.toLowerCase())}`;

/** A long text is known by its beginning and a hash of the whole, because a term has its limits. */
function clip(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST).toWellFormed()}…${createHash("sha1").update(text).digest("hex")}`;
}

/** What comes from a number (`n`) equals numbers; what comes from text or a large integer (`s`) is only in ranges. */
export type NumberOrigin = "n" | "s";

export const numberPrefix = (holder: Holder, key: string, origin: NumberOrigin): string =>
  `${keyTerm(holder, key)}=${origin}`;

export const numberTerm = (holder: Holder, key: string, value: number, origin: NumberOrigin): string =>
  numberPrefix(holder, key, origin) + sortable(value);

const scratch = new DataView(new ArrayBuffer(8));

/** 16 hex digits that sort like the numbers they stand for. */
export function sortable(value: number): string {
  scratch.setFloat64(0, value + 0 === 0 ? 0 : value);
  const bits = scratch.getBigUint64(0);
  const flipped = bits >> 63n === 1n ? ~bits & 0xffff_ffff_ffff_ffffn : bits | 0x8000_0000_0000_0000n;
  return flipped.toString(16).padStart(16, "0");
}

// oxlint-disable-next-line no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/** A text as the index of words takes it: parted by spaces, so that the server need not know how. */
export function searchWords(text: string): string {
  const indexed = indexText(text);
  return NOT_ASCII.test(indexed) ? indexed : atoms(indexed).join(" ");
}
