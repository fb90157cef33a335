import { Tabs } from "@mantine/core";
import { nanoToMs } from "@tocsin/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { z } from "zod";
import { ApiError } from "../../api/client.ts";
import { isSettled, useTrace, useTraceLogs } from "../../api/traces.ts";
import { formatMs } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { EmptyState, QueryView } from "../../ui/panel.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useCrumb } from "../../ui/shell/crumb.ts";
import { useLink, useSearch } from "../../url/use-search.ts";
import { buildTree, type TraceTree, visibleRows } from "./span-tree.ts";
import { SpanPanel } from "./span-panel.tsx";
import { TraceLogList } from "./trace-log-list.tsx";
import classes from "./trace-page.module.css";
import { Waterfall } from "./waterfall.tsx";

const Search = z.object({
  /** The span the side panel shows. */
  span: z.string().catch(""),
  view: z.enum(["waterfall", "logs"]).catch("waterfall"),
});

/** One trace: its spans over time, and its logs. */
export function Component() {
  const { t } = useTranslation();
  const { traceId = "" } = useParams();
  const trace = useTrace(traceId);
  if (trace.error instanceof ApiError && trace.error.status === 404)
    return <EmptyState title={t("trace.none")} why={t("trace.noneWhy")} />;
  return (
    <QueryView
      query={trace}
      rows={12}
      isEmpty={(spans) => spans.length === 0}
      empty={{ title: t("trace.none"), why: t("trace.noneWhy") }}
    >
      {(spans) => <Trace traceId={traceId} spans={spans} />}
    </QueryView>
  );
}

function Trace({ traceId, spans }: { traceId: string; spans: Parameters<typeof buildTree>[0] }) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearch(Search);
  const logs = useTraceLogs(traceId);
  const tree = useMemo(() => buildTree(spans), [spans]);
  const settled = isSettled(spans, useNow(5000));
  const selected = useMemo(
    () => visibleRows(tree, new Set()).find(({ span }) => span.spanId === search.span),
    [tree, search.span],
  );
  const [root] = tree.roots;
  useCrumb(root === undefined ? undefined : t("trace.title", { service: root.service, name: root.span.name }));
  const select = (span: string) => setSearch({ span });
  useShortcuts([
    { keys: "l", label: "keys.relatedLogs", scope: "page", run: () => setSearch({ view: "logs" }, "push") },
    {
      keys: "escape",
      label: "keys.close",
      scope: "page",
      run: () => {
        if (selected === undefined) return false;
        select("");
        return true;
      },
    },
  ]);
  return (
    <div className={classes["page"]}>
      <Facts tree={tree} traceId={traceId} />
      {tree.orphanCount > 0 && (
        <p className={classes["banner"]}>
          {settled ? t("trace.orphans", { count: tree.orphanCount }) : t("trace.arriving", { count: tree.orphanCount })}
        </p>
      )}
      <Tabs
        value={search.view}
        keepMounted={false}
        className={classes["tabs"]}
        onChange={(view) => setSearch({ view: view === "logs" ? "logs" : "waterfall" }, "push")}
      >
        <Tabs.List>
          <Tabs.Tab value="waterfall">{t("trace.waterfall")}</Tabs.Tab>
          <Tabs.Tab value="logs">{t("trace.logs", { count: logs.data?.items.length ?? 0 })}</Tabs.Tab>
        </Tabs.List>
        <div className={classes["body"]} data-panel={selected !== undefined}>
          <Tabs.Panel value="waterfall" className={classes["panel"]}>
            <Waterfall tree={tree} selectedId={search.span} onSelect={select} />
          </Tabs.Panel>
          <Tabs.Panel value="logs" className={classes["panel"]}>
            <TraceLogList logs={logs} selectedSpan={search.span} onSelect={select} />
          </Tabs.Panel>
          {selected !== undefined && <SpanPanel node={selected} tree={tree} onClose={() => select("")} />}
        </div>
      </Tabs>
    </div>
  );
}

function Facts({ tree, traceId }: { tree: TraceTree; traceId: string }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const link = useLink();
  return (
    <header className={classes["facts"]}>
      <dl>
        <Fact name={t("traces.started")} value={format(nanoToMs(tree.startNano), "dateTime")} />
        <Fact name={t("traces.duration")} value={formatMs(tree.durationMs)} />
        <Fact name={t("traces.spans")} value={String(tree.spanCount)} />
        <Fact name={t("traces.services")} value={String(tree.services.length)} />
      </dl>
      {tree.errorCount > 0 && (
        <SeverityMark mark="critical" text={t("traces.errorCount", { count: tree.errorCount })} />
      )}
      <Link to={link("/logs", { q: `trace:${traceId}` })}>{t("trace.inLogs")}</Link>
      <code className={classes["id"]}>{traceId}</code>
    </header>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
