import type { GoValue } from "../value.ts";
import { FILTERED, stringify } from "./stringify.ts";

/** Lets relative URLs and those with the schemes http, https and mailto through. */
export function urlFilter(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  return kind === "URL" || isSafeUrl(text) ? text : `#${FILTERED}`;
}

function isSafeUrl(url: string): boolean {
  const colon = url.indexOf(":");
  const scheme = url.slice(0, Math.max(colon, 0));
  return colon < 0 || scheme.includes("/") || /^(https?|mailto)$/i.test(scheme);
}

/** For a part of a URL's query. */
export function urlEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  return encode(text, kind === "URL");
}

/** For a URL as a whole: what is reserved stays, what may not stand there is encoded. */
export function urlNormalizer(...values: GoValue[]): string {
  return encode(stringify(values).text, true);
}

const encoder = new TextEncoder();

function encode(text: string, normalize: boolean): string {
  const pattern = normalize ? /[^A-Za-z0-9\-._~!#$&*+,/:;=?@[\]%]|%(?![0-9a-fA-F]{2})/gu : /[^A-Za-z0-9\-._~]/gu;
  return text.replaceAll(pattern, (char) =>
    Array.from(encoder.encode(char), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  );
}

/** For a srcset attribute: URLs with metadata, separated by commas. */
export function srcsetFilterAndEscaper(...values: GoValue[]): string {
  const { text, kind } = stringify(values);
  if (kind === "Srcset") return text;
  if (kind === "URL") return encode(text, true).replaceAll(",", "%2c");
  return text.split(",").map(filterSource).join(",");
}

function filterSource(source: string): string {
  const [, before = "", url = "", after = ""] = /^([\t\n\f\r ]*)([^\t\n\f\r ]*)([\s\S]*)$/.exec(source) ?? [];
  if (!isSafeUrl(url) || !/^[A-Za-z0-9\t\n\f\r ]*$/.test(after)) return `#${FILTERED}`;
  return before + encode(url, true) + after;
}
