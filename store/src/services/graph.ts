import type { ServiceGraph } from "@tocsin/model";
import type { TimeRange } from "../log-store.ts";
import type { EdgeRow, RedRow } from "../trace-store.ts";
import { redSummary } from "./summary.ts";

type Node = ServiceGraph["nodes"][number];

/** Services, also those that call nobody, and what they call; rates of services are of what they serve. */
export function serviceGraph(
  services: readonly string[],
  red: readonly RedRow[],
  edges: readonly EdgeRow[],
  range: TimeRange,
): ServiceGraph {
  const seconds = (range.toMs - range.fromMs) / 1000;
  const nodes = new Map<string, Node>();
  for (const name of services) {
    const { rate, errorRatio } = redSummary(
      red.find((row) => row.service === name),
      range,
    );
    nodes.set(name, { name, kind: "service", rate, errorRatio });
  }
  const called = Map.groupBy(
    edges.filter(({ target }) => !nodes.has(target)),
    ({ target }) => target,
  );
  for (const [name, calls] of called) {
    const count = calls.reduce((sum, call) => sum + call.count, 0);
    const errors = calls.reduce((sum, call) => sum + call.errors, 0);
    nodes.set(name, { name, kind: (calls[0] as EdgeRow).kind, rate: count / seconds, errorRatio: errors / count });
  }
  return {
    nodes: [...nodes.values()],
    edges: edges
      .filter(({ source }) => nodes.has(source))
      .map(({ source, target, count, errors, p95Ms }) => ({
        source,
        target,
        rate: count / seconds,
        errorRatio: errors / count,
        p95Ms: p95Ms === null ? null : Number(p95Ms.toPrecision(4)),
      })),
  };
}
