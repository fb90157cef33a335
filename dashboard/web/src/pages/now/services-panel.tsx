import type { ServiceSummary } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useServices } from "../../api/services.ts";
import { formatMs, formatRate, formatRatio } from "../../format/quantity.ts";
import { Panel, QueryView } from "../../ui/panel.tsx";
import { byAttention, needsAttention, ServiceState } from "../../ui/service-state.tsx";
import { Sparkline } from "../../ui/sparkline.tsx";
import { useRange } from "../../url/use-range.ts";
import { useLink } from "../../url/use-search.ts";
import classes from "./now-page.module.css";

const SHOWN = 6;

/** The services, those that need attention first. */
export function ServicesPanel() {
  const { t } = useTranslation();
  const { range } = useRange();
  const link = useLink();
  const services = useServices(range);
  const troubled = services.data?.items.some(needsAttention) === true;
  return (
    <Panel
      title={troubled ? t("now.attention") : t("now.services")}
      flush
      actions={<Link to={link("/services")}>{t("nav.services")}</Link>}
    >
      <QueryView
        query={services}
        isEmpty={({ items }) => items.length === 0}
        empty={{ title: t("now.servicesNone"), why: t("now.servicesNoneWhy") }}
      >
        {({ items }) => (
          <ul className={classes["services"]}>
            {byAttention(items)
              .slice(0, SHOWN)
              .map((service) => (
                <ServiceRow key={service.name} service={service} />
              ))}
          </ul>
        )}
      </QueryView>
    </Panel>
  );
}

function ServiceRow({ service }: { service: ServiceSummary }) {
  const { t } = useTranslation();
  const link = useLink();
  return (
    <li>
      <Link to={link(`/services/${encodeURIComponent(service.name)}`)}>
        <span className={classes["service"]}>
          <strong className="ellipsis">{service.name}</strong>
          <ServiceState state={service.state} />
        </span>
        <Sparkline values={service.sparkline} className={classes["spark"]} />
        <Figure label={t("now.rate")} value={formatRate(service.rate)} />
        <Figure label={t("now.errors")} value={formatRatio(service.errorRatio)} />
        <Figure label={t("now.p95")} value={formatMs(service.p95Ms)} />
      </Link>
    </li>
  );
}

function Figure({ label, value }: { label: string; value: string }) {
  return (
    <span className={classes["figure"]}>
      {value}
      <span>{label}</span>
    </span>
  );
}
