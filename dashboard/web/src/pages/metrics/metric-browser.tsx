import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMetadata } from "../../api/prometheus.ts";
import { QueryView } from "../../ui/panel.tsx";
import classes from "./metrics-page.module.css";

const MOST = 300;

/** Every metric with type and help; a press asks for it. */
export function MetricBrowser({ onPick }: { onPick: (name: string, type: string) => void }) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState("");
  const metadata = useMetadata();
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return (
    <aside className={classes["browser"]} aria-label={t("metrics.browse")}>
      <TextInput
        size="xs"
        aria-label={t("metrics.filter")}
        placeholder={t("metrics.filter")}
        leftSection={<IconSearch size={14} aria-hidden />}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
      />
      <QueryView
        query={metadata}
        rows={8}
        isEmpty={(all) => Object.keys(all).length === 0}
        empty={{ title: t("metrics.noMetrics"), why: t("metrics.noMetricsWhy") }}
      >
        {(all) => {
          const fitting = Object.entries(all)
            .map(([name, [first]]) => ({ name, type: first?.type ?? "unknown", help: first?.help ?? "" }))
            .filter(({ name, help }) => words.every((word) => `${name} ${help}`.toLowerCase().includes(word)))
            .sort((a, b) => (a.name < b.name ? -1 : 1));
          return (
            <>
              <ul>
                {fitting.slice(0, MOST).map(({ name, type, help }) => (
                  <li key={name}>
                    <button type="button" title={help} onClick={() => onPick(name, type)}>
                      <span className={classes["metric"]}>{name}</span>
                      <span className="dim">{type}</span>
                      <span className={classes["help"]}>{help}</span>
                    </button>
                  </li>
                ))}
              </ul>
              <p className={classes["count"]}>
                {t("metrics.found", { shown: Math.min(MOST, fitting.length), count: fitting.length })}
              </p>
            </>
          );
        }}
      </QueryView>
    </aside>
  );
}
