import { DecisionPage } from "@tocsin/model";
import type { UseQueryResult } from "@tanstack/react-query";
import { getJson, type Params } from "./client.ts";
import { usePolled } from "./use-polled.ts";

/** The kinds that change something, and those that a group's every look brings anew. */
export const CHANGES = "evaluation,rule_error,routed,attempt";
export const ROUTINE = "flush,muted,dedup";

/** The newest decisions, optionally of one alert or of some kinds (comma-separated). */
export function useDecisions(params: Params & { limit: number }): UseQueryResult<DecisionPage> {
  return usePolled({
    queryKey: ["decisions", params],
    queryFn: ({ signal }) => getJson("/api/tocsin/v1/decisions", DecisionPage, { params, signal }),
  });
}
