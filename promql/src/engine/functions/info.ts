import type { Grid, Series } from "../column.ts";
import type { Evaluating, Evaluation } from "../evaluation.ts";
import type { CallPlan } from "../plan.ts";
import { QueryError } from "../result.ts";

export function* evaluateInfo(ev: Evaluation, plan: CallPlan, grid: Grid): Evaluating<Series[]> {
  const [vector] = plan.args;
  if (vector) yield* ev.vector(vector, grid);
  throw new QueryError("execution", "info() is being built");
}
