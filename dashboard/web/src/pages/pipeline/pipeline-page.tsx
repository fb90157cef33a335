import type { PipelineStatus } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { usePipeline, useRejects } from "../../api/pipeline.ts";
import { formatBytes, formatMs, formatNumber } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { Panel, QueryView } from "../../ui/panel.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import table from "../../ui/table.module.css";
import { useNow } from "../../ui/use-now.ts";
import classes from "./pipeline-page.module.css";

type SignalStatus = PipelineStatus["signals"][number];
const STAGES = ["received", "rejected", "queued", "written", "deadLettered"] as const;

/** What came in, what was stored, and what was not and why. */
export function Component() {
  const { t } = useTranslation();
  const pipeline = usePipeline();
  return (
    <div className={classes["page"]}>
      <Panel title={t("pipeline.stages")} flush>
        <QueryView query={pipeline}>{(status) => <Stages status={status} />}</QueryView>
      </Panel>
      <Rejects />
    </div>
  );
}

function Stages({ status }: { status: PipelineStatus }) {
  const { t } = useTranslation();
  const now = useNow(10_000);
  const kept = (signal: string) => {
    const oldest = status.oldest[signal];
    return oldest === null || oldest === undefined ? "–" : formatMs(now - Date.parse(oldest));
  };
  return (
    <>
      <div className={classes["scroll"]} tabIndex={0} role="region" aria-label={t("pipeline.stages")}>
        <table className={table["table"]}>
          <thead>
            <tr>
              <th>{t("pipeline.signal")}</th>
              {STAGES.map((stage) => (
                <th key={stage} className={table["num"]}>
                  {t(`pipeline.${stage}`)}
                </th>
              ))}
              <th className={table["num"]}>{t("pipeline.dropped")}</th>
              <th className={table["num"]}>{t("pipeline.kept")}</th>
            </tr>
          </thead>
          <tbody>
            {status.signals.map((signal) => (
              <tr key={signal.signal}>
                <td>{t(`pipeline.signals.${signal.signal}`)}</td>
                {STAGES.map((stage) => (
                  <td key={stage} className={table["num"]}>
                    {formatNumber(signal[stage])}
                  </td>
                ))}
                <td className={table["num"]}>
                  <Dropped signal={signal} />
                </td>
                <td className={table["num"]}>{kept(signal.signal)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={classes["note"]}>{t("pipeline.bytes", { size: formatBytes(status.bytes) })}</p>
    </>
  );
}

function Dropped({ signal }: { signal: SignalStatus }) {
  const reasons = Object.entries(signal.dropped).filter(([, count]) => count > 0);
  if (reasons.length === 0) return <span className="dim">0</span>;
  return (
    <SeverityMark
      mark="warning"
      text={reasons.map(([reason, count]) => `${formatNumber(count)} ${reason}`).join(", ")}
    />
  );
}

function Rejects() {
  const { t } = useTranslation();
  const format = useFormatTime();
  const rejects = useRejects();
  return (
    <Panel title={t("pipeline.rejects")} flush>
      <QueryView
        query={rejects}
        isEmpty={({ items }) => items.length === 0}
        empty={{ title: t("pipeline.rejectsNone"), why: t("pipeline.rejectsNoneWhy") }}
      >
        {({ items }) => (
          <ul className={classes["rejects"]}>
            {items.map((item) => (
              <li key={`${item.at}${item.source}${item.excerpt}`}>
                <span>
                  <time dateTime={item.at} className="mono dim">
                    {format(item.at, "dateTime")}
                  </time>{" "}
                  <strong>{item.signal}</strong> {item.reason}
                </span>
                <span className="dim">
                  {item.source} · {formatBytes(item.bytes)}
                </span>
                <code className={classes["excerpt"]}>{item.excerpt}</code>
              </li>
            ))}
          </ul>
        )}
      </QueryView>
    </Panel>
  );
}
