import { Button } from "@mantine/core";
import { IconArrowUp, IconFilter } from "@tabler/icons-react";
import type { LogItem } from "@tocsin/model";
import { useCallback, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { z } from "zod";
import { useLogs } from "../../api/logs.ts";
import { useFormatTime } from "../../format/time.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { EmptyState, ErrorState, SkeletonRows } from "../../ui/panel.tsx";
import { QueryBox } from "../../ui/query-box.tsx";
import { absoluteRange, quickRangeOf } from "../../url/range.ts";
import { useLive, useRange } from "../../url/use-range.ts";
import { useGo, useSearch } from "../../url/use-search.ts";
import { Facets } from "./facets.tsx";
import { LevelHistogram } from "./level-histogram.tsx";
import { LogList, type LogListHandle } from "./log-list.tsx";
import { LogPanel } from "./log-panel.tsx";
import classes from "./logs-page.module.css";
import { searchProblem, term, toggleTerm } from "./search-terms.ts";
import { mergeRows } from "./tail-buffer.ts";
import { useTail } from "./use-tail.ts";

const Search = z.object({
  q: z.string().catch(""),
  /** The record the side panel shows. */
  sel: z.string().catch(""),
});

/** Log search: words and key:value, by level over time, with the live rows on top while nobody is reading. */
export function Component() {
  const { t } = useTranslation();
  const { range, setRange } = useRange();
  const { live } = useLive();
  const [{ q, sel }, setSearch] = useSearch(Search);
  const [facetsOpen, setFacetsOpen] = useState(false);
  const problem = searchProblem(q, "logs");
  // While the search cannot be read, what was found before stays.
  const [asked, setAsked] = useState(q);
  if (problem === undefined && asked !== q) setAsked(q);
  const list = useRef<LogListHandle>(null);
  const logs = useLogs(asked, range);
  const following = live && quickRangeOf(range) !== undefined;
  const tail = useTail(
    asked,
    following,
    useCallback(() => list.current?.isReading() ?? false, []),
  );
  const searched = useMemo(() => (logs.data?.pages ?? []).flatMap((page) => page.items), [logs.data]);
  const rows = useMemo(() => mergeRows(tail.buffer.shown, searched), [tail.buffer.shown, searched]);
  const selected = rows.find(({ id }) => id === sel);
  const setQuery = useCallback((next: string) => setSearch({ q: next }, "push"), [setSearch]);
  const toggle = (wanted: string) => setQuery(toggleTerm(q, wanted));
  const select = (item: LogItem | undefined) => setSearch({ sel: item?.id ?? "" });
  useLogShortcuts({ selected, onToggle: toggle, onClose: () => select(undefined) });
  const showHeld = () => {
    tail.release();
    list.current?.toTop();
  };
  return (
    <div className={classes["page"]}>
      <div className={classes["search"]}>
        <QueryBox
          value={q}
          onCommit={setQuery}
          label={t("logs.search")}
          placeholder={t("logs.searchPlaceholder")}
          error={problem === undefined ? undefined : <Problem text={q} {...problem} />}
        />
        <Button
          variant="default"
          className={classes["facetButton"]}
          leftSection={<IconFilter size={14} aria-hidden />}
          aria-expanded={facetsOpen}
          onClick={() => setFacetsOpen(!facetsOpen)}
        >
          {t("logs.facets")}
        </Button>
      </div>
      <LevelHistogram
        q={asked}
        range={range}
        text={q}
        onToggle={toggle}
        onZoom={(fromMs, toMs) => setRange(absoluteRange(fromMs, toMs))}
      />
      <div className={classes["body"]} data-panel={selected !== undefined} data-facets={facetsOpen}>
        <Facets q={asked} range={range} text={q} onToggle={toggle} />
        <div className={classes["results"]}>
          <TailPill count={tail.buffer.held.length} dropped={tail.buffer.dropped} onShow={showHeld} />
          <Results query={logs} rows={rows}>
            <LogList
              ref={list}
              rows={rows}
              selectedId={sel}
              onSelect={select}
              onEnd={() => {
                if (logs.hasNextPage && !logs.isFetchingNextPage) void logs.fetchNextPage();
              }}
              loadingMore={logs.isFetchingNextPage}
            />
          </Results>
          <Footer query={logs} rows={rows.length} following={following} connected={tail.connected} />
        </div>
        {selected !== undefined && (
          <LogPanel
            key={selected.id}
            item={selected}
            onClose={() => select(undefined)}
            onFilter={(key, value, exclude) => toggle(`${exclude ? "-" : ""}${term(key, value)}`)}
          />
        )}
      </div>
    </div>
  );
}

type Logs = ReturnType<typeof useLogs>;

function Results({ query, rows, children }: { query: Logs; rows: readonly LogItem[]; children: React.ReactNode }) {
  const { t } = useTranslation();
  const { range, setRange } = useRange();
  if (rows.length > 0) return children;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data === undefined) return <SkeletonRows rows={12} />;
  return (
    <EmptyState
      title={t("logs.none")}
      why={t("logs.noneWhy")}
      action={
        range.from === "now-24h" ? undefined : (
          <Button variant="default" onClick={() => setRange({ from: "now-24h", to: "now" })}>
            {t("state.widen")}
          </Button>
        )
      }
    />
  );
}

/** The waiting rows, announced without moving anything. */
function TailPill({ count, dropped, onShow }: { count: number; dropped: number; onShow: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={classes["pillRow"]} role="status">
      {count > 0 && (
        <button type="button" className={classes["pill"]} onClick={onShow}>
          <IconArrowUp size={14} aria-hidden />
          {dropped > 0 ? t("logs.newRowsMany", { count }) : t("logs.newRows", { count })}
        </button>
      )}
    </div>
  );
}

function Footer({
  query,
  rows,
  following,
  connected,
}: {
  query: Logs;
  rows: number;
  following: boolean;
  connected: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const searchedTo = query.data?.pages.at(-1)?.searchedTo;
  return (
    <footer className={classes["footer"]}>
      <span>{t("logs.loaded", { count: rows })}</span>
      {following && <span>{connected ? t("logs.following") : t("logs.connecting")}</span>}
      {!following && <span>{t("logs.notFollowing")}</span>}
      {searchedTo !== undefined && <span>{t("state.partial", { time: format(searchedTo, "dateTime") })}</span>}
      {query.isError && rows > 0 && <span role="alert">{query.error.message}</span>}
    </footer>
  );
}

/** The mistake in a search, with its place marked under the text. */
function Problem({ text, message, start, end }: { text: string; message: string; start: number; end: number }) {
  return (
    <>
      {message}
      <span className={classes["problem"]}>
        {text.slice(0, start)}
        <mark>{text.slice(start, Math.max(end, start + 1)) || " "}</mark>
        {text.slice(Math.max(end, start + 1))}
      </span>
    </>
  );
}

function useLogShortcuts({
  selected,
  onToggle,
  onClose,
}: {
  selected: LogItem | undefined;
  onToggle: (term: string) => void;
  onClose: () => void;
}): void {
  const go = useGo();
  useShortcuts([
    { keys: "e", label: "keys.errorsOnly", scope: "page", run: () => onToggle("severity:error") },
    {
      keys: "r",
      label: "keys.relatedTrace",
      scope: "page",
      run: () => {
        if (selected === undefined || selected.traceId === "") return false;
        go(`/trace/${selected.traceId}`, { span: selected.spanId });
        return true;
      },
    },
    {
      keys: "escape",
      label: "keys.close",
      scope: "page",
      run: () => {
        if (selected === undefined) return false;
        onClose();
        return true;
      },
    },
  ]);
}
