import { Tabs } from "@mantine/core";
import type { LogItem } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useLogsAround } from "../../api/logs.ts";
import { useFormatTime } from "../../format/time.ts";
import { AttributeTable } from "../../ui/attribute-table.tsx";
import { JsonView } from "../../ui/json-view.tsx";
import { QueryView } from "../../ui/panel.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import { SidePanel } from "../../ui/side-panel.tsx";
import { useLink } from "../../url/use-search.ts";
import { LEVEL_MARKS } from "./level.ts";
import classes from "./log-panel.module.css";

const TAB_KEY = "tocsin.logs.tab";
/** Records shown on each side of the one in question. */
const NEIGHBOURS = 50;

/** One record, whole; it opens on the tab that was open last. */
export function LogPanel({
  item,
  onClose,
  onFilter,
}: {
  item: LogItem;
  onClose: () => void;
  onFilter: (key: string, value: string, exclude: boolean) => void;
}) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const link = useLink();
  return (
    <SidePanel
      onClose={onClose}
      title={
        <span className={classes["title"]}>
          <SeverityMark mark={LEVEL_MARKS[item.severity]} text={t(`logs.level.${item.severity}`)} />
          <span>{item.service}</span>
          <time dateTime={item.time} title={item.time} className="dim">
            {format(item.time, "millis")}
          </time>
        </span>
      }
    >
      <p className={classes["message"]}>{item.message}</p>
      {item.traceId !== "" && (
        <p className={classes["links"]}>
          <Link to={link(`/trace/${item.traceId}`, { span: item.spanId })}>{t("logs.toTrace")}</Link>
          <Link to={link("/logs", { q: `trace:${item.traceId}` })}>{t("logs.sameTrace")}</Link>
        </p>
      )}
      <Tabs
        keepMounted={false}
        defaultValue={localStorage.getItem(TAB_KEY) ?? "attributes"}
        onChange={(tab) => localStorage.setItem(TAB_KEY, tab ?? "attributes")}
      >
        <Tabs.List>
          <Tabs.Tab value="attributes">{t("logs.attributes")}</Tabs.Tab>
          <Tabs.Tab value="json">JSON</Tabs.Tab>
          <Tabs.Tab value="around">{t("logs.around")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="attributes">
          <AttributeTable attributes={item.attributes} onFilter={onFilter} />
          <h3 className={classes["heading"]}>{t("logs.resource")}</h3>
          <AttributeTable attributes={item.resource} prefix="resource." onFilter={onFilter} />
        </Tabs.Panel>
        <Tabs.Panel value="json">
          <JsonView value={item} />
        </Tabs.Panel>
        <Tabs.Panel value="around">
          <Around item={item} />
        </Tabs.Panel>
      </Tabs>
    </SidePanel>
  );
}

/** What the same service said just before and after. */
function Around({ item }: { item: LogItem }) {
  const format = useFormatTime();
  const around = useLogsAround(item);
  return (
    <QueryView query={around} rows={8}>
      {({ items }) => {
        const here = items.findIndex(({ id }) => id === item.id);
        const shown = items.slice(Math.max(0, here - NEIGHBOURS), Math.max(0, here) + NEIGHBOURS + 1);
        return (
          <ol className={classes["around"]}>
            {shown.map((each) => (
              <li key={each.id} aria-current={each.id === item.id ? "true" : undefined}>
                <time dateTime={each.time}>{format(each.time, "millis")}</time>
                <span>{each.message}</span>
              </li>
            ))}
          </ol>
        );
      }}
    </QueryView>
  );
}
