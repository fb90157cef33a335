import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconVolumeOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { type AlertGroup, conditionOf, type GettableAlert, sharedLabels } from "../../api/alertmanager.ts";
import { formatMs } from "../../format/quantity.ts";
import { LabelChips } from "../../ui/label-chip.tsx";
import { markOfSeverity, SeverityMark } from "../../ui/severity-mark.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useLink } from "../../url/use-search.ts";
import type { SilenceSeed } from "../silences/silence-dialog.tsx";
import classes from "./alerts-page.module.css";

const FOLDED = 5;

type OnFilter = (name: string, value: string, exclude: boolean) => void;

/** One group on its way to one receiver: what its alerts share stands once, below; what differs stands with each. */
export function AlertGroupCard({
  group,
  onFilter,
  onSilence,
}: {
  group: AlertGroup;
  onFilter: OnFilter;
  onSilence: (seed: SilenceSeed) => void;
}) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const shared = group.alerts.length > 1 ? sharedLabels(group.alerts) : group.labels;
  const rest = group.alerts.length - FOLDED;
  const shown = open ? group.alerts : group.alerts.slice(0, FOLDED);
  const footer = Object.fromEntries(Object.entries(shared).filter(([name]) => !(name in group.labels)));
  return (
    <article className={classes["card"]} aria-label={t("alerts.group", { receiver: group.receiver.name })}>
      <header>
        <h2>
          {Object.keys(group.labels).length === 0 ? (
            <span className="dim">{t("alerts.ungrouped")}</span>
          ) : (
            <LabelChips labels={group.labels} onFilter={onFilter} />
          )}
          <span className="dim">→ {group.receiver.name}</span>
        </h2>
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<IconVolumeOff size={14} aria-hidden />}
          aria-label={t("alerts.silenceGroup")}
          onClick={() => onSilence({ labels: Object.keys(group.labels).length > 0 ? group.labels : shared })}
        >
          {t("alerts.silence")}
        </Button>
      </header>
      <ul className={classes["alerts"]}>
        {shown.map((alert) => (
          <AlertRow
            key={alert.fingerprint}
            alert={alert}
            hide={Object.keys(shared)}
            onFilter={onFilter}
            onSilence={onSilence}
          />
        ))}
      </ul>
      {rest > 0 && (
        <button type="button" className={classes["more"]} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t("alerts.showLess") : t("alerts.showAll", { count: rest })}
        </button>
      )}
      {Object.keys(footer).length > 0 && (
        <footer>
          <span className="dim">{t("alerts.common")}</span>
          <LabelChips labels={footer} onFilter={onFilter} />
        </footer>
      )}
    </article>
  );
}

function AlertRow({
  alert,
  hide,
  onFilter,
  onSilence,
}: {
  alert: GettableAlert;
  hide: readonly string[];
  onFilter: OnFilter;
  onSilence: (seed: SilenceSeed) => void;
}) {
  const { t } = useTranslation();
  const link = useLink();
  const condition = conditionOf(alert);
  const name = alert.labels["alertname"] ?? alert.fingerprint;
  const mark = markOfSeverity(alert.labels["severity"]);
  return (
    <li className={classes["alert"]} data-condition={condition}>
      <SeverityMark mark={condition === "active" ? mark : "muted"} text={t(`severity.${mark}`)} word={false} />
      <div className={classes["main"]}>
        <Link to={link(`/alerts/${alert.fingerprint}`)}>{name}</Link>
        <p>{alert.annotations["summary"] ?? alert.annotations["description"]}</p>
        <LabelChips labels={alert.labels} hide={[...hide, "alertname"]} onFilter={onFilter} />
        <AlertMeta alert={alert} />
      </div>
      <Tooltip label={t("alerts.silence")}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t("alerts.silenceAlert", { name })}
          onClick={() => onSilence({ labels: alert.labels })}
        >
          <IconVolumeOff size={16} stroke={1.6} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </li>
  );
}

/** How long, and why it is not on its way when it is not. */
export function AlertMeta({ alert }: { alert: GettableAlert }) {
  const { t } = useTranslation();
  const now = useNow(1000);
  const age = formatMs(Math.max(0, Math.round((now - Date.parse(alert.startsAt)) / 1000) * 1000));
  const short = (ids: readonly string[]) => ids.map((id) => id.slice(0, 8)).join(", ");
  const { silencedBy, inhibitedBy, mutedBy } = alert.status;
  return (
    <span className={classes["meta"]}>
      <time dateTime={alert.startsAt} title={alert.startsAt}>
        {t("alerts.ago", { duration: age })}
      </time>
      {silencedBy.length > 0 && <span>{t("alerts.silencedBy", { ids: short(silencedBy) })}</span>}
      {inhibitedBy.length > 0 && <span>{t("alerts.inhibitedBy", { ids: short(inhibitedBy) })}</span>}
      {mutedBy.length > 0 && <span>{t("alerts.mutedBy", { ids: mutedBy.join(", ") })}</span>}
    </span>
  );
}
