const MARK = "…";

/** At most `max` characters (code points); what is cut ends with `…`. */
export function truncateRunes(text: string, max: number): string {
  if (text.length <= max) return text;
  const runes = Array.from(text);
  return runes.length <= max ? text : runes.slice(0, max - 1).join("") + MARK;
}

/** At most `max` bytes of UTF-8, no character torn; what is cut ends with `…`. */
export function truncateBytes(text: string, max: number): string {
  return Buffer.byteLength(text) <= max ? text : cutBytes(text, max - Buffer.byteLength(MARK)) + MARK;
}

/** The longest beginning of a text that fits into `max` bytes of UTF-8. */
export function cutBytes(text: string, max: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return text;
  let end = max;
  // 10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString("utf8");
}
