import type { ValueType } from "./ast.ts";

export interface FunctionSignature {
  args: readonly ValueType[];
  /** How many further arguments of the last type may follow, counting the last one as optional; -1 means any number. */
  variadic: number;
  returns: ValueType;
  experimental: boolean;
}

const vectorToVector =
  "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar ln log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp";
const matrixToVector =
  "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time";
const dateParts = "days_in_month day_of_month day_of_week day_of_year hour minute month year";
const experimentalMatrix =
  "mad_over_time ts_of_first_over_time ts_of_max_over_time ts_of_min_over_time ts_of_last_over_time";
const queryContext = "start end range step";

const V = "vector";
const M = "matrix";
const S = "scalar";
const T = "string";

const table = new Map<string, FunctionSignature>();
function add(names: string, args: ValueType[], returns: ValueType, more: Partial<FunctionSignature> = {}): void {
  for (const name of names.split(" ")) table.set(name, { args, returns, variadic: 0, experimental: false, ...more });
}

const experimental = true;
add(vectorToVector, [V], V);
add(matrixToVector, [M], V);
add(dateParts, [V], V, { variadic: 1 });
add(experimentalMatrix, [M], V, { experimental });
add(queryContext, [], S, { experimental });
add("pi time", [], S);
add("clamp", [V, S, S], V);
add("clamp_max clamp_min", [V, S], V);
add("round", [V, S], V, { variadic: 1 });
add("scalar", [V], S);
add("vector", [S], V);
add("histogram_fraction", [S, S, V], V);
add("histogram_quantile", [S, V], V);
add("quantile_over_time", [S, M], V);
add("predict_linear", [M, S], V);
add("label_replace", [V, T, T, T, T], V);
add("label_join", [V, T, T, T], V, { variadic: -1 });
add("histogram_quantiles", [V, T, S, S], V, { variadic: 9, experimental });
add("double_exponential_smoothing", [M, S, S], V, { experimental });
add("info", [V, V], V, { variadic: 1, experimental });
add("max_of min_of", [S, S], S, { experimental });
add("sort_by_label sort_by_label_desc", [V, T], V, { variadic: -1, experimental });
add("start_timestamp", [V], V, { experimental });

export function functionSignature(name: string): FunctionSignature | undefined {
  return table.get(name);
}
