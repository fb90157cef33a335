import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { conditionOf, type GettableAlert, isWatchdog, useAlerts } from "../../api/alertmanager.ts";
import { useAlertingRules } from "../../api/rules.ts";
import { formatMs } from "../../format/quantity.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { EmptyState, Panel, QueryView } from "../../ui/panel.tsx";
import { markOfSeverity, SeverityMark } from "../../ui/severity-mark.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useLink } from "../../url/use-search.ts";
import classes from "./now-page.module.css";

const SEVERITIES = ["critical", "warning", "info"] as const;
const SHOWN = 6;

/** What fires, by severity, worst and newest first. */
export function FiringPanel() {
  const { t } = useTranslation();
  const link = useLink();
  const alerts = useAlerts();
  const rules = useAlertingRules();
  const active = byUrgency(
    (alerts.data ?? []).filter((alert) => conditionOf(alert) === "active" && !isWatchdog(alert)),
  );
  useFiringCycle(active);
  return (
    <Panel title={t("now.firing")} flush actions={<Link to={link("/alerts")}>{t("now.allAlerts")}</Link>}>
      <QueryView query={alerts}>
        {(all) => {
          const count = (condition: string) => all.filter((alert) => conditionOf(alert) === condition).length;
          const pending = (rules.data ?? []).flatMap((rule) => rule.alerts.filter(({ state }) => state === "pending"));
          return (
            <>
              <SeverityCounts active={active} />
              {active.length === 0 ? (
                <EmptyState
                  title={t("now.firingNone")}
                  why={t("now.firingNoneWhy", { rules: rules.data?.length ?? 0 })}
                />
              ) : (
                <ul className={classes["alerts"]}>
                  {active.slice(0, SHOWN).map((alert) => (
                    <FiringRow key={alert.fingerprint} alert={alert} />
                  ))}
                </ul>
              )}
              <div className={classes["aside"]}>
                {active.length > SHOWN && (
                  <Link to={link("/alerts")}>{t("now.moreFiring", { count: active.length - SHOWN })}</Link>
                )}
                <span>{t("now.pendingCount", { count: pending.length })}</span>
                <span>{t("now.silencedCount", { count: count("silenced") })}</span>
                <span>{t("now.inhibitedCount", { count: count("inhibited") })}</span>
                <Watchdog alerts={all} rules={rules.data ?? []} />
              </div>
            </>
          );
        }}
      </QueryView>
    </Panel>
  );
}

/** Whether the alert that always fires still arrives; nothing where no rule makes one. */
function Watchdog({ alerts, rules }: { alerts: readonly GettableAlert[]; rules: readonly { name: string }[] }) {
  const { t } = useTranslation();
  if (!rules.some(({ name }) => name === "Watchdog")) return null;
  const arrives = alerts.some(isWatchdog);
  return (
    <span className={classes["watchdog"]}>
      <SeverityMark
        mark={arrives ? "ok" : "critical"}
        text={arrives ? t("now.watchdogOk") : t("now.watchdogMissing")}
      />
    </span>
  );
}

function SeverityCounts({ active }: { active: readonly GettableAlert[] }) {
  const { t } = useTranslation();
  const link = useLink();
  return (
    <div className={classes["severities"]}>
      {SEVERITIES.map((severity) => {
        const count = active.filter((alert) => markOfSeverity(alert.labels["severity"]) === severity).length;
        return (
          <Link
            key={severity}
            to={link("/alerts", { q: `severity=${severity}` })}
            className={classes["severity"]}
            data-zero={count === 0}
            aria-label={t("now.severityCount", { severity: t(`severity.${severity}`), count })}
          >
            <strong>{count}</strong>
            <SeverityMark mark={severity} />
          </Link>
        );
      })}
    </div>
  );
}

function FiringRow({ alert }: { alert: GettableAlert }) {
  const { t } = useTranslation();
  const link = useLink();
  const now = useNow(1000);
  const age = formatMs(Math.max(0, Math.round((now - Date.parse(alert.startsAt)) / 1000) * 1000));
  const mark = markOfSeverity(alert.labels["severity"]);
  return (
    <li>
      <Link to={link(`/alerts/${alert.fingerprint}`)}>
        <SeverityMark mark={mark} word={false} />
        <span>
          <strong>{alert.labels["alertname"]}</strong>
          <p className="dim">{alert.annotations["summary"] ?? alert.labels["service"]}</p>
        </span>
        <span className={classes["age"]}>
          {t("now.since", { duration: age })}
          <span>{t(`severity.${mark}`)}</span>
        </span>
      </Link>
    </li>
  );
}

function byUrgency(alerts: readonly GettableAlert[]): GettableAlert[] {
  const rank = (alert: GettableAlert) => SEVERITIES.indexOf(markOfSeverity(alert.labels["severity"]));
  return alerts.toSorted((a, b) => rank(a) - rank(b) || Date.parse(b.startsAt) - Date.parse(a.startsAt));
}

/** `n` opens the firing alerts one after the other. */
function useFiringCycle(active: readonly GettableAlert[]): void {
  const navigate = useNavigate();
  const link = useLink();
  useShortcuts([
    {
      keys: "n",
      label: "keys.nextFiring",
      scope: "page",
      run: () => {
        const first = active[0];
        if (first !== undefined) void navigate(link(`/alerts/${first.fingerprint}`));
        return first !== undefined;
      },
    },
  ]);
}
