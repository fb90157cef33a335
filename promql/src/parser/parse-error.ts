import type { PositionRange } from "./ast.ts";

/** The query text is not valid PromQL. `message` reads `line:column: parse error: reason`. */
export class ParseError extends Error {
  override readonly name = "ParseError";
  /** The reason alone. */
  readonly reason: string;
  /** Where in the text, in UTF-16 code units. */
  readonly range: PositionRange;

  constructor(reason: string, range: PositionRange, text: string) {
    super(`${formatPosition(range.start, text)}: parse error: ${reason}`);
    this.reason = reason;
    this.range = range;
  }
}

const utf8 = new TextEncoder();

/** Prints `line:column`, both from 1; columns count UTF-8 bytes, as Prometheus does it. */
export function formatPosition(at: number, text: string): string {
  if (text === "") return "unknown position";
  if (at < 0 || at > text.length) return "invalid position";
  const before = text.slice(0, at);
  const lineStart = before.lastIndexOf("\n") + 1;
  const line = before.split("\n").length;
  return `${line}:${utf8.encode(before.slice(lineStart)).length + 1}`;
}
