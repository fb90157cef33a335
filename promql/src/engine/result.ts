import type { Labels, NativeHistogram, UnixMs } from "@tocsin/model";

/** One element of an instant vector: a float, or a histogram when `histogram` is set. */
export interface VectorSample {
  labels: Labels;
  value: number;
  histogram?: NativeHistogram;
}

/** One series of a matrix. Floats are columns; histograms, being rare, are a list. Both ascend in time. */
export interface MatrixSeries {
  labels: Labels;
  timestamps: Float64Array;
  values: Float64Array;
  histograms: { timestampMs: UnixMs; histogram: NativeHistogram }[];
}

interface Annotations {
  /** Each with the position of the sub-expression, as Prometheus words them. Sorted; at most ten, the last one counts the rest. */
  warnings: string[];
  infos: string[];
}

export type VectorResult = { type: "vector"; timestampMs: UnixMs; samples: VectorSample[] } & Annotations;
export type MatrixResult = { type: "matrix"; series: MatrixSeries[] } & Annotations;
export type ScalarResult = { type: "scalar"; timestampMs: UnixMs; value: number } & Annotations;
export type StringResult = { type: "string"; timestampMs: UnixMs; value: string } & Annotations;
export type QueryResult = VectorResult | MatrixResult | ScalarResult | StringResult;

export type QueryErrorKind = "bad_data" | "execution" | "timeout" | "canceled";

/** A query that gave no answer. The kind decides the HTTP status; the message is Prometheus' own. */
export class QueryError extends Error {
  override readonly name = "QueryError";
  readonly kind: QueryErrorKind;
  /** Annotations gathered before it failed. */
  warnings: string[] = [];
  infos: string[] = [];

  constructor(kind: QueryErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
