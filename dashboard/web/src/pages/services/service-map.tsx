import "@xyflow/react/dist/style.css";
import { IconCloud, IconDatabase, IconServer2, IconStack2 } from "@tabler/icons-react";
import type { ServiceGraph } from "@tocsin/model";
import { Controls, type Edge, Handle, MarkerType, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import { useMantineColorScheme } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useServiceGraph } from "../../api/services.ts";
import { formatMs, formatRate, formatRatio } from "../../format/quantity.ts";
import { Panel, QueryView } from "../../ui/panel.tsx";
import table from "../../ui/table.module.css";
import { useRange } from "../../url/use-range.ts";
import { useGo, useLink } from "../../url/use-search.ts";
import { layoutMap } from "./map-layout.ts";
import classes from "./services-page.module.css";

type MapNode = Node<ServiceGraph["nodes"][number] & { direction: "across" | "down" }, "service">;

/** Error ratio from which a node or an edge counts as troubled. */
const TROUBLED = 0.05;

const ICONS = { service: IconServer2, external: IconCloud, database: IconDatabase, queue: IconStack2 } as const;

/** Who calls whom, as a picture and as the same facts in a table. */
export function ServiceMap() {
  const { t } = useTranslation();
  const { range } = useRange();
  const graph = useServiceGraph(range);
  return (
    <QueryView
      query={graph}
      rows={10}
      isEmpty={({ nodes }) => nodes.length === 0}
      empty={{ title: t("services.mapNone"), why: t("services.mapNoneWhy") }}
    >
      {(data) => (
        <div className={classes["map"]}>
          <Picture graph={data} />
          <EdgeTable graph={data} />
        </div>
      )}
    </QueryView>
  );
}

function Picture({ graph }: { graph: ServiceGraph }) {
  const { t } = useTranslation();
  const go = useGo();
  const { colorScheme } = useMantineColorScheme();
  const direction = useMediaQuery("(max-width: 719px)") ? "down" : "across";
  const { nodes, edges } = useMemo(() => flowOf(graph, direction), [graph, direction]);
  return (
    <div
      className={classes["canvas"]}
      role="group"
      aria-label={t("services.mapLabel", { services: graph.nodes.length, edges: graph.edges.length })}
    >
      <ReactFlow
        key={direction + nodes.map(({ id }) => id).join()}
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        colorMode={colorScheme === "auto" ? "system" : colorScheme}
        fitView
        fitViewOptions={{ padding: 0.08, maxZoom: 1.1 }}
        minZoom={0.2}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        proOptions={{ hideAttribution: true }}
        onNodeClick={(_, node) => {
          if (node.data.kind === "service") go(`/services/${encodeURIComponent(node.id)}`);
        }}
      >
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}

function flowOf(graph: ServiceGraph, direction: "across" | "down"): { nodes: MapNode[]; edges: Edge[] } {
  const places = layoutMap(graph, direction);
  return {
    nodes: graph.nodes.map((node) => ({
      id: node.name,
      type: "service" as const,
      position: places.get(node.name) ?? { x: 0, y: 0 },
      data: { ...node, direction },
    })),
    edges: graph.edges.map(({ source, target, rate, errorRatio, p95Ms }) => {
      const colour = errorRatio >= TROUBLED ? "var(--tc-critical)" : "var(--tc-line-strong)";
      return {
        id: `${source}→${target}`,
        source,
        target,
        label:
          errorRatio >= TROUBLED
            ? `${formatRate(rate)} · ${formatRatio(errorRatio)}`
            : `${formatRate(rate)} · ${formatMs(p95Ms)}`,
        style: { stroke: colour, strokeWidth: errorRatio >= TROUBLED ? 2 : 1.25 },
        labelStyle: { fill: "var(--tc-ink-2)", fontSize: 10.5 },
        labelBgStyle: { fill: "var(--tc-bg)" },
        markerEnd: { type: MarkerType.ArrowClosed, color: colour },
      };
    }),
  };
}

function ServiceNode({ data }: NodeProps<MapNode>) {
  const Icon = ICONS[data.kind];
  const across = data.direction === "across";
  return (
    <div className={classes["node"]} data-kind={data.kind} data-errors={data.errorRatio >= TROUBLED}>
      <Handle type="target" position={across ? Position.Left : Position.Top} isConnectable={false} />
      <Icon size={16} stroke={1.6} aria-hidden />
      <strong>{data.name}</strong>
      <span>
        {formatRate(data.rate)} · {formatRatio(data.errorRatio)}
      </span>
      <Handle type="source" position={across ? Position.Right : Position.Bottom} isConnectable={false} />
    </div>
  );
}

const NODE_TYPES = { service: ServiceNode };

function EdgeTable({ graph }: { graph: ServiceGraph }) {
  const { t } = useTranslation();
  const link = useLink();
  const kinds = new Map(graph.nodes.map(({ name, kind }) => [name, kind]));
  const nameCell = (name: string) =>
    kinds.get(name) === "service" ? <Link to={link(`/services/${encodeURIComponent(name)}`)}>{name}</Link> : name;
  return (
    <Panel title={t("services.calls")} flush>
      <table className={table["table"]}>
        <thead>
          <tr>
            <th>{t("services.caller")}</th>
            <th>{t("services.called")}</th>
            <th className={table["num"]}>{t("services.rate")}</th>
            <th className={table["num"]}>{t("services.errors")}</th>
            <th className={table["num"]}>{t("services.p95")}</th>
          </tr>
        </thead>
        <tbody>
          {graph.edges.map(({ source, target, rate, errorRatio, p95Ms }) => (
            <tr key={`${source}→${target}`}>
              <td>{nameCell(source)}</td>
              <td>{nameCell(target)}</td>
              <td className={table["num"]}>{formatRate(rate)}</td>
              <td className={table["num"]}>{formatRatio(errorRatio)}</td>
              <td className={table["num"]}>{formatMs(p95Ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
