import type { TraceLogs } from "@tocsin/model";
import type { UseQueryResult } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useFormatTime } from "../../format/time.ts";
import { QueryView } from "../../ui/panel.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import { LEVEL_MARKS } from "../logs/level.ts";
import classes from "./trace-log-list.module.css";

/** What every span of the trace logged, in order of time; a press shows the span. */
export function TraceLogList({
  logs,
  selectedSpan,
  onSelect,
}: {
  logs: UseQueryResult<TraceLogs>;
  selectedSpan: string;
  onSelect: (spanId: string) => void;
}) {
  const { t } = useTranslation();
  const format = useFormatTime();
  return (
    <QueryView
      query={logs}
      rows={6}
      isEmpty={({ items }) => items.length === 0}
      empty={{ title: t("trace.noLogs"), why: t("trace.noLogsWhy") }}
    >
      {({ items }) => (
        <ol className={classes["list"]}>
          {items.map((item) => (
            <li key={item.id}>
              <button
                type="button"
                data-level={item.severity}
                aria-pressed={item.spanId !== "" && item.spanId === selectedSpan}
                onClick={() => onSelect(item.spanId)}
              >
                <time dateTime={item.time}>{format(item.time, "millis")}</time>
                <SeverityMark mark={LEVEL_MARKS[item.severity]} text={t(`logs.level.${item.severity}`)} word={false} />
                <span className={classes["service"]}>{item.service}</span>
                <span className={classes["message"]}>{item.message}</span>
              </button>
            </li>
          ))}
        </ol>
      )}
    </QueryView>
  );
}
