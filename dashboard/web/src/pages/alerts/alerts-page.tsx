import { Button, SegmentedControl } from "@mantine/core";
import { IconVolumeOff } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { z } from "zod";
import {
  type AlertCondition,
  type AlertGroup,
  conditionOf,
  type GettableAlert,
  groupId,
  useAlertGroups,
} from "../../api/alertmanager.ts";
import { EmptyState, QueryView } from "../../ui/panel.tsx";
import { QueryBox } from "../../ui/query-box.tsx";
import { useGo, useLink, useSearch } from "../../url/use-search.ts";
import { SilenceDialog, type SilenceSeed } from "../silences/silence-dialog.tsx";
import { filterMatches, parseAlertFilter, withCondition } from "./alert-filter.ts";
import { AlertGroupCard } from "./alert-group-card.tsx";
import { AlertTable } from "./alert-table.tsx";
import classes from "./alerts-page.module.css";

const CONDITIONS: readonly AlertCondition[] = ["active", "silenced", "inhibited"];

const Search = z.object({
  q: z.string().catch(""),
  /** The conditions that are hidden, comma-separated. */
  hide: z.string().catch(""),
  view: z.enum(["groups", "table"]).catch("groups"),
});

/** The alerts as they are routed: one card for each group of each receiver. */
export function Component() {
  const { t } = useTranslation();
  const link = useLink();
  const [search, setSearch] = useSearch(Search);
  const [silencing, setSilencing] = useState<SilenceSeed>();
  const groups = useAlertGroups();
  const filter = useMemo(() => parseAlertFilter(search.q), [search.q]);
  const hidden = search.hide.split(",");
  const addCondition = (name: string, value: string, exclude: boolean) =>
    setSearch({ q: withCondition(search.q, { name, type: exclude ? "!=" : "=", value }) }, "push");
  return (
    <div className={classes["page"]}>
      <div className={classes["bar"]}>
        <QueryBox
          value={search.q}
          onCommit={(q) => setSearch({ q }, "push")}
          label={t("alerts.filter")}
          placeholder={t("alerts.filterPlaceholder")}
          error={filter.bad[0] === undefined ? undefined : t("alerts.filterBad", { token: filter.bad[0] })}
          live
        />
        <SegmentedControl
          size="xs"
          aria-label={t("alerts.view")}
          value={search.view}
          onChange={(view) => setSearch({ view: view === "table" ? "table" : "groups" })}
          data={[
            { value: "groups", label: t("alerts.groups") },
            { value: "table", label: t("alerts.table") },
          ]}
        />
        <Button
          component={Link}
          to={link("/silences")}
          variant="default"
          leftSection={<IconVolumeOff size={14} aria-hidden />}
        >
          {t("alerts.silences")}
        </Button>
      </div>
      <QueryView
        query={groups}
        rows={8}
        isEmpty={(all) => all.length === 0}
        empty={{ title: t("alerts.emptyNone"), why: t("alerts.emptyNoneWhy") }}
      >
        {(all) => {
          const fitting = withAlerts(all, (alert) => filterMatches(filter, alert));
          const shown = withAlerts(fitting, (alert) => !hidden.includes(conditionOf(alert)));
          return (
            <>
              <ConditionToggles
                alerts={distinct(fitting)}
                hidden={hidden}
                onToggle={(hide) => setSearch({ hide: hide.join(",") })}
              />
              {shown.length === 0 && <NothingFits />}
              {search.view === "table" ? (
                <AlertTable alerts={distinct(shown)} onSilence={setSilencing} />
              ) : (
                <div className={classes["groups"]}>
                  {shown.map((group) => (
                    <AlertGroupCard
                      key={groupId(group)}
                      group={group}
                      onFilter={addCondition}
                      onSilence={setSilencing}
                    />
                  ))}
                </div>
              )}
            </>
          );
        }}
      </QueryView>
      {silencing !== undefined && <SilenceDialog seed={silencing} onClose={() => setSilencing(undefined)} />}
    </div>
  );
}

function ConditionToggles({
  alerts,
  hidden,
  onToggle,
}: {
  alerts: readonly GettableAlert[];
  hidden: readonly string[];
  onToggle: (hidden: string[]) => void;
}) {
  const { t } = useTranslation();
  return (
    <div className={classes["conditions"]} role="group" aria-label={t("alerts.states")}>
      {CONDITIONS.map((condition) => {
        const shown = !hidden.includes(condition);
        const count = alerts.filter((alert) => conditionOf(alert) === condition).length;
        const next = CONDITIONS.filter((each) => hidden.includes(each) !== (each === condition));
        return (
          <button key={condition} type="button" aria-pressed={shown} onClick={() => onToggle(next)}>
            {t("alerts.stateCount", { state: t(`alerts.${condition}`), count })}
          </button>
        );
      })}
    </div>
  );
}

function NothingFits() {
  const { t } = useTranslation();
  const [search] = useSearch(Search);
  const go = useGo();
  const states = CONDITIONS.filter((condition) => !search.hide.split(",").includes(condition));
  const words = states.map((condition) => t(`alerts.${condition}`).toLowerCase());
  return (
    <EmptyState
      title={t("alerts.empty")}
      why={t("alerts.emptyWhy", { states: words.join(", ") || t("state.none") })}
      action={
        <Button variant="default" onClick={() => go("/alerts")}>
          {t("state.clearFilter")}
        </Button>
      }
    />
  );
}

/** The groups with only the alerts that pass; groups left without any are gone. */
function withAlerts(groups: readonly AlertGroup[], passes: (alert: GettableAlert) => boolean): AlertGroup[] {
  return groups
    .map((group) => ({ ...group, alerts: group.alerts.filter(passes) }))
    .filter((group) => group.alerts.length > 0);
}

/** Every alert once, though it may go to several receivers. */
function distinct(groups: readonly AlertGroup[]): GettableAlert[] {
  return [...new Map(groups.flatMap((group) => group.alerts).map((alert) => [alert.fingerprint, alert])).values()];
}
