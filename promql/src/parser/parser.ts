import type { Expr } from "./ast.ts";
import { ParseError } from "./parse-error.ts";

export interface ParserOptions {
  /** Functions and aggregations that Prometheus has behind a feature flag; default false. */
  experimentalFunctions?: boolean;
  /** Arithmetic in ranges and offsets, `step()`, `range()`; default false. */
  durationExpressions?: boolean;
  /** The `anchored` and `smoothed` modifiers; default false. */
  extendedRangeSelectors?: boolean;
  /** `fill`, `fill_left` and `fill_right` on binary operators; default false. */
  fillModifiers?: boolean;
}

/** Parses and type-checks a query. Throws `ParseError`. */
export function parseExpr(text: string, _options: ParserOptions = {}): Expr {
  throw new ParseError("the parser is being built", { start: 0, end: 0 }, text);
}
