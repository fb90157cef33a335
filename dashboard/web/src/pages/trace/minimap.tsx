import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useBrush } from "../../charts/use-brush.ts";
import { type TraceTree, visibleRows } from "./span-tree.ts";
import type { Window } from "./waterfall-row.tsx";
import classes from "./waterfall.module.css";

const HEIGHT = 44;

/** The whole trace in little: drag over it to look at a part. */
export function Minimap({
  tree,
  view,
  hues,
  onView,
}: {
  tree: TraceTree;
  view: Window;
  hues: ReadonlyMap<string, number>;
  onView: (view: Window) => void;
}) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const total = Math.max(tree.durationMs, 0.001);
  // The brush answers whole milliseconds; a trace may last less than one, so it counts in thousandths.
  const { drag, handlers } = useBrush(0, total * 1000, (from, to) => onView({ fromMs: from / 1000, toMs: to / 1000 }));
  useEffect(() => {
    if (canvas.current !== null && width > 0) draw(canvas.current, tree, width, hues);
  }, [tree, width, hues]);
  const shown =
    drag === undefined
      ? { left: view.fromMs / total, right: view.toMs / total }
      : { left: Math.min(drag.start, drag.end), right: Math.max(drag.start, drag.end) };
  return (
    <div ref={ref} className={classes["minimap"]} role="img" aria-label={t("trace.minimap")} {...handlers}>
      <canvas ref={canvas} />
      <span className={classes["outside"]} style={{ left: 0, width: `${shown.left * 100}%` }} />
      <span className={classes["outside"]} style={{ right: 0, width: `${(1 - shown.right) * 100}%` }} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, tree: TraceTree, width: number, hues: ReadonlyMap<string, number>): void {
  const scale = window.devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = HEIGHT * scale;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const style = getComputedStyle(canvas);
  const colours = Array.from({ length: 6 }, (_, hue) => style.getPropertyValue(`--tc-series-${hue + 1}`));
  const rows = visibleRows(tree, new Set());
  const rowHeight = HEIGHT / rows.length;
  context.scale(scale, scale);
  for (const [index, node] of rows.entries()) {
    context.fillStyle = colours[hues.get(node.service) ?? 0] ?? "";
    const x = (node.startMs / tree.durationMs) * width;
    const wide = Math.max(1, (node.durationMs / tree.durationMs) * width);
    context.fillRect(x, index * rowHeight, wide, Math.min(4, Math.max(1, rowHeight - 0.5)));
  }
}
