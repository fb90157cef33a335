import type { ServiceDetail } from "@tocsin/model";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { conditionOf, useAlerts } from "../../api/alertmanager.ts";
import { ApiError } from "../../api/client.ts";
import { useService } from "../../api/services.ts";
import type { Series } from "../../charts/series.ts";
import { SeriesChart } from "../../charts/series-chart.tsx";
import { formatMs, formatRate, formatRatio } from "../../format/quantity.ts";
import { EmptyState, Panel, QueryView } from "../../ui/panel.tsx";
import { ServiceState } from "../../ui/service-state.tsx";
import { markOfSeverity, SeverityMark } from "../../ui/severity-mark.tsx";
import table from "../../ui/table.module.css";
import { absoluteRange } from "../../url/range.ts";
import { useRange } from "../../url/use-range.ts";
import { useLink } from "../../url/use-search.ts";
import { useSpan } from "../../url/use-span.ts";
import classes from "./service-page.module.css";

/** One service: how it does, what fires about it, its operations, and the ways to its logs and traces. */
export function Component() {
  const { t } = useTranslation();
  const { name = "" } = useParams();
  const { range } = useRange();
  const service = useService(name, range);
  if (service.error instanceof ApiError && service.error.status === 404)
    return <EmptyState title={t("services.unknown", { name })} why={t("services.unknownWhy")} />;
  return (
    <QueryView query={service} rows={8}>
      {(detail) => (
        <div className={classes["page"]}>
          <Head detail={detail} />
          <RedCharts detail={detail} />
          <div className={classes["columns"]}>
            <Operations detail={detail} />
            <ServiceAlerts service={detail.name} />
          </div>
        </div>
      )}
    </QueryView>
  );
}

function Head({ detail }: { detail: ServiceDetail }) {
  const { t } = useTranslation();
  const link = useLink();
  const q = `service:${detail.name}`;
  return (
    <div className={classes["head"]}>
      <ServiceState state={detail.state} />
      {detail.version !== "" && <span className="mono dim">{detail.version}</span>}
      <span className={classes["links"]}>
        <Link to={link("/logs", { q })}>{t("alert.relatedLogs", { service: detail.name })}</Link>
        <Link to={link("/traces", { q })}>{t("alert.relatedTraces", { service: detail.name })}</Link>
        <Link to={link("/traces", { q: `${q} status:error` })}>{t("services.failedTraces")}</Link>
        <Link to={link("/map")}>{t("nav.map")}</Link>
      </span>
    </div>
  );
}

function RedCharts({ detail }: { detail: ServiceDetail }) {
  const { t } = useTranslation();
  const { setRange } = useRange();
  const { fromMs, toMs } = useSpan();
  const charts = useMemo(() => redSeries(detail), [detail]);
  const zoom = (from: number, to: number) => setRange(absoluteRange(from, to));
  const chart = (label: string, series: Series[], format: (value: number) => string) => (
    <Panel title={label}>
      <SeriesChart label={label} series={series} fromMs={fromMs} toMs={toMs} format={format} onZoom={zoom} />
    </Panel>
  );
  return (
    <div className={classes["charts"]}>
      {chart(t("services.rate"), charts.rate, formatRate)}
      {chart(t("services.errors"), charts.errors, formatRatio)}
      {chart(t("services.durations"), charts.durations, formatMs)}
    </div>
  );
}

function redSeries({ red, name }: ServiceDetail): { rate: Series[]; errors: Series[]; durations: Series[] } {
  const line = (id: string, value: (point: ServiceDetail["red"][number]) => number | null): Series => ({
    id,
    label: id,
    points: red.map((point) => [point.timeMs, value(point)]),
  });
  return {
    rate: [line(name, ({ rate }) => rate)],
    errors: [line(name, ({ errorRatio }) => errorRatio)],
    durations: [
      line("p50", ({ p50Ms }) => p50Ms),
      line("p95", ({ p95Ms }) => p95Ms),
      line("p99", ({ p99Ms }) => p99Ms),
    ],
  };
}

function Operations({ detail }: { detail: ServiceDetail }) {
  const { t } = useTranslation();
  const link = useLink();
  return (
    <Panel title={t("services.operations")} flush>
      <table className={table["table"]}>
        <thead>
          <tr>
            <th>{t("traces.operation")}</th>
            <th className={table["num"]}>{t("services.rate")}</th>
            <th className={table["num"]}>{t("services.errors")}</th>
            <th className={table["num"]}>{t("services.p50")}</th>
            <th className={table["num"]}>{t("services.p95")}</th>
            <th className={table["num"]}>{t("services.p99")}</th>
          </tr>
        </thead>
        <tbody>
          {detail.operations.map((operation) => (
            <tr key={operation.name}>
              <td>
                <Link to={link("/traces", { q: `service:${detail.name} name:${JSON.stringify(operation.name)}` })}>
                  {operation.name}
                </Link>
              </td>
              <td className={table["num"]}>{formatRate(operation.rate)}</td>
              <td className={table["num"]}>{formatRatio(operation.errorRatio)}</td>
              <td className={table["num"]}>{formatMs(operation.p50Ms)}</td>
              <td className={table["num"]}>{formatMs(operation.p95Ms)}</td>
              <td className={table["num"]}>{formatMs(operation.p99Ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function ServiceAlerts({ service }: { service: string }) {
  const { t } = useTranslation();
  const link = useLink();
  const alerts = useAlerts();
  const own = (alerts.data ?? []).filter((alert) => alert.labels["service"] === service);
  return (
    <Panel title={t("nav.alerts")} flush>
      <QueryView
        query={alerts}
        isEmpty={() => own.length === 0}
        empty={{ title: t("now.firingNone"), why: t("services.noAlerts", { service }) }}
      >
        {() => (
          <ul className={classes["alerts"]}>
            {own.map((alert) => (
              <li key={alert.fingerprint}>
                <SeverityMark
                  mark={conditionOf(alert) === "active" ? markOfSeverity(alert.labels["severity"]) : "muted"}
                  word={false}
                />
                <span>
                  <Link to={link(`/alerts/${alert.fingerprint}`)}>{alert.labels["alertname"]}</Link>
                  <p className="dim">{alert.annotations["summary"]}</p>
                </span>
              </li>
            ))}
          </ul>
        )}
      </QueryView>
    </Panel>
  );
}
