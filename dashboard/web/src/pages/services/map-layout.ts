import { graphlib, layout } from "@dagrejs/dagre";
import type { ServiceGraph } from "@tocsin/model";

export const NODE = { width: 176, height: 52 };

/** Where each node's upper left corner goes: callers left of what they call, or above where there is little width. */
export function layoutMap(
  { nodes, edges }: ServiceGraph,
  direction: "across" | "down",
): Map<string, { x: number; y: number }> {
  const graph = new graphlib.Graph();
  const room = direction === "across" ? { nodesep: 28, ranksep: 120 } : { nodesep: 16, ranksep: 56 };
  graph.setGraph({ rankdir: direction === "across" ? "LR" : "TB", ...room, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of nodes) graph.setNode(name, { ...NODE });
  for (const { source, target } of edges)
    if (graph.hasNode(source) && graph.hasNode(target)) graph.setEdge(source, target);
  layout(graph);
  return new Map(
    nodes.map(({ name }) => {
      const { x, y } = graph.node(name) as { x: number; y: number };
      return [name, { x: x - NODE.width / 2, y: y - NODE.height / 2 }];
    }),
  );
}
