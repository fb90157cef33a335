import { type QueryResult, resultToJson } from "@tocsin/promql";

/** How a query went, for `stats=true`. Seconds; samples as loaded from the store. */
export interface QueryStats {
  queueTime: number;
  evalTime: number;
  samples: number;
}

const TRUNCATED = "results truncated due to limit";

/** The body of a successful answer of `/api/v1/query` and `/api/v1/query_range`, cut to `limit` elements unless that is 0. */
export function queryBody(result: QueryResult, limit: number, stats?: QueryStats): Uint8Array<ArrayBuffer> {
  const truncated = truncate(result, limit);
  const data = { ...resultToJson(result), ...(stats && { stats: statsJson(stats) }) };
  const warnings = truncated ? [...result.warnings, TRUNCATED] : result.warnings;
  return new TextEncoder().encode(
    JSON.stringify({ status: "success", data, ...listOf("warnings", warnings), ...listOf("infos", result.infos) }),
  );
}

function truncate(result: QueryResult, limit: number): boolean {
  const list = result.type === "vector" ? result.samples : result.type === "matrix" ? result.series : [];
  if (limit === 0 || list.length <= limit) return false;
  list.length = limit;
  return true;
}

function listOf(name: string, items: readonly string[]): Record<string, readonly string[]> {
  return items.length > 0 ? { [name]: items } : {};
}

function statsJson({ queueTime, evalTime, samples }: QueryStats) {
  return {
    timings: {
      evalTotalTime: evalTime,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evalTime,
      execQueueTime: queueTime,
      execTotalTime: queueTime + evalTime,
    },
    samples: { totalQueryableSamples: samples, peakSamples: samples },
  };
}
