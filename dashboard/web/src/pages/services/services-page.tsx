import { SegmentedControl } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { ServiceSummary } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";
import { z } from "zod";
import { useServices } from "../../api/services.ts";
import { conditionOf, useAlerts } from "../../api/alertmanager.ts";
import { formatMs, formatRate, formatRatio } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { useRowKeys } from "../../keys/use-row-keys.ts";
import { QueryView, SkeletonRows } from "../../ui/panel.tsx";
import { byAttention, ServiceState } from "../../ui/service-state.tsx";
import { SortHeader } from "../../ui/sort-header.tsx";
import { Sparkline } from "../../ui/sparkline.tsx";
import table from "../../ui/table.module.css";
import { useRange } from "../../url/use-range.ts";
import { useGo, useLink, useSearch } from "../../url/use-search.ts";
import classes from "./services-page.module.css";

const ServiceMap = lazy(() =>
  import("./service-map.tsx").then(({ ServiceMap: Component }) => ({ default: Component })),
);

const Search = z.object({ sort: z.string().catch("") });

/** The services with rate, errors and durations; as a table or as a map of who calls whom. */
export function Component() {
  const { t } = useTranslation();
  const go = useGo();
  const asMap = useLocation().pathname === "/map";
  return (
    <div className={classes["page"]}>
      <SegmentedControl
        size="xs"
        aria-label={t("alerts.view")}
        value={asMap ? "map" : "services"}
        onChange={(view) => go(view === "map" ? "/map" : "/services")}
        data={[
          { value: "services", label: t("alerts.table") },
          { value: "map", label: t("nav.map") },
        ]}
      />
      {asMap ? (
        <Suspense fallback={<SkeletonRows rows={10} />}>
          <ServiceMap />
        </Suspense>
      ) : (
        <Services />
      )}
    </div>
  );
}

const COLUMNS = {
  name: (service: ServiceSummary) => service.name,
  rate: (service: ServiceSummary) => service.rate,
  errors: (service: ServiceSummary) => service.errorRatio,
  p50: (service: ServiceSummary) => service.p50Ms ?? -1,
  p95: (service: ServiceSummary) => service.p95Ms ?? -1,
  p99: (service: ServiceSummary) => service.p99Ms ?? -1,
} as const;
type Column = keyof typeof COLUMNS;

function Services() {
  const { t } = useTranslation();
  const { range } = useRange();
  const services = useServices(range);
  return (
    <QueryView
      query={services}
      rows={6}
      isEmpty={({ items }) => items.length === 0}
      empty={{ title: t("now.servicesNone"), why: t("now.servicesNoneWhy") }}
    >
      {({ items }) => <ServiceTable items={items} />}
    </QueryView>
  );
}

function ServiceTable({ items }: { items: readonly ServiceSummary[] }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const link = useLink();
  const go = useGo();
  const [{ sort }, setSearch] = useSearch(Search);
  const rows = sorted(items, sort);
  const [row] = useRowKeys(rows.length, {
    onOpen: (index) => go(`/services/${encodeURIComponent(rows[index]?.name ?? "")}`),
  });
  const onSort = (next: string) => setSearch({ sort: next });
  const header = (column: Column, numeric: boolean) => (
    <SortHeader column={column} label={t(`services.${column}`)} sort={sort} onSort={onSort} numeric={numeric} />
  );
  return (
    <div className={classes["scroll"]} role="region" aria-label={t("nav.services")} tabIndex={0}>
      <table className={table["table"]}>
        <thead>
          <tr>
            {header("name", false)}
            <th>{t("alerts.state")}</th>
            <th>{t("services.traffic")}</th>
            {header("rate", true)}
            {header("errors", true)}
            {header("p50", true)}
            {header("p95", true)}
            {header("p99", true)}
            <th className={table["num"]}>{t("services.firing")}</th>
            <th>{t("services.version")}</th>
            <th>{t("services.lastSeen")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((service, index) => (
            <tr key={service.name} data-focused={index === row}>
              <td>
                <Link to={link(`/services/${encodeURIComponent(service.name)}`)}>{service.name}</Link>
              </td>
              <td>
                <ServiceState state={service.state} />
              </td>
              <td>
                <Sparkline values={service.sparkline} className={classes["spark"]} />
              </td>
              <td className={table["num"]}>{formatRate(service.rate)}</td>
              <td className={table["num"]}>{formatRatio(service.errorRatio)}</td>
              <td className={table["num"]}>{formatMs(service.p50Ms)}</td>
              <td className={table["num"]}>{formatMs(service.p95Ms)}</td>
              <td className={table["num"]}>{formatMs(service.p99Ms)}</td>
              <td className={table["num"]}>
                <FiringCount service={service.name} />
              </td>
              <td className="mono">{service.version}</td>
              <td className="mono">
                <time dateTime={service.lastSeen}>{format(service.lastSeen)}</time>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function FiringCount({ service }: { service: string }) {
  const link = useLink();
  const { data = [] } = useAlerts();
  const count = data.filter((alert) => alert.labels["service"] === service && conditionOf(alert) === "active").length;
  if (count === 0) return <span className="dim">0</span>;
  return <Link to={link("/alerts", { q: `service=${service}` })}>{count}</Link>;
}

/** By the column asked for (`-rate` means the greatest first), else by need of attention. */
function sorted(items: readonly ServiceSummary[], sort: string): ServiceSummary[] {
  const key = sort.replace(/^-/, "");
  const column = Object.entries(COLUMNS).find(([name]) => name === key)?.[1];
  if (column === undefined) return byAttention(items);
  const sign = sort.startsWith("-") ? -1 : 1;
  return items.toSorted((a, b) => (column(a) < column(b) ? -sign : column(a) > column(b) ? sign : 0));
}
