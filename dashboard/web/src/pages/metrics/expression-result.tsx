import type { UseQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/client.ts";
import { type InstantRow, type RangeAnswer, seriesName, useInstantQuery, useRangeQuery } from "../../api/prometheus.ts";
import { SeriesChart } from "../../charts/series-chart.tsx";
import { formatNumber } from "../../format/quantity.ts";
import { EmptyState, QueryView } from "../../ui/panel.tsx";
import { SortHeader } from "../../ui/sort-header.tsx";
import table from "../../ui/table.module.css";
import { absoluteRange } from "../../url/range.ts";
import { useRange } from "../../url/use-range.ts";
import { markPlace, placeInError } from "./expressions.ts";
import classes from "./metrics-page.module.css";

const MOST_ROWS = 1000;

/** What an expression gives, over the range or at its end. `runs` counts the explicit runs of the same text. */
export function ExpressionResult({
  expression,
  view,
  runs,
}: {
  expression: string;
  view: "graph" | "table";
  runs: number;
}) {
  const { t } = useTranslation();
  const { range } = useRange();
  const graph = useRangeQuery(expression, range, view === "graph");
  const instant = useInstantQuery(expression, range, view === "table");
  const { refetch } = view === "graph" ? graph : instant;
  useEffect(() => {
    if (runs > 0) void refetch();
  }, [runs, refetch]);
  if (expression.trim() === "") return <EmptyState title={t("metrics.none")} why={t("metrics.noneWhy")} />;
  return view === "graph" ? (
    <Graph expression={expression} query={graph} />
  ) : (
    <Table expression={expression} query={instant} />
  );
}

function Graph({ expression, query }: { expression: string; query: UseQueryResult<RangeAnswer> }) {
  const { t } = useTranslation();
  const { setRange } = useRange();
  const mistake = mistakeOf(query.error);
  if (mistake !== undefined) return <Mistake expression={expression} message={mistake} />;
  return (
    <QueryView
      query={query}
      rows={5}
      isEmpty={({ series }) => series.length === 0}
      empty={{ title: t("metrics.noSeries"), why: t("metrics.noSeriesWhy") }}
    >
      {({ series, fromMs, toMs }) => (
        <SeriesChart
          label={expression}
          series={series}
          fromMs={fromMs}
          toMs={toMs}
          format={formatNumber}
          height={260}
          onZoom={(from, to) => setRange(absoluteRange(from, to))}
        />
      )}
    </QueryView>
  );
}

function Table({ expression, query }: { expression: string; query: UseQueryResult<InstantRow[]> }) {
  const { t } = useTranslation();
  const [sort, setSort] = useState("-value");
  const mistake = mistakeOf(query.error);
  const rows = useMemo(() => sorted(query.data ?? [], sort), [query.data, sort]);
  if (mistake !== undefined) return <Mistake expression={expression} message={mistake} />;
  return (
    <QueryView
      query={query}
      rows={5}
      isEmpty={(all) => all.length === 0}
      empty={{ title: t("metrics.noSeries"), why: t("metrics.noSeriesWhy") }}
    >
      {() => (
        <div className={classes["scroll"]} tabIndex={0} role="region" aria-label={expression}>
          <table className={table["table"]}>
            <thead>
              <tr>
                <SortHeader
                  column="series"
                  label={t("metrics.series", { count: rows.length })}
                  sort={sort}
                  onSort={setSort}
                />
                <SortHeader column="value" label={t("inbox.value")} sort={sort} onSort={setSort} numeric />
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, MOST_ROWS).map(({ name, value }) => (
                <tr key={name}>
                  <td className="mono">{name}</td>
                  <td className={`mono ${table["num"] ?? ""}`}>{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </QueryView>
  );
}

/** What the server has against the expression itself; other failures are shown as failures. */
function mistakeOf(error: Error | null): string | undefined {
  return error instanceof ApiError && (error.status === 400 || error.status === 422) ? error.message : undefined;
}

/** The server's objection with the place it names underlined. */
function Mistake({ expression, message }: { expression: string; message: string }) {
  const place = placeInError(message);
  const parts = place === undefined ? undefined : markPlace(expression, place);
  return (
    <div className={classes["mistake"]} role="alert">
      <strong>{message.replace(/^invalid parameter "query": /, "")}</strong>
      {parts !== undefined && (
        <pre>
          {parts.before}
          <mark>{parts.marked === "" ? " " : parts.marked}</mark>
          {parts.after}
        </pre>
      )}
    </div>
  );
}

function sorted(rows: readonly InstantRow[], sort: string): { name: string; value: string }[] {
  const sign = sort.startsWith("-") ? -1 : 1;
  const named = rows.map(({ metric, value }) => ({ name: seriesName(metric), value }));
  return sort.endsWith("value")
    ? named.sort((a, b) => sign * (Number(a.value) - Number(b.value)) || (a.name < b.name ? -1 : 1))
    : named.sort((a, b) => (a.name < b.name ? -sign : sign));
}
