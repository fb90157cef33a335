import { ActionIcon, Tooltip } from "@mantine/core";
import { IconFold, IconFoldDown, IconZoomReset } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { hueColour, huesOf } from "../../charts/series-colours.ts";
import { formatMs } from "../../format/quantity.ts";
import { useRowKeys } from "../../keys/use-row-keys.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { criticalPath } from "./critical-path.ts";
import { Minimap } from "./minimap.tsx";
import { ancestorIds, parentIds, type TraceTree, visibleRows } from "./span-tree.ts";
import { WaterfallRow, type Window } from "./waterfall-row.tsx";
import classes from "./waterfall.module.css";

const ROW_HEIGHT = 24;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** The spans as bars over time, one row each; only the rows on screen are in the document. */
export function Waterfall({
  tree,
  selectedId,
  onSelect,
}: {
  tree: TraceTree;
  selectedId: string;
  onSelect: (spanId: string) => void;
}) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [view, setView] = useState<Window>({ fromMs: 0, toMs: Math.max(tree.durationMs, 0.001) });
  const rows = useMemo(() => visibleRows(tree, collapsed), [tree, collapsed]);
  const hues = useMemo(() => huesOf(tree.services), [tree.services]);
  const path = useMemo(() => new Map(tree.roots.flatMap((root) => [...criticalPath(root)])), [tree]);
  // oxlint-disable-next-line react/incompatible-library -- nothing here is memoised by a compiler
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.span.spanId ?? index,
    overscan: 16,
  });
  const select = (index: number) => onSelect(rows[index]?.span.spanId ?? "");
  const [row, setRow] = useRowKeys(rows.length, {
    onOpen: select,
    onMove: (index) => {
      virtual.scrollToIndex(index);
      if (selectedId !== "") select(index);
    },
  });
  const toggle = (spanId: string) => {
    const next = new Set(collapsed);
    if (!next.delete(spanId)) next.add(spanId);
    setCollapsed(next);
  };
  const foldAll = () => setCollapsed(new Set(parentIds(tree)));
  const unfoldAll = () => setCollapsed(new Set());
  const resetView = () => setView({ fromMs: 0, toMs: Math.max(tree.durationMs, 0.001) });
  const zoomed = view.fromMs > 0 || view.toMs < tree.durationMs;
  const foldRow = (fold: boolean) => {
    const node = rows[row];
    if (node === undefined || node.children.length === 0 || collapsed.has(node.span.spanId) === fold) return false;
    toggle(node.span.spanId);
    return true;
  };
  useShortcuts([
    { keys: "[", label: "keys.collapseAll", scope: "page", run: foldAll },
    { keys: "]", label: "keys.expandAll", scope: "page", run: unfoldAll },
    { keys: "arrowleft", label: "trace.fold", scope: "page", run: () => foldRow(true) },
    { keys: "arrowright", label: "trace.unfold", scope: "page", run: () => foldRow(false) },
  ]);
  useShortcuts(
    [
      {
        keys: "escape",
        label: "keys.close",
        scope: "page",
        run: resetView,
      },
    ],
    zoomed && selectedId === "",
  );
  useRevealed(tree, selectedId, rows, (index, hidden) => {
    if (hidden) setCollapsed((current) => without(current, ancestorIds(tree, selectedId)));
    else {
      setRow(index);
      virtual.scrollToIndex(index);
    }
  });
  return (
    <div className={classes["waterfall"]}>
      <Minimap tree={tree} view={view} hues={hues} onView={setView} />
      <div className={classes["head"]}>
        <div className={classes["tools"]}>
          <Tool label={t("keys.collapseAll")} onClick={foldAll} icon={<IconFold size={14} />} />
          <Tool label={t("keys.expandAll")} onClick={unfoldAll} icon={<IconFoldDown size={14} />} />
          {zoomed && <Tool label={t("trace.wholeTrace")} onClick={resetView} icon={<IconZoomReset size={14} />} />}
          <span className={classes["key"]}>
            <span aria-hidden="true" /> {t("trace.criticalPath")}
          </span>
        </div>
        <div className={classes["ticks"]} aria-hidden="true">
          {TICKS.map((tick) => (
            <span key={tick} style={{ left: `${tick * 100}%` }}>
              {formatMs(view.fromMs + tick * (view.toMs - view.fromMs))}
            </span>
          ))}
        </div>
      </div>
      <div ref={scroller} className={classes["scroller"]} tabIndex={0} role="region" aria-label={t("trace.waterfall")}>
        <ul style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start, key }) => {
            const node = rows[index];
            if (node === undefined) return null;
            const { spanId } = node.span;
            return (
              <li key={key} style={{ transform: `translateY(${start}px)` }}>
                <WaterfallRow
                  node={node}
                  view={view}
                  colour={hueColour(hues.get(node.service) ?? 0)}
                  path={path.get(spanId) ?? []}
                  collapsed={collapsed.has(spanId)}
                  selected={spanId === selectedId}
                  focused={index === row}
                  onToggle={() => toggle(spanId)}
                  onSelect={() => {
                    setRow(index);
                    onSelect(spanId);
                  }}
                />
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}

function Tool({ label, icon, onClick }: { label: string; icon: React.ReactNode; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

/** Brings the selected span on screen once, also when it came from the address or another tab. */
function useRevealed(
  tree: TraceTree,
  selectedId: string,
  rows: ReturnType<typeof visibleRows>,
  reveal: (index: number, hidden: boolean) => void,
): void {
  const shown = useRef("");
  useEffect(() => {
    if (selectedId === "" || shown.current === selectedId) return;
    const index = rows.findIndex(({ span }) => span.spanId === selectedId);
    if (index >= 0) shown.current = selectedId;
    reveal(index, index < 0);
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [tree, selectedId, rows]);
}

function without(ids: ReadonlySet<string>, removed: readonly string[]): ReadonlySet<string> {
  return removed.length === 0 ? ids : new Set([...ids].filter((id) => !removed.includes(id)));
}
