import { Button } from "@mantine/core";
import { IconVolumeOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { conditionOf, type GettableAlert, useAlerts } from "../../api/alertmanager.ts";
import { CHANGES, ROUTINE, useDecisions } from "../../api/decisions.ts";
import { type AlertingRule, useAlertingRules } from "../../api/rules.ts";
import { formatMs } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { DecisionList } from "../../ui/decision-list.tsx";
import { mergeDecisions } from "../../ui/fold-decisions.ts";
import { LabelChips } from "../../ui/label-chip.tsx";
import { EmptyState, Panel, QueryView } from "../../ui/panel.tsx";
import { markOfSeverity, SeverityMark } from "../../ui/severity-mark.tsx";
import { useCrumb } from "../../ui/shell/crumb.ts";
import { useNow } from "../../ui/use-now.ts";
import { useGo, useLink } from "../../url/use-search.ts";
import { SilenceDialog } from "../silences/silence-dialog.tsx";
import classes from "./alert-page.module.css";
import { RuleChart } from "./rule-chart.tsx";
import { verdictOf } from "./verdict.ts";

/** One alert: how it stands, whether anybody was told and why, and what to look at next. */
export function Component() {
  const { t } = useTranslation();
  const { fingerprint = "" } = useParams();
  const alerts = useAlerts();
  const alert = alerts.data?.find((each) => each.fingerprint === fingerprint);
  useCrumb(alert?.labels["alertname"]);
  return (
    <div className={classes["page"]}>
      <QueryView query={alerts} rows={3}>
        {() =>
          alert === undefined ? (
            <EmptyState title={t("alert.notHere")} why={t("alert.notHereWhy")} />
          ) : (
            <Head alert={alert} />
          )
        }
      </QueryView>
      <Verdict fingerprint={fingerprint} alert={alert} />
      <div className={classes["columns"]}>
        <div className={classes["column"]}>
          {alert !== undefined && <RulePanel alert={alert} />}
          {alert !== undefined && <Annotations alert={alert} />}
        </div>
        <Timeline fingerprint={fingerprint} />
      </div>
    </div>
  );
}

function Head({ alert }: { alert: GettableAlert }) {
  const { t } = useTranslation();
  const go = useGo();
  const link = useLink();
  const [silencing, setSilencing] = useState(false);
  const service = alert.labels["service"];
  useShortcuts([
    { keys: "s", label: "keys.silence", scope: "page", run: () => setSilencing(true) },
    {
      keys: "l",
      label: "keys.relatedLogs",
      scope: "page",
      run: () => {
        if (service !== undefined) go("/logs", { q: `service:${service}` });
        return service !== undefined;
      },
    },
  ]);
  return (
    <header className={classes["head"]}>
      <div className={classes["title"]}>
        <SeverityMark mark={markOfSeverity(alert.labels["severity"])} text={alert.labels["severity"]} />
        <h2>{alert.annotations["summary"] ?? alert.labels["alertname"]}</h2>
        <Button
          variant="default"
          leftSection={<IconVolumeOff size={14} aria-hidden />}
          onClick={() => setSilencing(true)}
        >
          {t("alerts.silence")}
        </Button>
      </div>
      <StateSentence alert={alert} />
      <LabelChips
        labels={alert.labels}
        hide={["alertname"]}
        onFilter={(name, value) => go("/alerts", { q: `${name}=${JSON.stringify(value)}` })}
      />
      {service !== undefined && (
        <p className={classes["links"]}>
          <Link to={link(`/services/${encodeURIComponent(service)}`)}>{t("alert.service", { service })}</Link>
          <Link to={link("/logs", { q: `service:${service}` })}>{t("alert.relatedLogs", { service })}</Link>
          <Link to={link("/traces", { q: `service:${service} status:error` })}>
            {t("alert.relatedTraces", { service })}
          </Link>
        </p>
      )}
      {silencing && <SilenceDialog seed={{ labels: alert.labels }} onClose={() => setSilencing(false)} />}
    </header>
  );
}

function StateSentence({ alert }: { alert: GettableAlert }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const now = useNow(1000);
  const time = format(alert.startsAt, "dateTime");
  const duration = formatMs(Math.max(0, Math.round((now - Date.parse(alert.startsAt)) / 1000) * 1000));
  const keys = {
    active: "alert.stateFiring",
    silenced: "alert.stateSilenced",
    inhibited: "alert.stateInhibited",
  } as const;
  return <p>{t(keys[conditionOf(alert)], { time, duration })}</p>;
}

/** The one sentence the page is for. */
function Verdict({ fingerprint, alert }: { fingerprint: string; alert: GettableAlert | undefined }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const decisions = useDecisions({ fingerprint, kind: "evaluation,muted,attempt", limit: 100 });
  if (decisions.data === undefined) return null;
  const verdict = verdictOf(decisions.data.items);
  const sentence = () => {
    switch (verdict.status) {
      case "sent":
        return t("alert.verdictSent", { ...verdict.record, time: format(verdict.record.at, "dateTime") });
      case "muted":
        return t("alert.verdictMuted", { sentence: verdict.record.sentence });
      case "failing":
        return t("alert.verdictFailed", { sentence: verdict.record.sentence });
      case "waiting":
        return t("alert.verdictWaiting");
      case "unknown":
        return t("alert.verdictUnknown");
    }
  };
  return (
    <section className={classes["verdict"]} data-status={verdict.status} aria-label={t("alert.verdict")}>
      <strong>{t("alert.verdict")}</strong>
      <p>{sentence()}</p>
      {alert !== undefined && (
        <p className="dim">{t("alert.receivers", { names: alert.receivers.map(({ name }) => name).join(", ") })}</p>
      )}
    </section>
  );
}

function RulePanel({ alert }: { alert: GettableAlert }) {
  const { t } = useTranslation();
  const link = useLink();
  const rules = useAlertingRules();
  const rule = rules.data?.find(({ name }) => name === alert.labels["alertname"]);
  if (rule === undefined) return null;
  return (
    <Panel
      title={t("alert.rule")}
      actions={<Link to={link("/metrics", { e: rule.query })}>{t("alert.generator")}</Link>}
    >
      <div className={classes["rule"]}>
        <Expression rule={rule} />
        <RuleChart rule={rule} labels={alert.labels} />
      </div>
    </Panel>
  );
}

function Expression({ rule }: { rule: AlertingRule }) {
  const { t } = useTranslation();
  return (
    <>
      <pre className={classes["query"]}>{rule.query}</pre>
      <p className="dim">{t("alert.ruleFor", { duration: formatMs(rule.duration * 1000) })}</p>
    </>
  );
}

function Annotations({ alert }: { alert: GettableAlert }) {
  const { t } = useTranslation();
  return (
    <Panel title={t("alert.annotations")}>
      <dl className={classes["annotations"]}>
        {Object.entries(alert.annotations).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {/^https?:\/\//.test(value) ? (
                <a href={value} target="_blank" rel="noreferrer">
                  {value}
                </a>
              ) : (
                value
              )}
            </dd>
          </div>
        ))}
        <div>
          <dt>{t("alert.fingerprint")}</dt>
          <dd className="mono">{alert.fingerprint}</dd>
        </div>
      </dl>
    </Panel>
  );
}

function Timeline({ fingerprint }: { fingerprint: string }) {
  const { t } = useTranslation();
  // Asked for apart, so that an hour of uneventful looks does not push the last message off the page.
  const changes = useDecisions({ fingerprint, kind: CHANGES, limit: 100 });
  const routine = useDecisions({ fingerprint, kind: ROUTINE, limit: 100 });
  return (
    <Panel title={t("alert.timeline")} flush>
      <QueryView
        query={changes}
        rows={8}
        isEmpty={({ items }) => items.length === 0 && routine.data?.items.length === 0}
        empty={{ title: t("alert.timelineNone"), why: t("alert.timelineNoneWhy") }}
      >
        {({ items }) => <DecisionList records={mergeDecisions(items, routine.data?.items ?? [])} showDate />}
      </QueryView>
    </Panel>
  );
}
