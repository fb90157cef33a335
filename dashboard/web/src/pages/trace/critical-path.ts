import type { SpanNode } from "./span-tree.ts";

/** A stretch of time in which this span was what the trace waited for; in milliseconds after the trace's start. */
export interface PathSegment {
  fromMs: number;
  toMs: number;
}

/**
 * What the root's duration was spent on, going back from its end: always the child that finished last before, and the
 * span itself where no child ran. Keyed by span id.
 */
export function criticalPath(root: SpanNode): Map<string, PathSegment[]> {
  const path = new Map<string, PathSegment[]>();
  const add = (node: SpanNode, fromMs: number, toMs: number) => {
    if (toMs <= fromMs) return;
    const segments = path.get(node.span.spanId) ?? [];
    segments.push({ fromMs, toMs });
    path.set(node.span.spanId, segments);
  };
  const open: { node: SpanNode; untilMs: number }[] = [{ node: root, untilMs: root.startMs + root.durationMs }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, untilMs } = next;
    let cursor = untilMs;
    for (const child of byEndDescending(node.children)) {
      if (child.startMs >= cursor || child.startMs < node.startMs) continue;
      const childEnd = Math.min(cursor, child.startMs + child.durationMs);
      add(node, childEnd, cursor);
      open.push({ node: child, untilMs: childEnd });
      cursor = child.startMs;
    }
    add(node, node.startMs, cursor);
  }
  return path;
}

function byEndDescending(nodes: readonly SpanNode[]): SpanNode[] {
  return nodes.toSorted((a, b) => b.startMs + b.durationMs - (a.startMs + a.durationMs));
}
