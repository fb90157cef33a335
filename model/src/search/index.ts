export { LOG_FIELDS, MATCH_ALL, TRACE_FIELDS } from "./query.ts";
export type { Field, FieldTest, KnownField, Query, TextTest } from "./query.ts";
export { parseQuery, resolveField, SearchSyntaxError, type SearchTarget } from "./parse.ts";
export {
  fieldPredicate,
  matchesLog,
  matchesSpan,
  messageText,
  numericValue,
  plainValue,
  SPAN_KINDS,
  SPAN_STATUSES,
  textPredicate,
  valueText,
} from "./match.ts";
export { atoms, fold, indexText, indexTokens } from "./words.ts";
