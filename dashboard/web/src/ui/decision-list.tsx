import type { DecisionRecord } from "@tocsin/model";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { formatMs, formatNumber } from "../format/quantity.ts";
import { useFormatTime } from "../format/time.ts";
import classes from "./decision-list.module.css";
import { foldDecisions } from "./fold-decisions.ts";
import { type Mark, SeverityMark } from "./severity-mark.tsx";

/** What was decided in a few words, in the reader's language; the record's own sentence gives the reason. */
export function decisionTitle(record: DecisionRecord, t: TFunction): string {
  switch (record.kind) {
    case "evaluation":
      return t(`decision.toState.${record.to}`, { rule: record.rule });
    case "rule_error":
      return t("decision.ruleError", { rule: record.rule });
    case "routed":
      return t("decision.routedTo", { receivers: record.routes.map(({ receiver }) => receiver).join(", ") });
    case "flush":
      return t("decision.flushed", {
        receiver: record.receiver,
        firing: record.firing.length,
        resolved: record.resolved.length,
      });
    case "muted":
      return t(`decision.mutedBy.${record.reason}`, { receiver: record.receiver });
    case "dedup":
      return t(record.notify ? "decision.dedupSend" : "decision.dedupSkip", {
        receiver: record.receiver,
        integration: record.integration,
      });
    case "attempt":
      return t(`decision.outcome.${record.outcome}`, { receiver: record.receiver, integration: record.integration });
  }
}

/** The mark that says at a glance how the decision went. */
export function decisionMark(record: DecisionRecord): Mark {
  switch (record.kind) {
    case "evaluation":
      return record.to === "firing" ? "critical" : record.to === "pending" ? "pending" : "ok";
    case "rule_error":
      return "critical";
    case "muted":
      return "muted";
    case "dedup":
      return record.notify ? "info" : "muted";
    case "attempt":
      return record.outcome === "sent" ? "ok" : record.outcome === "retry" ? "warning" : "critical";
    case "routed":
    case "flush":
      return "info";
  }
}

/** Decisions down a time line, newest first; what repeats itself stands once. */
export function DecisionList({
  records,
  most = Infinity,
  showDate = false,
}: {
  records: readonly DecisionRecord[];
  most?: number;
  showDate?: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormatTime();
  return (
    <ol className={classes["list"]}>
      {foldDecisions(records)
        .slice(0, most)
        .map(({ record, count, since }) => (
          <li key={record.id}>
            <time dateTime={record.at} title={record.at} className="mono dim">
              {format(record.at, showDate ? "dateTime" : "time")}
            </time>
            <SeverityMark mark={decisionMark(record)} text={t(`decision.${record.kind}`)} word={false} />
            <div>
              <div className={classes["title"]}>
                {decisionTitle(record, t)}
                <Facts record={record} />
                {count > 1 && (
                  <span className={classes["fact"]}>{t("decision.repeated", { count, time: format(since) })}</span>
                )}
              </div>
              <p className="dim">{record.sentence}</p>
            </div>
          </li>
        ))}
    </ol>
  );
}

function Facts({ record }: { record: DecisionRecord }) {
  const { t } = useTranslation();
  const facts: string[] = [];
  if (record.kind === "evaluation" && record.value !== null)
    facts.push(t("decision.value", { value: formatNumber(record.value) }));
  if (record.kind === "attempt" && record.attempt > 1)
    facts.push(t("decision.attemptNumber", { attempt: record.attempt }));
  if (record.kind === "attempt" && record.responseMs !== undefined)
    facts.push(t("decision.response", { duration: formatMs(record.responseMs) }));
  return facts.map((fact) => (
    <span key={fact} className={classes["fact"]}>
      {fact}
    </span>
  ));
}
