import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type DataSourceRef,
  DashboardLinkBuilder,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as Heatmap,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries";

/** The board's own choice of Prometheus: any server with its HTTP API, Tocsin's among them. */
export const PROMETHEUS: DataSourceRef = { type: "prometheus", uid: "${datasource}" };

/** The range that the board shows, as parameters of a Tocsin page. */
export const SAME_RANGE = "from=${__from:date:iso}&to=${__to:date:iso}";

/** Grafana's unit ids, https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit */
export type Unit = "short" | "percentunit" | "s" | "bytes" | "reqps" | "cps" | "dateTimeFromNow" | "bool_yes_no";

export interface Query {
  readonly expr: string;
  /** With `{{label}}` for values of labels. */
  readonly legend: string;
}

export interface Size {
  /** Columns of 24. */
  readonly width?: number;
  readonly height?: number;
}

export interface GraphOptions extends Size {
  readonly about?: string;
  readonly unit: Unit;
  readonly stacked?: boolean;
  readonly max?: number;
  /** Dots that lead to the trace of one measured request. */
  readonly exemplars?: boolean;
  /** How far apart the samples are, when it is not the scrape interval; windows of rates follow it. */
  readonly step?: string;
  /** Draws a line at a limit and colours what is above it. */
  readonly limit?: number;
  /** A page of Tocsin that shows more of this, as a path with its own parameters. */
  readonly page?: string;
}

export interface NumberOptions extends Size {
  readonly about?: string;
  readonly unit: Unit;
  readonly decimals?: number;
  /** Yellow from the first, red from the second; downwards when the second is the smaller one. */
  readonly warnAt?: readonly [number, number];
  readonly plain?: boolean;
}

export interface Column {
  readonly title: string;
  readonly unit: Unit;
  readonly expr: string;
}

/** Lines over time. */
export function graph(title: string, queries: readonly Query[], options: GraphOptions): Builder<Panel> {
  const panel = new TimeSeries()
    .title(title)
    .datasource(PROMETHEUS)
    .span(options.width ?? 12)
    .height(options.height ?? 8)
    .unit(options.unit)
    .min(0)
    .lineWidth(1)
    .fillOpacity(options.stacked === true ? 30 : 8)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(queries.map((query, i) => rangeQuery(query, i, options)));
  if (options.about !== undefined) panel.description(options.about);
  if (options.max !== undefined) panel.max(options.max);
  if (options.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group("A"));
  if (options.limit !== undefined) panel.thresholds(steps([[options.limit, "red"]])).axisSoftMax(options.limit);
  if (options.page !== undefined) panel.links([tocsinLink("Open in Tocsin", options.page)]);
  return panel;
}

/** One number that says how it is now. */
export function number(title: string, expr: string, options: NumberOptions): Builder<Panel> {
  const panel = new Stat()
    .title(title)
    .datasource(PROMETHEUS)
    .span(options.width ?? 4)
    .height(options.height ?? 4)
    .unit(options.unit)
    .colorMode(options.warnAt === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .graphMode(options.plain === true ? BigValueGraphMode.None : BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .withTarget(options.plain === true ? instantQuery({ expr, legend: "" }, 0) : rangeQuery({ expr, legend: "" }, 0));
  if (options.about !== undefined) panel.description(options.about);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.warnAt !== undefined) panel.thresholds(warningSteps(options.warnAt));
  return panel;
}

/** How a histogram's values are spread over time. */
export function heatmap(title: string, expr: string, options: Size & { about?: string; unit: Unit }): Builder<Panel> {
  const panel = new Heatmap()
    .title(title)
    .datasource(PROMETHEUS)
    .span(options.width ?? 12)
    .height(options.height ?? 8)
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(options.unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme("Oranges").steps(64))
    .withTarget(rangeQuery({ expr, legend: "{{le}}" }, 0, { exemplars: true }).format(PromQueryFormat.Heatmap));
  if (options.about !== undefined) panel.description(options.about);
  return panel;
}

/** A row for each value of `by`, a column for each query; the first column leads to `page` of Tocsin when there is one. */
export function table(
  title: string,
  by: readonly { label: string; title: string; page?: string }[],
  columns: readonly Column[],
  options: Size & { about?: string } = {},
): Builder<Panel> {
  const names = columns.map((_, i) => `Value #${refId(i)}`);
  const panel = new Table()
    .title(title)
    .datasource(PROMETHEUS)
    .span(options.width ?? 24)
    .height(options.height ?? 8)
    .targets(columns.map(({ expr }, i) => instantQuery({ expr, legend: "" }, i).format(PromQueryFormat.Table)))
    .withTransformation({ id: "merge", options: {} })
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries([...by.map(({ label }) => label), ...names].map((name, i) => [name, i])),
        renameByName: {
          ...Object.fromEntries(by.map(({ label, title: name }) => [label, name])),
          ...Object.fromEntries(columns.map(({ title: name }, i) => [names[i], name])),
        },
      },
    });
  for (const { title: name, unit } of columns) panel.overrideByName(name, [{ id: "unit", value: unit }]);
  for (const { title: name, page } of by) {
    if (page === undefined) continue;
    panel.overrideByName(name, [{ id: "links", value: [{ title: "Open in Tocsin", url: tocsinUrl(page) }] }]);
  }
  if (options.about !== undefined) panel.description(options.about);
  return panel;
}

export function tocsinLink(title: string, page: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).url(tocsinUrl(page)).targetBlank(true);
}

export function tocsinUrl(page: string): string {
  return `\${tocsin}${page}${page.includes("?") ? "&" : "?"}${SAME_RANGE}`;
}

function rangeQuery(
  query: Query,
  index: number,
  options: { exemplars?: boolean; step?: string } = {},
): DataqueryBuilder {
  const built = new DataqueryBuilder().refId(refId(index)).datasource(PROMETHEUS).expr(query.expr).range();
  if (query.legend !== "") built.legendFormat(query.legend);
  if (options.exemplars === true) built.exemplar(true);
  if (options.step !== undefined) built.interval(options.step);
  return built;
}

function instantQuery(query: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder().refId(refId(index)).datasource(PROMETHEUS).expr(query.expr).instant();
}

function refId(index: number): string {
  return String.fromCodePoint(65 + index);
}

function warningSteps([yellow, red]: readonly [number, number]): ThresholdsConfigBuilder {
  if (yellow <= red)
    return steps([
      [yellow, "yellow"],
      [red, "red"],
    ]);
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([
    { value: null, color: "red" },
    { value: red, color: "yellow" },
    { value: yellow, color: "green" },
  ]);
}

function steps(above: readonly (readonly [number, string])[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: "green" }, ...above.map(([value, color]) => ({ value, color }))]);
}
