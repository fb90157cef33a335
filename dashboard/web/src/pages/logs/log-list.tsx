import type { LogItem } from "@tocsin/model";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type Ref, useEffect, useImperativeHandle, useRef } from "react";
import { useTranslation } from "react-i18next";
import { type FormatTime, useFormatTime } from "../../format/time.ts";
import { useRowKeys } from "../../keys/use-row-keys.ts";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import { LEVEL_MARKS } from "./level.ts";
import classes from "./log-list.module.css";

const ROW_HEIGHT = 24;
/** Rows from the end at which the next page is asked for. */
const AHEAD = 40;

export interface LogListHandle {
  toTop: () => void;
  /** Whether the list must not move: scrolled down, a row open, or text selected. */
  isReading: () => boolean;
}

/** The records, newest on top, of which only the visible ones are in the document. */
export function LogList({
  rows,
  selectedId,
  onSelect,
  onEnd,
  loadingMore,
  ref,
}: {
  rows: readonly LogItem[];
  selectedId: string;
  onSelect: (item: LogItem) => void;
  onEnd: () => void;
  loadingMore: boolean;
  ref: Ref<LogListHandle>;
}) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 20,
  });
  const selectedIndex = rows.findIndex(({ id }) => id === selectedId);
  const open = (index: number) => {
    const item = rows[index];
    if (item !== undefined) onSelect(item);
  };
  const [row, setRow] = useRowKeys(rows.length, {
    onOpen: open,
    onMove: (index) => {
      virtual.scrollToIndex(index);
      if (selectedIndex >= 0) open(index);
    },
  });
  useEffect(() => {
    if (selectedIndex >= 0) setRow(selectedIndex);
  }, [selectedIndex, setRow]);
  useImperativeHandle(ref, () => ({
    toTop: () => scroller.current?.scrollTo(0, 0),
    isReading: () =>
      (scroller.current?.scrollTop ?? 0) > ROW_HEIGHT ||
      selectedId !== "" ||
      document.getSelection()?.isCollapsed === false,
  }));
  const items = virtual.getVirtualItems();
  const lastVisible = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && lastVisible >= rows.length - AHEAD) onEnd();
    // Asking again after each new page is wanted: a filtered page may be short.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [lastVisible, rows.length]);
  return (
    <div ref={scroller} className={classes["scroller"]} tabIndex={0} role="region" aria-label={t("logs.rows")}>
      <ul style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const item = rows[index];
          if (item === undefined) return null;
          return (
            <li key={key} style={{ transform: `translateY(${start}px)` }} aria-setsize={-1} aria-posinset={index + 1}>
              <Row
                item={item}
                format={format}
                selected={item.id === selectedId}
                focused={index === row}
                onSelect={() => {
                  setRow(index);
                  onSelect(item);
                }}
              />
            </li>
          );
        })}
      </ul>
      {loadingMore && (
        <p className={classes["more"]} role="status">
          {t("state.loading")}
        </p>
      )}
    </div>
  );
}

function Row({
  item,
  format,
  selected,
  focused,
  onSelect,
}: {
  item: LogItem;
  format: FormatTime;
  selected: boolean;
  focused: boolean;
  onSelect: () => void;
}) {
  const { t } = useTranslation();
  return (
    <button
      type="button"
      className={classes["row"]}
      data-level={item.severity}
      data-selected={selected}
      data-focused={focused}
      aria-expanded={selected}
      tabIndex={-1}
      onClick={onSelect}
    >
      <time dateTime={item.time}>
        {format(item.time)}
        <span className={classes["millis"]}>{/\.\d{3}/.exec(item.time)?.[0]}</span>
      </time>
      <span className={classes["level"]}>
        <SeverityMark mark={LEVEL_MARKS[item.severity]} text={t(`logs.level.${item.severity}`)} />
      </span>
      <span className={classes["service"]}>{item.service}</span>
      <span className={classes["message"]}>{item.message}</span>
    </button>
  );
}
