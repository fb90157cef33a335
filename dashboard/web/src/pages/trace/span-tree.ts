import { type Span, serviceName } from "@tocsin/model";

export interface SpanNode {
  readonly span: Span;
  readonly service: string;
  readonly depth: number;
  readonly children: readonly SpanNode[];
  /** Milliseconds after the trace's start. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Milliseconds in which none of its children ran. */
  readonly selfMs: number;
  readonly error: boolean;
  /** Whether it names a parent that is not among the spans. */
  readonly orphan: boolean;
  /** How many spans stand under it, at any depth. */
  readonly descendants: number;
}

export interface TraceTree {
  readonly roots: readonly SpanNode[];
  /** Unix nanoseconds of the earliest start. */
  readonly startNano: bigint;
  readonly durationMs: number;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly orphanCount: number;
  readonly services: readonly string[];
}

interface Draft extends SpanNode {
  depth: number;
  children: Draft[];
  selfMs: number;
  orphan: boolean;
  descendants: number;
}

/** Puts spans, in whatever order they came, under their parents. Of a circle of parents one span becomes a root. */
export function buildTree(spans: readonly Span[]): TraceTree {
  const startNano = spans.reduce(
    (least, { startTimeUnixNano: at }) => (at < least ? at : least),
    spans[0]?.startTimeUnixNano ?? 0n,
  );
  const drafts = new Map<string, Draft>();
  for (const span of spans) if (!drafts.has(span.spanId)) drafts.set(span.spanId, draftOf(span, startNano));
  const breakers = circleBreakers(drafts);
  const roots: Draft[] = [];
  for (const draft of drafts.values()) {
    const parent = drafts.get(draft.span.parentSpanId);
    if (parent === undefined || breakers.has(draft)) roots.push(draft);
    else parent.children.push(draft);
    draft.orphan = draft.span.parentSpanId !== "" && parent === undefined;
  }
  roots.sort(byStart);
  finish(roots);
  const all = [...drafts.values()];
  return {
    roots,
    startNano,
    durationMs: Math.max(
      0,
      ...roots.map(endOf),
      all.reduce((last, draft) => Math.max(last, endOf(draft)), 0),
    ),
    spanCount: all.length,
    errorCount: all.filter(({ error }) => error).length,
    orphanCount: all.filter(({ orphan }) => orphan).length,
    services: [...new Set(all.map(({ service }) => service))].sort(),
  };
}

function draftOf(span: Span, startNano: bigint): Draft {
  return {
    span,
    service: serviceName(span.resource),
    depth: 0,
    children: [],
    startMs: Number(span.startTimeUnixNano - startNano) / 1e6,
    durationMs: Math.max(0, Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6),
    selfMs: 0,
    error: span.status.code === 2,
    orphan: false,
    descendants: 0,
  };
}

/** One span of each circle of parents, which is to be a root. Every span is looked at once. */
function circleBreakers(drafts: ReadonlyMap<string, Draft>): Set<Draft> {
  const breakers = new Set<Draft>();
  const walkOf = new Map<Draft, number>();
  let walk = 0;
  for (const draft of drafts.values()) {
    walk++;
    let at: Draft | undefined = draft;
    while (at !== undefined && !walkOf.has(at)) {
      walkOf.set(at, walk);
      at = drafts.get(at.span.parentSpanId);
    }
    if (at !== undefined && walkOf.get(at) === walk) breakers.add(at);
  }
  return breakers;
}

/** Depth on the way down, descendants and self time on the way up; without recursion, for chains may be long. */
function finish(roots: readonly Draft[]): void {
  const order: Draft[] = [];
  const open = [...roots];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    order.push(node);
    node.children.sort(byStart);
    for (const child of node.children) {
      child.depth = node.depth + 1;
      open.push(child);
    }
  }
  for (const node of order.toReversed()) {
    node.descendants = node.children.reduce((sum, child) => sum + 1 + child.descendants, 0);
    node.selfMs = selfTime(node);
  }
}

function byStart(a: SpanNode, b: SpanNode): number {
  return a.startMs - b.startMs || b.durationMs - a.durationMs;
}

const endOf = ({ startMs, durationMs }: SpanNode) => startMs + durationMs;

/** The span's duration less the time covered by its children (which are in order of start). */
function selfTime(node: SpanNode): number {
  let covered = 0;
  let until = node.startMs;
  for (const child of node.children) {
    const from = Math.max(until, child.startMs);
    const to = Math.min(endOf(child), endOf(node));
    if (to <= from) continue;
    covered += to - from;
    until = to;
  }
  return Math.max(0, node.durationMs - covered);
}

/** The rows on screen, top to bottom; what is under a collapsed span is left out. */
export function visibleRows(tree: TraceTree, collapsed: ReadonlySet<string>): SpanNode[] {
  const rows: SpanNode[] = [];
  const open = tree.roots.toReversed();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    rows.push(node);
    if (collapsed.has(node.span.spanId)) continue;
    for (let i = node.children.length - 1; i >= 0; i--) open.push(node.children[i] as SpanNode);
  }
  return rows;
}

/** The spans that have children: those that can be collapsed. */
export function parentIds(tree: TraceTree): string[] {
  return visibleRows(tree, new Set())
    .filter(({ children }) => children.length > 0)
    .map(({ span }) => span.spanId);
}

/** The spans above one, from its parent up; to open the way to it. */
export function ancestorIds(tree: TraceTree, spanId: string): string[] {
  const parents = new Map(
    visibleRows(tree, new Set()).flatMap(({ span, children }) =>
      children.map((child) => [child.span.spanId, span.spanId]),
    ),
  );
  const ids: string[] = [];
  for (let id = parents.get(spanId); id !== undefined; id = parents.get(id)) ids.push(id);
  return ids;
}
