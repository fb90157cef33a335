export * from "./series-source.ts";
export type * from "./parser/ast.ts";
export { vectorSelectors } from "./parser/ast.ts";
export { ParseError } from "./parser/parse-error.ts";
export { type ParserOptions, parseExpr, parseSelector } from "./parser/parser.ts";
export { formatExpr } from "./parser/printer.ts";
export { exprToJson } from "./parser/json.ts";
export { type Engine, type EngineOptions, type QueryOptions, createEngine } from "./engine/engine.ts";
export {
  type MatrixResult,
  type MatrixSeries,
  QueryError,
  type QueryErrorKind,
  type QueryResult,
  type ScalarResult,
  type StringResult,
  type VectorResult,
  type VectorSample,
} from "./engine/result.ts";
export { formatValue, histogramToJson, resultToJson } from "./engine/result-json.ts";
export { type MemorySource, createMemorySource } from "./memory-source.ts";
