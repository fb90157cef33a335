import { tracesFromJson } from "@tocsin/model";
import { expect, test } from "vitest";
import { criticalPath } from "./critical-path.ts";
import { ancestorIds, buildTree, parentIds, visibleRows } from "./span-tree.ts";

const START = 1_795_262_400_000;

/** `[id, parent, from, to]` in milliseconds, as OTLP JSON comes over the wire. */
function trace(...spans: [id: number, parent: number, from: number, to: number, error?: boolean][]) {
  const id = (n: number) => (n === 0 ? "" : n.toString(16).padStart(16, "0"));
  const json = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "api" } }] },
        scopeSpans: [
          {
            scope: { name: "t" },
            spans: spans.map(([self, parent, from, to, error]) => ({
              traceId: "0".repeat(31) + "1",
              spanId: id(self),
              parentSpanId: id(parent),
              name: `s${self}`,
              kind: 1,
              startTimeUnixNano: `${START + from}000000`,
              endTimeUnixNano: `${START + to}000000`,
              status: error === true ? { code: 2 } : {},
            })),
          },
        ],
      },
    ],
  };
  return buildTree(tracesFromJson(json));
}

const names = (rows: ReturnType<typeof visibleRows>) =>
  rows.map(({ span, depth }) => `${"  ".repeat(depth)}${span.name}`);

test("puts spans under their parents in order of start, whatever order they came in", () => {
  const tree = trace([4, 2, 30, 40], [3, 1, 60, 80], [1, 0, 0, 100], [2, 1, 10, 50, true]);
  expect(names(visibleRows(tree, new Set()))).toEqual(["s1", "  s2", "    s4", "  s3"]);
  expect([tree.durationMs, tree.spanCount, tree.errorCount, tree.services]).toEqual([100, 4, 1, ["api"]]);
});

test("a collapsed span hides what is under it and says how much", () => {
  const tree = trace([1, 0, 0, 100], [2, 1, 10, 50], [3, 2, 20, 30]);
  const [first, second] = parentIds(tree);
  expect(names(visibleRows(tree, new Set([second ?? ""])))).toEqual(["s1", "  s2"]);
  expect(tree.roots[0]?.descendants).toBe(2);
  expect(ancestorIds(tree, "0000000000000003")).toEqual([second, first]);
});

test("a span whose parent was not received stands at the top and is counted", () => {
  const tree = trace([1, 0, 0, 100], [5, 9, 20, 30]);
  expect(names(visibleRows(tree, new Set()))).toEqual(["s1", "s5"]);
  expect(tree.orphanCount).toBe(1);
});

test("spans that name each other as parents are all shown", () => {
  const tree = trace([1, 2, 0, 10], [2, 1, 5, 8], [3, 3, 1, 2]);
  expect(visibleRows(tree, new Set())).toHaveLength(3);
});

test("self time is what no child covers; children that overlap count once, and only inside their parent", () => {
  const tree = trace([1, 0, 0, 100], [2, 1, 10, 50], [3, 1, 40, 60], [4, 1, 90, 140]);
  expect(tree.roots[0]?.selfMs).toBe(40);
});

test("a chain of 20,000 spans is a tree, not a stack overflow", () => {
  const chain = Array.from({ length: 20_000 }, (_, i): [number, number, number, number] => [i + 1, i, i / 1000, 100]);
  const tree = trace(...chain.map(([a, b, c, d]): [number, number, number, number] => [a, b, Math.floor(c), d]));
  expect(visibleRows(tree, new Set()).at(-1)?.depth).toBe(19_999);
});

test("the critical path goes back from the end through what was waited for last", () => {
  const tree = trace([1, 0, 0, 100], [2, 1, 10, 40], [3, 1, 20, 80], [4, 3, 30, 70]);
  const [root] = tree.roots;
  if (root === undefined) throw new Error("no root");
  const path = [...criticalPath(root)].map(([id, segments]) => [
    Number.parseInt(id, 16),
    segments.map(({ fromMs, toMs }) => [fromMs, toMs]),
  ]);
  expect(Object.fromEntries(path)).toEqual({
    1: [
      [80, 100],
      [0, 10],
    ],
    3: [
      [70, 80],
      [20, 30],
    ],
    4: [[30, 70]],
    2: [[10, 20]],
  });
});
