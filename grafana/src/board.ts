import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  ConstantVariableBuilder,
  CustomVariableBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PROMETHEUS, tocsinLink } from "./panels.ts";

export interface Row {
  readonly title: string;
  readonly panels: readonly Builder<Panel>[];
}

export interface Board {
  /** Name of its folder, of its file, and, after `tocsin-`, its uid; never changes, since links and bookmarks use it. */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** The page of Tocsin that the link in the head leads to, as a path; it may use the board's variables. */
  readonly page: string;
  readonly variables?: readonly Builder<VariableModel>[];
  readonly rows: readonly Row[];
}

const TAG = "tocsin";

/**
 * The board as Grafana reads it: every board can be pointed at any Prometheus, leads to the others and to Tocsin, and keeps
 * the range on the way. `tocsinUrl` is where browsers reach Tocsin.
 */
export function buildBoard(board: Board, tocsinUrl: string): Dashboard {
  const built = new DashboardBuilder(`Tocsin: ${board.title}`)
    .uid(`tocsin-${board.name}`)
    .description(board.about)
    .tags([TAG])
    .time({ from: "now-30m", to: "now" })
    .refresh("10s")
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .variables([
      new DatasourceVariableBuilder("datasource").label("Metrics").type("prometheus"),
      new ConstantVariableBuilder("tocsin").value(tocsinUrl),
      ...(board.variables ?? []),
    ])
    .links([
      tocsinLink("Tocsin", board.page),
      new DashboardLinkBuilder("Boards").type(DashboardLinkType.Dashboards).tags([TAG]).asDropdown(true).keepTime(true),
    ]);
  for (const { title, panels } of board.rows) {
    built.withRow(new RowBuilder(title));
    for (const panel of panels) built.withPanel(panel);
  }
  const dashboard = built.build();
  // Ids in order, so that a link to one panel stays good.
  dashboard.panels?.forEach((panel, i) => (panel.id = i + 1));
  return dashboard;
}

/** A choice among the values of a label. */
export function labelVariable(
  name: string,
  title: string,
  source: { metric: string; label: string },
  options: { all?: boolean } = {},
): Builder<VariableModel> {
  const query = `label_values(${source.metric}, ${source.label})`;
  const variable = new QueryVariableBuilder(name)
    .label(title)
    .datasource(PROMETHEUS)
    .query({ qryType: 1, query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (options.all === true) {
    variable.multi(true).includeAll(true).allValue(".*").current({ selected: true, text: "All", value: "$__all" });
  }
  return variable;
}

/** A choice among fixed values; the first is the default. */
export function choiceVariable(name: string, title: string, values: readonly string[]): Builder<VariableModel> {
  const [first = ""] = values;
  return new CustomVariableBuilder(name)
    .label(title)
    .values(values.join(","))
    .options(values.map((value) => ({ selected: value === first, text: value, value })))
    .current({ selected: true, text: first, value: first });
}
