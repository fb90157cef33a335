import type { DrillList } from "@tocsin/model";
import { Button } from "@mantine/core";
import { IconBolt, IconMail, IconRestore } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError } from "../../api/client.ts";
import { isUnderWay, useDrillAction, useDrills } from "../../api/drills.ts";
import { useInbox } from "../../api/inbox.ts";
import { formatMs } from "../../format/quantity.ts";
import { Panel, QueryView } from "../../ui/panel.tsx";
import { useLink } from "../../url/use-search.ts";
import classes from "./break-panel.module.css";
import { DrillStrip } from "./drill-strip.tsx";

type Drill = DrillList["items"][number];

/** Real faults to press, and what follows from each, step by step. Not there at all when the platform runs without the demo. */
export function BreakPanel() {
  const { t } = useTranslation();
  const drills = useDrills();
  if (drills.error instanceof ApiError && drills.error.status === 404) return null;
  return (
    <Panel title={t("drill.title")} flush>
      <QueryView
        query={drills}
        isEmpty={({ items }) => items.length === 0}
        empty={{ title: t("drill.none"), why: t("drill.noneWhy") }}
      >
        {({ items }) => (
          <>
            <p className={classes["lead"]}>{t("drill.lead")}</p>
            <ul className={classes["drills"]}>
              {items.map((drill) => (
                <DrillRow key={drill.name} drill={drill} />
              ))}
            </ul>
          </>
        )}
      </QueryView>
    </Panel>
  );
}

function DrillRow({ drill }: { drill: Drill }) {
  const { t } = useTranslation();
  const action = useDrillAction(drill.name);
  const { run, title } = drill;
  const broken = run?.state === "breaking" || run?.state === "sent";
  return (
    <li data-state={run?.state}>
      <div className={classes["head"]}>
        <div>
          <h3>{title}</h3>
          <p className="dim">{drill.description}</p>
          <p className="dim">{t("drill.expects", { alert: drill.alert })}</p>
        </div>
        {broken ? (
          <Button
            variant="default"
            loading={action.isPending}
            leftSection={<IconRestore size={14} aria-hidden />}
            aria-label={t("drill.unbreakNamed", { title })}
            onClick={() => action.mutate("unbreak")}
          >
            {t("drill.unbreak")}
          </Button>
        ) : (
          <Button
            color="alarm"
            variant={run?.state === "resolving" ? "default" : "outline"}
            loading={action.isPending}
            disabled={run?.state === "resolving"}
            leftSection={<IconBolt size={14} aria-hidden />}
            aria-label={t("drill.breakNamed", { title })}
            onClick={() => action.mutate("break")}
          >
            {t("drill.break")}
          </Button>
        )}
      </div>
      {action.error !== null && (
        <p role="alert" className={classes["error"]}>
          {t("drill.requestFailed", { title, message: action.error.message })}
        </p>
      )}
      {run !== null && <DrillStrip title={title} run={run} />}
      {run !== null && <RunFoot run={run} alert={drill.alert} />}
    </li>
  );
}

function RunFoot({ run, alert }: { run: NonNullable<Drill["run"]>; alert: string }) {
  const { t } = useTranslation();
  const link = useLink();
  const message = useDrillMessage(run.messages, alert);
  const reached = run.steps.findLast(({ elapsedMs }) => elapsedMs !== null);
  return (
    <div className={classes["foot"]}>
      <span role="status">
        {run.error !== undefined
          ? t("drill.failed", { message: run.error })
          : isUnderWay(run) || reached === undefined || reached.elapsedMs === null
            ? t(`drill.state.${run.state}`)
            : t("drill.took", { step: t(`drill.step.${reached.name}`), duration: formatMs(reached.elapsedMs) })}
      </span>
      {message !== undefined && (
        <Link to={link(`/inbox/${encodeURIComponent(message)}`)}>
          <IconMail size={14} stroke={1.6} aria-hidden />
          {t("drill.message", { count: run.messages.length })}
        </Link>
      )}
    </div>
  );
}

/** The newest e-mail about the drill's own alert, else the newest of its messages. */
function useDrillMessage(ids: readonly string[], alert: string): string | undefined {
  const { data } = useInbox();
  const mails = (data?.items ?? []).filter(({ id, kind }) => kind === "email" && ids.includes(id));
  return mails.find(({ subject }) => subject.includes(alert))?.id ?? mails[0]?.id ?? ids.at(-1);
}
