import { ActionIcon } from "@mantine/core";
import { IconVolumeOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { conditionOf, type GettableAlert } from "../../api/alertmanager.ts";
import { useRowKeys } from "../../keys/use-row-keys.ts";
import { markOfSeverity, SeverityMark } from "../../ui/severity-mark.tsx";
import table from "../../ui/table.module.css";
import { useGo, useLink } from "../../url/use-search.ts";
import type { SilenceSeed } from "../silences/silence-dialog.tsx";
import { AlertMeta } from "./alert-group-card.tsx";
import classes from "./alerts-page.module.css";

/** Every alert on one line. */
export function AlertTable({
  alerts,
  onSilence,
}: {
  alerts: readonly GettableAlert[];
  onSilence: (seed: SilenceSeed) => void;
}) {
  const { t } = useTranslation();
  const link = useLink();
  const go = useGo();
  const [row] = useRowKeys(alerts.length, {
    onOpen: (index) => go(`/alerts/${alerts[index]?.fingerprint ?? ""}`),
  });
  if (alerts.length === 0) return null;
  return (
    <div className={classes["scroll"]} tabIndex={0} role="region" aria-label={t("nav.alerts")}>
      <table className={table["table"]}>
        <thead>
          <tr>
            <th>{t("alerts.severity")}</th>
            <th>{t("alerts.name")}</th>
            <th>{t("alerts.summary")}</th>
            <th>{t("alerts.receiver")}</th>
            <th>{t("alerts.state")}</th>
            <th>{t("alerts.started")}</th>
            <th>
              <span className="visuallyHidden">{t("alerts.silence")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {alerts.map((alert, index) => {
            const name = alert.labels["alertname"] ?? alert.fingerprint;
            return (
              <tr key={alert.fingerprint} data-focused={index === row}>
                <td>
                  <SeverityMark mark={markOfSeverity(alert.labels["severity"])} />
                </td>
                <td>
                  <Link to={link(`/alerts/${alert.fingerprint}`)}>{name}</Link>
                </td>
                <td>{alert.annotations["summary"]}</td>
                <td>{alert.receivers.map((receiver) => receiver.name).join(", ")}</td>
                <td>{t(`alerts.${conditionOf(alert)}`)}</td>
                <td>
                  <AlertMeta alert={alert} />
                </td>
                <td className={table["num"]}>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t("alerts.silenceAlert", { name })}
                    onClick={() => onSilence({ labels: alert.labels })}
                  >
                    <IconVolumeOff size={16} stroke={1.6} aria-hidden />
                  </ActionIcon>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
