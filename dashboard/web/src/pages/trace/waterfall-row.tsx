import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { formatMs } from "../../format/quantity.ts";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import type { PathSegment } from "./critical-path.ts";
import type { SpanNode } from "./span-tree.ts";
import classes from "./waterfall.module.css";

/** The part of the trace's time that is on screen, in milliseconds after its start. */
export interface Window {
  fromMs: number;
  toMs: number;
}

const INDENT = 12;
const DEEPEST = 16;
/** Stretches of the critical path under this part of the window would be dots, and are left out. */
const LEAST_SEGMENT = 0.004;

export function WaterfallRow({
  node,
  view,
  colour,
  path,
  collapsed,
  selected,
  focused,
  onToggle,
  onSelect,
}: {
  node: SpanNode;
  view: Window;
  colour: string;
  path: readonly PathSegment[];
  collapsed: boolean;
  selected: boolean;
  focused: boolean;
  onToggle: () => void;
  onSelect: () => void;
}) {
  const { t } = useTranslation();
  const width = view.toMs - view.fromMs;
  const left = percent(node.startMs - view.fromMs, width);
  const right = percent(node.startMs + node.durationMs - view.fromMs, width);
  return (
    <div className={classes["row"]} data-selected={selected} data-focused={focused} data-error={node.error}>
      <div className={classes["name"]} style={{ paddingLeft: Math.min(node.depth, DEEPEST) * INDENT }}>
        {node.children.length > 0 ? (
          <button
            type="button"
            className={classes["fold"]}
            aria-expanded={!collapsed}
            aria-label={collapsed ? t("trace.unfold") : t("trace.fold")}
            tabIndex={-1}
            onClick={onToggle}
          >
            {collapsed ? <IconChevronRight size={14} aria-hidden /> : <IconChevronDown size={14} aria-hidden />}
          </button>
        ) : (
          <span className={classes["leaf"]} />
        )}
        <span className={classes["colour"]} style={{ background: colour }} aria-hidden="true" />
        <button type="button" className={classes["label"]} aria-pressed={selected} tabIndex={-1} onClick={onSelect}>
          {node.error && <SeverityMark mark="critical" text={t("trace.error")} word={false} />}
          <span className={classes["service"]}>{node.service}</span>
          <span className={classes["operation"]}>{node.span.name}</span>
          {collapsed && <span className={classes["folded"]}>{t("trace.folded", { count: node.descendants })}</span>}
        </button>
      </div>
      <div className={classes["track"]} onClick={onSelect} aria-hidden="true">
        <span
          className={classes["bar"]}
          style={{ left: `${left}%`, width: `max(2px, ${right - left}%)`, background: colour }}
        />
        {path
          .filter(({ fromMs, toMs }) => (toMs - fromMs) / width > LEAST_SEGMENT)
          .map(({ fromMs, toMs }) => (
            <span
              key={fromMs}
              className={classes["path"]}
              style={{
                left: `${percent(fromMs - view.fromMs, width)}%`,
                width: `max(1px, ${percent(toMs - view.fromMs, width) - percent(fromMs - view.fromMs, width)}%)`,
              }}
            />
          ))}
        <span className={classes["duration"]} style={{ left: `calc(${right}% + 6px)` }}>
          {formatMs(node.durationMs)}
        </span>
      </div>
    </div>
  );
}

function percent(ms: number, width: number): number {
  return Math.min(100, Math.max(0, (ms / width) * 100));
}
