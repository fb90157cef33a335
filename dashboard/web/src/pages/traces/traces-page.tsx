import { Button } from "@mantine/core";
import type { TraceSummary } from "@tocsin/model";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { z } from "zod";
import { useTraces } from "../../api/traces.ts";
import { formatMs } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { useRowKeys } from "../../keys/use-row-keys.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { EmptyState, ErrorState, SkeletonRows } from "../../ui/panel.tsx";
import { QueryBox } from "../../ui/query-box.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import table from "../../ui/table.module.css";
import { absoluteRange } from "../../url/range.ts";
import { useRange } from "../../url/use-range.ts";
import { useGo, useLink, useSearch } from "../../url/use-search.ts";
import { hasTerm, searchProblem, toggleTerm } from "../logs/search-terms.ts";
import { DurationScatter } from "./duration-scatter.tsx";
import classes from "./traces-page.module.css";

const Search = z.object({
  q: z.string().catch(""),
  sort: z.enum(["newest", "slowest"]).catch("newest"),
});

const FILTERS = ["status:error", "duration:>500ms"] as const;

/** Trace search: by service, operation, duration and status; the dots above show where the slow ones are. */
export function Component() {
  const { t } = useTranslation();
  const { range, setRange } = useRange();
  const [{ q, sort }, setSearch] = useSearch(Search);
  const problem = searchProblem(q, "traces");
  const [asked, setAsked] = useState(q);
  if (problem === undefined && asked !== q) setAsked(q);
  const traces = useTraces(asked, range);
  const rows = useMemo(() => {
    const items = (traces.data?.pages ?? []).flatMap((page) => page.items);
    return sort === "slowest" ? items.toSorted((a, b) => b.durationMs - a.durationMs) : items;
  }, [traces.data, sort]);
  const setQuery = useCallback((next: string) => setSearch({ q: next }, "push"), [setSearch]);
  useShortcuts([
    { keys: "e", label: "keys.errorsOnly", scope: "page", run: () => setQuery(toggleTerm(q, "status:error")) },
  ]);
  return (
    <div className={classes["page"]}>
      <QueryBox
        value={q}
        onCommit={setQuery}
        label={t("traces.search")}
        placeholder={t("traces.searchPlaceholder")}
        error={problem?.message}
      />
      <div className={classes["filters"]}>
        {FILTERS.map((filter) => (
          <button
            key={filter}
            type="button"
            className="mono"
            aria-pressed={hasTerm(q, filter)}
            onClick={() => setQuery(toggleTerm(q, filter))}
          >
            {filter}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={sort === "slowest"}
          onClick={() => setSearch({ sort: sort === "slowest" ? "newest" : "slowest" })}
        >
          {t("traces.slowestFirst")}
        </button>
      </div>
      {rows.length > 0 && (
        <DurationScatter
          traces={rows}
          whole={!traces.hasNextPage}
          onZoom={(fromMs, toMs) => setRange(absoluteRange(fromMs, toMs))}
        />
      )}
      <Results query={traces} rows={rows} />
    </div>
  );
}

function Results({ query, rows }: { query: ReturnType<typeof useTraces>; rows: readonly TraceSummary[] }) {
  const { t } = useTranslation();
  const { setRange } = useRange();
  if (rows.length === 0) {
    if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    if (query.data === undefined) return <SkeletonRows rows={10} />;
    return (
      <EmptyState
        title={t("traces.none")}
        why={t("traces.noneWhy")}
        action={
          <Button variant="default" onClick={() => setRange({ from: "now-24h", to: "now" })}>
            {t("state.widen")}
          </Button>
        }
      />
    );
  }
  return (
    <>
      <TraceTable rows={rows} />
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("traces.older")}
        </Button>
      )}
    </>
  );
}

function TraceTable({ rows }: { rows: readonly TraceSummary[] }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const link = useLink();
  const go = useGo();
  const [row] = useRowKeys(rows.length, { onOpen: (index) => go(`/trace/${rows[index]?.traceId ?? ""}`) });
  const longest = Math.max(...rows.map(({ durationMs }) => durationMs), 1);
  return (
    <div className={classes["scroll"]} role="region" aria-label={t("nav.traces")} tabIndex={0}>
      <table className={`${table["table"] ?? ""} ${classes["table"] ?? ""}`}>
        <thead>
          <tr>
            <th>{t("traces.started")}</th>
            <th>{t("traces.operation")}</th>
            <th>{t("traces.duration")}</th>
            <th className={table["num"]}>{t("traces.spans")}</th>
            <th className={table["num"]}>{t("traces.errors")}</th>
            <th>{t("traces.services")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((trace, index) => (
            <tr key={trace.traceId} data-focused={index === row}>
              <td className="mono">
                <time dateTime={trace.startTime} title={trace.startTime}>
                  {format(trace.startTime, "millis")}
                </time>
              </td>
              <td className={classes["operation"]}>
                <Link to={link(`/trace/${trace.traceId}`)}>
                  <span className="dim">{trace.rootService}</span> {trace.rootName}
                </Link>
              </td>
              <td>
                <span className={classes["duration"]}>
                  <span className={classes["bar"]} aria-hidden="true">
                    <span
                      data-error={trace.errorCount > 0}
                      style={{ width: `${Math.max(1, (trace.durationMs / longest) * 100)}%` }}
                    />
                  </span>
                  {formatMs(trace.durationMs)}
                </span>
              </td>
              <td className={table["num"]}>{trace.spanCount}</td>
              <td className={table["num"]}>
                {trace.errorCount > 0 && (
                  <SeverityMark mark="critical" text={t("traces.errorCount", { count: trace.errorCount })} />
                )}
              </td>
              <td className="dim">{trace.services.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
