import type { DrillRun } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { isUnderWay } from "../../api/drills.ts";
import { formatMs } from "../../format/quantity.ts";
import { useNow } from "../../ui/use-now.ts";
import classes from "./break-panel.module.css";
import { stepsOf, timerStart } from "./drill-steps.ts";

/** The way from the fault to the message, each step with the seconds it took, and a clock on the one that is awaited. */
export function DrillStrip({ title, run }: { title: string; run: DrillRun }) {
  const { t } = useTranslation();
  const running = isUnderWay(run);
  const now = useNow(100, running);
  const elapsed = formatMs(Math.max(0, Math.floor((now - timerStart(run)) / 100) * 100));
  return (
    <ol className={classes["strip"]} aria-label={t("drill.steps", { title })}>
      {stepsOf(run).map(({ name, status, elapsedMs, detail }) => (
        <li key={name} data-status={status} aria-current={status === "running" ? "step" : undefined} title={detail}>
          <span className={classes["bar"]} aria-hidden="true" />
          <span className={classes["name"]}>{t(`drill.step.${name}`)}</span>
          {status === "done" && elapsedMs !== null && (
            <span className={classes["time"]}>
              <span className="visuallyHidden">{t("drill.done")}</span> {formatMs(elapsedMs)}
            </span>
          )}
          {status === "done" && elapsedMs === null && <span className={classes["time"]}>{t("drill.done")}</span>}
          {status === "running" && (
            <span className={classes["time"]}>
              <span className="visuallyHidden">{t("drill.running")}</span>
              <span aria-hidden="true">{elapsed}</span>
            </span>
          )}
          {status === "waiting" && <span className={classes["time"]}>{t("drill.waiting")}</span>}
        </li>
      ))}
    </ol>
  );
}
