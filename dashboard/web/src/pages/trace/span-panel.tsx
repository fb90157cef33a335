import { Tabs } from "@mantine/core";
import { nanoToMs } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { formatMs } from "../../format/quantity.ts";
import { useFormatTime } from "../../format/time.ts";
import { AttributeTable } from "../../ui/attribute-table.tsx";
import { SeverityMark } from "../../ui/severity-mark.tsx";
import { SidePanel } from "../../ui/side-panel.tsx";
import { useLink } from "../../url/use-search.ts";
import classes from "./span-panel.module.css";
import type { SpanNode, TraceTree } from "./span-tree.ts";

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;

/** One span, whole: times, attributes, events, links, and the resource it came from. */
export function SpanPanel({ node, tree, onClose }: { node: SpanNode; tree: TraceTree; onClose: () => void }) {
  const { t } = useTranslation();
  const link = useLink();
  const { span } = node;
  const facts = {
    [t("trace.service")]: node.service,
    [t("traces.duration")]: formatMs(node.durationMs),
    [t("trace.selfTime")]: formatMs(node.selfMs),
    [t("trace.startsAfter")]: formatMs(node.startMs),
    [t("trace.kind")]: t(`trace.kinds.${KINDS[span.kind]}`),
    [t("trace.spanId")]: span.spanId,
    [t("trace.scope")]: span.scope.name,
  };
  return (
    <SidePanel title={span.name} onClose={onClose}>
      {node.error && (
        <p className={classes["error"]}>
          <SeverityMark mark="critical" text={t("trace.error")} /> {span.status.message}
        </p>
      )}
      {node.orphan && <p className={classes["error"]}>{t("trace.orphan", { parent: span.parentSpanId })}</p>}
      <dl className={classes["facts"]}>
        {Object.entries(facts).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className={classes["links"]}>
        <Link to={link(`/services/${encodeURIComponent(node.service)}`)}>
          {t("alert.service", { service: node.service })}
        </Link>
        <Link to={link("/logs", { q: `span:${span.spanId}` })}>{t("trace.spanLogs")}</Link>
      </p>
      <Tabs defaultValue="attributes" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="attributes">{t("logs.attributes")}</Tabs.Tab>
          <Tabs.Tab value="events">{t("trace.events", { count: span.events.length })}</Tabs.Tab>
          <Tabs.Tab value="resource">{t("logs.resource")}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="attributes">
          <AttributeTable attributes={span.attributes} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          <Events node={node} tree={tree} />
        </Tabs.Panel>
        <Tabs.Panel value="resource">
          <AttributeTable attributes={span.resource.attributes} />
        </Tabs.Panel>
      </Tabs>
    </SidePanel>
  );
}

function Events({ node, tree }: { node: SpanNode; tree: TraceTree }) {
  const { t } = useTranslation();
  const format = useFormatTime();
  const { events } = node.span;
  if (events.length === 0) return <p className={classes["none"]}>{t("state.none")}</p>;
  return events.map((event, index) => (
    <section key={index} className={classes["event"]}>
      <h3>
        {event.name}
        <span className="dim" title={format(nanoToMs(event.timeUnixNano), "millis")}>
          {t("trace.afterStart", { duration: formatMs(Number(event.timeUnixNano - tree.startNano) / 1e6) })}
        </span>
      </h3>
      <AttributeTable attributes={event.attributes} />
    </section>
  ));
}
