import type { ServiceGraph } from "@tocsin/model";
import type { TimeRange } from "../log-store.ts";
import type { EdgeRow, RedRow } from "../trace-store.ts";
import { redSummary } from "./summary.ts";

type Node = ServiceGraph["nodes"][number];

/**
 * Services, also those that call nobody, and what they call. Rates of services are of what they serve; `range` says
 * what time the counts are of.
 */
export function serviceGraph(
  services: readonly string[],
  red: { rows: readonly RedRow[]; range: TimeRange },
  calls: { edges: readonly EdgeRow[]; range: TimeRange },
): ServiceGraph {
  const seconds = (calls.range.toMs - calls.range.fromMs) / 1000;
  const nodes = new Map<string, Node>();
  for (const name of services) {
    const stats = red.rows.find((row) => row.service === name);
    const { rate, errorRatio } = redSummary(stats, red.range);
    nodes.set(name, { name, kind: "service", rate, errorRatio });
  }
  const outside = calls.edges.filter(({ target }) => !nodes.has(target));
  for (const [name, edges] of Map.groupBy(outside, ({ target }) => target)) {
    const count = edges.reduce((sum, edge) => sum + edge.count, 0);
    const errors = edges.reduce((sum, edge) => sum + edge.errors, 0);
    nodes.set(name, { name, kind: (edges[0] as EdgeRow).kind, rate: count / seconds, errorRatio: errors / count });
  }
  const edges = calls.edges.filter(({ source }) => nodes.has(source));
  return {
    nodes: [...nodes.values()],
    edges: edges.map(({ source, target, count, errors, p95Ms }) => ({
      source,
      target,
      rate: count / seconds,
      errorRatio: errors / count,
      p95Ms: p95Ms === null ? null : Number(p95Ms.toPrecision(4)),
    })),
  };
}
